"""How a timetable is refused."""

from __future__ import annotations

from typing import NoReturn

from broker.errors import Problem, RuleBroken


class TimetableRefused(RuleBroken):
    """Raised when a timetable's file cannot be trusted as a whole; nothing of it is used."""


class TimetableAway(RuleBroken):
    """Raised when a timetable cannot be read now: no file, no answer, or an address that may not be asked."""


def refuse(code: str, where: str, message: str, hint: str) -> NoReturn:
    """Refuse the whole of it: half a file would read as changes taken back. `where` is a row, or the file."""
    raise TimetableRefused(Problem(code, where, message, hint)) from None
