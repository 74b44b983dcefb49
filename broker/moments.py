"""Wall time into instants: the missing and the double hour are asked about, never guessed (design §8, time).

And instants into days: which day it is, is the school's own clock's to say.
"""

from __future__ import annotations

import difflib
from datetime import UTC, date, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from dateutil import parser as dateparser
from dateutil import tz

from broker.errors import InvalidAnnouncement, Problem
from broker.ports import Transaction

LONGEST = 64  # characters of a time as typed
EARLIEST_YEAR, LATEST_YEAR = 2000, 2199
_NO_PLACE = {"localtime", "Factory"}  # mean whatever this machine is set to, or nothing
_ISO = dateparser.isoparser(sep="T")


@cache
def zone_named(name: str) -> ZoneInfo:
    """The zone called `name`. Raises InvalidAnnouncement with a suggestion when it is misspelt."""
    known = available_timezones() - _NO_PLACE
    if name in known:
        return ZoneInfo(name)
    folded = {z.casefold(): z for z in known}
    near = difflib.get_close_matches(name.casefold()[:64], folded, n=1, cutoff=0.6)
    hint = f"did you mean {folded[near[0]]}?" if near else "use a name such as Europe/London"
    raise InvalidAnnouncement(Problem("unknown_zone", "zone", "this time zone is not known", hint))


def instant(text: str, *, zone: str, field: str) -> datetime:
    """An aware instant (UTC) from what somebody typed: "2026-11-30 08:15", an ISO time, or one with an offset.

    A time without an offset is the school's wall time. Raises InvalidAnnouncement for what is no time, for a day
    without one, for the hour that does not exist in March, and for the hour that comes twice in October.
    """
    if len(text) > LONGEST:
        raise _bad(field, "bad_time", "this is not a time", "write it as 2026-11-30 08:15")
    text = text.strip().replace(" ", "T", 1)
    try:
        moment = _ISO.isoparse(text)
    except (ValueError, OverflowError):
        raise _bad(field, "bad_time", "this is not a time", "write it as 2026-11-30 08:15") from None
    if "T" not in text:  # midnight would be a guess: an expiry may mean the day's end
        raise _bad(field, "no_hour", "this is a day without a time", "write it as 2026-11-30 08:15")
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise _bad(field, "bad_year", f"the year {moment.year} cannot be meant", "check the year")
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    return _from_wall(moment, zone_named(zone), field)


def either_of(text: str, *, zone: str) -> tuple[str, str] | None:
    """The two moments that a wall time may mean on the night when the clocks go back, each with its offset; else None.

    For doors that ask which one: either of them is what `instant` takes.
    """
    try:
        wall = _ISO.isoparse(text.strip().replace(" ", "T", 1)) if len(text) <= LONGEST else None
    except (ValueError, OverflowError):
        return None
    if wall is None or wall.tzinfo is not None:
        return None
    return _twice(wall, zone_named(zone))


def today_of(tx: Transaction) -> date:
    """The day that it is by the school's own clock."""
    zone = tx.school.zone  # asked for first: with it comes the time
    return day_at(tx.now, zone)


def day_at(moment: datetime, zone: str) -> date:
    """The day that a wall in this zone shows at an aware moment."""
    return moment.astimezone(ZoneInfo(zone)).date()


def _from_wall(wall: datetime, zone: ZoneInfo, field: str) -> datetime:
    local = wall.replace(tzinfo=zone)
    if not tz.datetime_exists(local):
        raise _bad(
            field,
            "missing_hour",
            "this time does not exist: the clocks go forward over it that night",
            "choose a time an hour later or earlier",
        )
    if (both := _twice(wall, zone)) is not None:
        first, second = both
        raise _bad(
            field,
            "double_hour",
            "this time comes twice: the clocks go back over it that night",
            f"say which one: {first} or {second}",
        )
    return local.astimezone(UTC)


def _twice(wall: datetime, zone: ZoneInfo) -> tuple[str, str] | None:
    local = wall.replace(tzinfo=zone)
    # Dateutil calls the hour that does not exist ambiguous, too.
    if not (tz.datetime_exists(local) and tz.datetime_ambiguous(local)):
        return None
    first, second = (wall.replace(tzinfo=zone, fold=fold).isoformat() for fold in (0, 1))
    return first, second


def _bad(field: str, code: str, message: str, hint: str) -> InvalidAnnouncement:
    return InvalidAnnouncement(Problem(code, field, message, hint))
