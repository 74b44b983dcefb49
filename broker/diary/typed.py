"""Days and wall times as people type them, at whichever door: bounded, and refused where they cannot be meant."""

from __future__ import annotations

from datetime import date, datetime, time

from broker.errors import Problem, RuleBroken
from broker.moments import EARLIEST_YEAR, LATEST_YEAR

LONGEST_DAY, LONGEST_TIME = 20, 32  # characters: more than any spelling of either has
SUCH_AS = "2026-11-30 15:30"


def day_from(text: str, field: str) -> date:
    """A day as typed, 2026-11-30. Raises RuleBroken."""
    try:
        day = date.fromisoformat(text.strip()[:LONGEST_DAY])
    except ValueError:
        raise _bad("bad_day", field, "this is no day", "write it as 2026-11-30") from None
    if not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
        raise _bad("bad_year", field, f"the year {day.year} cannot be meant", "check the year")
    return day


def wall_from(text: str, field: str) -> datetime:
    """A wall time as typed, 2026-11-30 15:30, without a zone: it is the school's. Raises RuleBroken."""
    try:
        wall = datetime.fromisoformat(text.strip()[:LONGEST_TIME])
    except ValueError:
        raise _bad("bad_time", field, "this is not a time", f"write it as {SUCH_AS}") from None
    if len(text.strip()) < len(SUCH_AS):
        raise _bad("no_hour", field, "this is a day without a time", f"write it as {SUCH_AS}")
    if wall.tzinfo is not None:
        raise _bad("with_zone", field, "a schedule goes by the school's clock", "leave the zone out")
    if not EARLIEST_YEAR <= wall.year <= LATEST_YEAR:
        raise _bad("bad_year", field, f"the year {wall.year} cannot be meant", "check the year")
    return wall.replace(second=0, microsecond=0)


def clock_from(text: str, field: str) -> time:
    """A time of day as typed, 16:00. Raises RuleBroken."""
    try:
        clock = time.fromisoformat(text.strip()[:LONGEST_DAY])
    except ValueError:
        raise _bad("bad_time", field, "this is no time of day", "write it as 16:00") from None
    if clock.tzinfo is not None:
        raise _bad("with_zone", field, "it goes by the school's clock", "leave the zone out")
    return clock.replace(second=0, microsecond=0)


def _bad(code: str, field: str, message: str, hint: str) -> RuleBroken:
    return RuleBroken(Problem(code, field, message, hint))
