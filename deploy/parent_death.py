"""Children that do not outlive a launcher which was killed, and so could not end them (Linux)."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys

PR_SET_PDEATHSIG = 1  # <sys/prctl.h>


def forks_die_with_this_process() -> None:
    """Have the kernel kill this process's direct forks, honcho's readers of output, when it dies."""
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None).prctl
        os.register_at_fork(after_in_child=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL))


def dying_with_parent(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command, changed such that the kernel kills it when its parent dies; unchanged without ``setpriv``.

    It is not asked to end, since all are at once: a Celery worker without its Redis would wait for that for ever.
    """
    setpriv = shutil.which("setpriv")  # util-linux: on every Debian and Ubuntu
    return (setpriv, "--pdeathsig", "KILL", "--", *command) if setpriv else command
