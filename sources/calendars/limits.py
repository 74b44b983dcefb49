"""How much of a calendar is read, and how one is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn

from broker.errors import Problem, RuleBroken

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Far above a school's calendar, far below what keeps anybody waiting; tests lower them."""

    file_bytes: int = 4 * MEBIBYTE
    lines: int = 100_000
    line: int = 64 * 1024  # characters, unfolded
    depth: int = 5  # components in components: a calendar, an event, an alarm
    events: int = 5_000  # as written: a series is one
    dates: int = 1_000  # EXDATE and RDATE of one event
    times: int = 20_000  # of all events, between the two days asked for
    expanding: timedelta = timedelta(seconds=10)  # of the processor's time, for all series together
    text: int = 200  # characters of a title, a place, a uid


LIMITS = Limits()


class CalendarUnreadable(RuleBroken):
    """Raised when a calendar's file cannot be trusted as a whole; nothing of it is used."""


def refuse(code: str, where: str, message: str, hint: str) -> NoReturn:
    """Refuse the whole file; `where` is "line 12", or "file"."""
    raise CalendarUnreadable(Problem(code, where, message, hint)) from None
