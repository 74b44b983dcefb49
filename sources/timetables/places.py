"""Where a timetable lies: a file, a folder in which the newest file counts, or an address."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn, Protocol

from broker.errors import Problem
from sources import fetch
from sources.timetables.errors import TimetableAway
from sources.timetables.text import MOST_BYTES

SETTLED = timedelta(seconds=3)  # a file that was written just now may be half of one
MOST_FILES = 10_000  # of a folder


@dataclass(frozen=True, slots=True)
class Found:
    """What lay there, and since when."""

    data: bytes = field(repr=False)
    since: datetime


class Place(Protocol):
    """Where it lies."""

    def read(self, now: datetime) -> Found | None:
        """What lies there; None while it is being written. Raises TimetableAway."""


@dataclass(frozen=True, slots=True)
class AFile:
    """One file, written anew each time."""

    path: Path

    def read(self, now: datetime) -> Found | None:
        """The file, once nobody writes it any more."""
        try:
            with open(self.path, "rb", opener=_open_at_once) as file:
                told = os.fstat(file.fileno())
                if not stat.S_ISREG(told.st_mode):
                    _away("not_a_file", "this is no file", "name a file")
                since = datetime.fromtimestamp(told.st_mtime, UTC)
                if timedelta(0) <= now - since < SETTLED:
                    return None
                data = file.read(MOST_BYTES + 1)
                after = os.fstat(file.fileno())
        except FileNotFoundError:
            _away("no_file", "there is no such file", "check the name, and whether it is still exported")
        except OSError:
            _away("unreadable_file", "the file cannot be read", "check who may read it")
        same = (told.st_mtime_ns, told.st_size) == (after.st_mtime_ns, after.st_size)
        return Found(data, since) if same else None


@dataclass(frozen=True, slots=True)
class AFolder:
    """A folder into which files of a pattern are put: the newest one says how things stand."""

    path: Path
    pattern: str = "*"

    def read(self, now: datetime) -> Found | None:
        """The newest file."""
        newest: tuple[int, Path] | None = None  # of two of one moment the later name
        try:
            for count, each in enumerate(self.path.glob(self.pattern)):
                if count >= MOST_FILES:
                    _away("too_many_files", "the folder holds too many files", "clear it out")
                told = each.lstat()
                if stat.S_ISREG(told.st_mode):
                    newest = max(newest or (0, each), (told.st_mtime_ns, each))
        except OSError:
            _away("unreadable_folder", "the folder cannot be read", "check who may read it")
        if newest is None:
            _away(
                "no_file", "no file lies in the folder", "check the folder, and whether it is still exported"
            )
        return AFile(newest[1]).read(now)


@dataclass(frozen=True, slots=True)
class AnAddress:
    """A web address."""

    url: str = field(repr=False)
    limits: fetch.Limits = fetch.LIMITS

    def read(self, now: datetime) -> Found | None:
        """What it holds now."""
        try:
            return Found(fetch.fetch(self.url, self.limits), now)
        except fetch.FetchRefused as refused:
            raise TimetableAway(refused.problem) from None


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a named pipe without a writer would wait for ever


def _away(code: str, message: str, hint: str) -> NoReturn:
    raise TimetableAway(Problem(code, "", message, hint)) from None
