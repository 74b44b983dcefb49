"""A real browser: the system's Chromium, or the one apt brings on Debian; driven by Playwright, on loopback alone."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from playwright.sync_api import Browser, sync_playwright

from tests.support import apt
from tests.support.servers import CannotBeHadError

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# It calls nobody: no updates, no accounts, no QUIC; no sandbox of its own, for the tests may run as root.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
MISSING = "A browser cannot be had: no chromium on PATH. Install it ({how}), or say --without-browser."


@cache
def find_browser() -> str:
    """The browser to run; raises CannotBeHadError where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        apt.install("chromium", "fonts-dejavu-core", why="the pages are tried in a real browser")
        found = shutil.which("chromium")
    if found is None:
        how = "brew install chromium" if sys.platform == "darwin" else "apt-get install chromium, as root"
        raise CannotBeHadError(MISSING.format(how=how))
    return found


@contextmanager
def running_browser() -> Iterator[Browser]:
    """One browser, ended with the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()
