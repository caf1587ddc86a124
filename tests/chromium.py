"""A browser for tests: the machine's own Chromium, or Debian's, fetched where none is."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
PATIENCE = 300  # of the package manager [s]


def found():
    """Path of a browser, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def chromium():
    """Path of a browser; installed where there is none, else the test is skipped loudly, or fails where CI is set."""
    path = found() or _installed()
    if path is None:
        said = "No Chromium here and none could be installed with apt-get: the page is NOT tested in a browser."
        if os.environ.get("CI"):
            pytest.fail(said)
        print(f"\n{'!' * 100}\n{said}\n{'!' * 100}", file=sys.__stderr__, flush=True)
        pytest.skip(said)
    return path


def _installed():
    if shutil.which("apt-get") is None:
        return None
    first = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if first and shutil.which("sudo") is None:
        return None
    for words in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        try:
            done = subprocess.run([*first, "apt-get", "-q", *words], capture_output=True, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            return None
        if done.returncode:
            return None
    return found()


@contextmanager
def browsing():
    """A browser with a profile of its own, closed afterwards."""
    from playwright.sync_api import sync_playwright

    path = chromium()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(QUIET), headless=True)
        try:
            yield browser
        finally:
            browser.close()
