"""The Chromium of the browser tests: the machine's own, else Playwright's download, else Debian's package.

``python -m tests.support.browser`` finds it, and installs the package where there is none and it may. It says what came
of that and ends with status 0 all the same: the tests themselves skip, or fail where CI is set.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

# In the order in which they are tried.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# What a browser needs in a container, without a graphics card, and to ask nobody but the farm.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PACKAGES = ("chromium", "fonts-noto-cjk", "fonts-noto-color-emoji")
# An archive that does not answer is given up soon: the rest of the tests needs no browser.
APT_OPTIONS = ("Acquire::http::Timeout=20", "Acquire::Retries=1", "DPkg::Lock::Timeout=300")
ADVICE = (
    f"no Chromium was found: install the packages {' '.join(PACKAGES)}, "
    "or run .venv/bin/python -m playwright install --with-deps chromium"
)
WHERE_IT_IS = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""
ANSWERS_WITHIN = 60.0  # seconds


def find_chromium(path: str, downloaded: Callable[[], Path | None]) -> Path | None:
    """The first program of :data:`NAMES` in the folders of ``path`` that works, else what was downloaded."""
    return next((program for program in _candidates(path, downloaded) if _works(program)), None)


def playwrights_download() -> Path | None:
    """Where Playwright keeps a Chromium that it was told to download; there may be none. None without Playwright."""
    # In a process of its own: Playwright starts no second time in one that has it running.
    asked = subprocess.run([sys.executable, "-c", WHERE_IT_IS], capture_output=True, text=True, check=False)
    return Path(asked.stdout.strip()) if asked.returncode == 0 else None


def chromium_here() -> Path | None:
    """The Chromium of this machine."""
    return find_chromium(os.environ.get("PATH", os.defpath), playwrights_download)


def install_package() -> None:
    """Install Debian's package and the fonts of Chinese text and emoji.

    Raises:
        PermissionError: this is not root on a system that has apt-get.
        subprocess.CalledProcessError: apt-get failed; it has said why.
    """
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise PermissionError("only root installs packages, with apt-get")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    options = [f"--option={option}" for option in APT_OPTIONS]
    for command in (("update",), ("install", "--yes", "--no-install-recommends", *PACKAGES)):
        subprocess.run(
            ("apt-get", "--quiet=2", *options, *command),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )


def _candidates(path: str, downloaded: Callable[[], Path | None]) -> Iterator[Path]:
    for name in NAMES:
        if found := shutil.which(name, path=path):
            yield Path(found)
    if (program := downloaded()) is not None and program.is_file():
        yield program


def _works(program: Path) -> bool:
    """Ubuntu's chromium-browser, for one, may be a script that only names the snap to install."""
    try:
        asked = subprocess.run([program, "--version"], capture_output=True, check=False, timeout=ANSWERS_WITHIN)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def main() -> None:
    """Find a Chromium, or install it where that may be."""
    found = chromium_here()
    if found is None:
        try:
            install_package()
        except PermissionError:
            pass
        except subprocess.CalledProcessError as error:
            print(f"tests: apt-get ended with status {error.returncode}", file=sys.stderr)
        else:
            found = chromium_here()
    print(f"tests: the browser is {found}" if found else f"tests: {ADVICE}", file=sys.stderr)


if __name__ == "__main__":
    main()
