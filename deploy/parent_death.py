"""Children that do not outlive a launcher which was killed, and so could not end them (Linux)."""

from __future__ import annotations

import shutil


def dying_with_parent(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command, changed such that the kernel kills it when the thread that started it ends.

    Without ``setpriv`` it is unchanged. The signal is KILL rather than TERM since everything dies at once: a Celery
    worker without its Redis would never finish its warm shutdown.
    """
    setpriv = shutil.which("setpriv")  # util-linux: on every Debian and Ubuntu
    return (setpriv, "--pdeathsig", "KILL", "--", *command) if setpriv else command
