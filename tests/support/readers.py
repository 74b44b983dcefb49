"""Feed readers that people use: newsboat and rss2email, the system's own or, as root on Debian, what apt brings."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from mailbox import Maildir
from pathlib import Path

from tests.support import apt
from tests.support.servers import CannotBeHadError

COMMANDS = {"newsboat": "newsboat", "rss2email": "r2e"}
LIMIT = 60


@cache
def find_reader(package: str) -> str:
    """The command of a reader; raises CannotBeHadError where there is none."""
    command = COMMANDS[package]
    if shutil.which(command) is None and os.geteuid() == 0 and shutil.which("apt-get"):
        apt.install(package, why="feeds are tried with readers that people use")
    found = shutil.which(command)
    if found is None:
        raise CannotBeHadError(
            f"{package} cannot be had: no {command} on PATH. Install it (apt-get install {package}, as root),"
            " or say --without-readers."
        )
    return found


@dataclass
class Newsboat:
    """A newsboat with a cache of its own, on one feed."""

    home: Path
    url: str

    def read(self) -> None:
        """Fetch it once."""
        self.home.mkdir(exist_ok=True)
        (self.home / "urls").write_text(f"{self.url}\n")
        (self.home / "config").write_text("error-log /dev/stderr\n")
        files: list[str | Path] = [
            "-u",
            self.home / "urls",
            "-c",
            self.home / "cache.db",
            "-C",
            self.home / "config",
        ]
        _run([find_reader("newsboat"), *files, "-x", "reload"], self.home)

    def entries(self) -> list[str]:
        """The guid of every entry it knows."""
        with closing(sqlite3.connect(self.home / "cache.db")) as kept:
            return [guid for (guid,) in kept.execute("SELECT guid FROM rss_item ORDER BY id")]


@dataclass
class Rss2Email:
    """An rss2email that puts what is new into a mailbox."""

    home: Path
    urls: Sequence[str]

    def read(self) -> None:
        """Fetch every feed once."""
        if not self.home.exists():
            self.home.mkdir()
            (self.home / "r2e.cfg").write_text(
                "[DEFAULT]\nto = parent@example.org\nfrom = feeds@example.org\nemail-protocol = maildir\n"
                f"maildir-path = {self.home}\nmaildir-mailbox = mail\nuse-8bit = True\nverbose = error\n"
            )
            Maildir(self.home / "mail").close()
            for number, url in enumerate(self.urls):
                self._r2e("add", f"feed{number}", url)
        self._r2e("run")

    def mails(self) -> list[str]:
        """The subjects of all that it ever sent."""
        with closing(Maildir(self.home / "mail")) as box:
            return sorted(str(mail["Subject"]) for mail in box)

    def known(self) -> int:
        """How many entries it remembers, over all feeds."""
        kept = json.loads((self.home / "r2e.json").read_text())
        return sum(len(feed["seen"]) for feed in kept["feeds"])

    def _r2e(self, *words: str) -> None:
        files: list[str | Path] = ["-c", self.home / "r2e.cfg", "-d", self.home / "r2e.json"]
        _run([find_reader("rss2email"), *files, *words], self.home)


def _run(command: Sequence[str | Path], home: Path) -> None:
    """Run a reader that sees nothing of this machine's own: no proxy, no settings, no home."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TERM": "dumb"}
    done = subprocess.run(
        command,
        env=environment,
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"{Path(command[0]).name} failed: {done.stdout[-500:]} {done.stderr[-500:]}")
