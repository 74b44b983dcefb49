"""Ways in order as people type them: `--then "email by 15:00 unless seen"`, `--then "sheet after 4 h"`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from broker.announcement import Step
from broker.ladders.in_order import in_turn
from broker.ladders.ladder import Ladder, Need, Opening
from cli.reading import bad, length_from

LONGEST = 200
EXAMPLE = 'write it as "email", "email by 15:00", "email after 2 h unless seen" or "sheet by 16:30"'
_TYPED = re.compile(
    r"(?P<ways>[\w-]+(?:\s*,\s*[\w-]+)*)"
    r"(?:\s+by\s+(?P<by>.+?)|\s+after\s+(?P<length>\d{1,9}\s*(?:s|min|h|d)))?"
    r"(?:\s+unless\s+(?P<unless>\w+))?",
    re.ASCII,
)
_CLOCK = re.compile(r"\d{1,2}:\d{2}", re.ASCII)

Moment = Callable[[str | None, str], datetime | None]


def in_order(
    via: str, then: Sequence[str], *, seen: bool, moment: Moment, starts: datetime, zone: ZoneInfo
) -> tuple[tuple[Step, ...], Ladder | None]:
    """The ways and when each later one opens. A time of day is of the day on which it starts. Raises RuleBroken."""
    read = [_read(typed, moment, starts.astimezone(zone)) for typed in then]
    return in_turn(_names(via), read, seen=seen)


def _read(typed: str, moment: Moment, starts: datetime) -> tuple[tuple[str, ...], Opening]:
    found = _TYPED.fullmatch(typed.strip()) if len(typed) <= LONGEST else None
    if found is None:
        raise bad("bad_then", "then", "this is no further way", EXAMPLE)
    unless = found["unless"] or Need.REACHED
    if unless not in set(Need):
        raise bad("bad_then", "then", "a way opens unless it was reached, delivered or seen", EXAMPLE)
    at: datetime | timedelta | None = None
    if found["by"]:
        clock = _CLOCK.fullmatch(found["by"])
        at = moment(f"{starts:%Y-%m-%d} {found['by']:0>5}" if clock else found["by"], "then")
    elif found["length"]:
        at = length_from(found["length"], "then")
    return _names(found["ways"]), Opening(at, Need(unless))


def _names(ways: str) -> tuple[str, ...]:
    return tuple(way for way in (each.strip() for each in ways.split(",")) if way)
