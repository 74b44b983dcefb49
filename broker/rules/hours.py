"""Hours of the week in the school's zone: how they are written, when they are open, when they open next.

One line for one opening, lines parted by `;`: `WHAT DAYS HOURS`, such as `sms mon-fri 07:00-20:30`. WHAT is
`channel/purpose/people`, from the left, `*` for any; what is left out is any. Everything that fits an announcement must
be open; what nothing fits is always open.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from broker.announcement import People, Purpose

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST = 100
# Beyond two weeks the same hours come again: what has not opened by then never does.
FURTHEST = timedelta(days=15)
_HOURS = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})", re.ASCII)
_MIDNIGHT = 24 * 60
ANY = "*"


@dataclass(frozen=True, slots=True)
class Opening:
    """One stretch of one or more days of the week, in minutes of the wall clock; for what, and on which days."""

    channel: str
    purpose: str
    people: str
    days: tuple[int, ...]  # 0 is Monday
    begins: int
    ends: int  # not included; 1440 is midnight

    @property
    def what(self) -> tuple[str, str, str]:
        """What it is for: openings for the same add up, those for different things must all be open."""
        return self.channel, self.purpose, self.people

    def fits(self, channel: str, purpose: Purpose, people: People) -> bool:
        """Whether it has anything to say about such an announcement."""
        asked = ({channel}, {purpose.value}, people.covers)
        return all(own == ANY or own in each for own, each in zip(self.what, asked, strict=True))


def read_openings(text: str) -> tuple[Opening, ...]:
    """Openings from their written form. Raises ValueError("what is wrong; what to do")."""
    lines = [line.strip() for line in text.split(";") if line.strip()]
    if len(lines) > MOST:
        raise ValueError(f"has more than {MOST} windows")
    openings = tuple(_opening(line) for line in lines)
    for first, second in _pairs(openings):
        if first.what == second.what and _overlap(first, second):
            both = f"{_written(first)} and {_written(second)}"
            raise ValueError(f"has two windows that overlap: {both}; make one of them")
    return openings


def openings_written(openings: Iterable[Opening]) -> str:
    """The one way in which they are written."""
    return "; ".join(_written(opening) for opening in openings)


def opens(openings: Sequence[Opening], moment: datetime, zone: str) -> datetime | None:
    """`moment` itself while all is open, else when it next is; None when that never comes.

    `openings` are those that fit. Wall clocks decide: an hour that comes twice is open both times, and one that is
    missing begins when the clocks have gone forward.
    """
    groups: dict[tuple[str, str, str], list[Opening]] = defaultdict(list)
    for opening in openings:
        groups[opening.what].append(opening)
    where, at = ZoneInfo(zone), moment
    while at <= moment + FURTHEST:
        later = [_next(group, at, where) for group in groups.values()]
        if None in later:
            return None
        latest = max((each for each in later if each is not None), default=at)
        if latest == at:
            return at
        at = latest
    return None


def _next(openings: Sequence[Opening], at: datetime, zone: ZoneInfo) -> datetime | None:
    """The first moment not before `at` at which one of these is open."""
    today = at.astimezone(zone).date()
    # Day after day, and no further than where there is one: mostly it is open now, and every claim asks.
    for days in range(-1, FURTHEST.days + 1):
        found = [
            max(begins, at) for begins, ends in _on(openings, today + timedelta(days=days), zone) if at < ends
        ]
        if found:
            return min(found)
    return None


def _on(openings: Iterable[Opening], day: date, zone: ZoneInfo) -> Iterable[tuple[datetime, datetime]]:
    for opening in openings:
        if day.weekday() in opening.days:
            # The first of two: so it opens early and closes late where the clocks go back.
            yield _instant(day, opening.begins, zone, fold=0), _instant(day, opening.ends, zone, fold=1)


def _instant(day: date, minute: int, zone: ZoneInfo, *, fold: int) -> datetime:
    if minute == _MIDNIGHT:
        day, minute = day + timedelta(days=1), 0
        fold = 0  # the day's end is the first of them, should midnight come twice
    wall = datetime.combine(day, time(minute // 60, minute % 60))
    moment = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    if _wall(moment, zone) == wall:
        return moment
    # No clock shows it that night: it is when the clocks have gone forward over it.
    moment = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while _wall(moment, zone) < wall:
        moment += timedelta(minutes=1)
    return moment


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _opening(line: str) -> Opening:
    hint = "write it as: sms mon-fri 07:00-20:30"
    parts = line.split()
    if len(parts) != 3:
        raise ValueError(f"has a window that cannot be read; {hint}")
    what, days, hours = parts
    channel, purpose, people = _what(what)
    found = _HOURS.fullmatch(hours)
    if not found:
        raise ValueError(f"has hours that cannot be read; {hint}")
    begins, ends = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if int(found[2]) > 59 or int(found[4]) > 59 or ends > _MIDNIGHT:
        raise ValueError(f"has hours that no clock shows; {hint}")
    if begins >= ends:
        raise ValueError("has a window that ends before it begins; over midnight, write two windows")
    return Opening(channel, purpose, people, _days(days), begins, ends)


def _what(text: str) -> tuple[str, str, str]:
    parts = text.split("/")
    if len(parts) > 3 or not all(parts):
        raise ValueError("has a window for nothing in particular; write sms, sms/promotional or */*/pupils")
    channel, purpose, people = (*parts, ANY, ANY)[:3]
    if purpose not in (ANY, *(each.value for each in Purpose)):
        raise ValueError("has a window for an unknown purpose; use service or promotional")
    if people not in (ANY, *(each.value for each in People)):
        raise ValueError(f"has a window for unknown people; use {', '.join(each.value for each in People)}")
    return channel, purpose, people


def _days(text: str) -> tuple[int, ...]:
    first, dash, last = text.partition("-")
    hint = f"use {', '.join(DAYS)}, or mon-fri"
    if first not in DAYS or (dash and last not in DAYS):
        raise ValueError(f"has an unknown day; {hint}")
    begins, ends = DAYS.index(first), DAYS.index(last if dash else first)
    if begins > ends:
        raise ValueError(f"has days in the wrong order; {hint}")
    return tuple(range(begins, ends + 1))


def _written(opening: Opening) -> str:
    what = "/".join(opening.what)
    while what.endswith("/" + ANY):
        what = what[: -len("/" + ANY)]
    days = DAYS[opening.days[0]]
    if len(opening.days) > 1:
        days += "-" + DAYS[opening.days[-1]]
    return f"{what} {days} {_clock(opening.begins)}-{_clock(opening.ends)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _overlap(one: Opening, other: Opening) -> bool:
    return bool(set(one.days) & set(other.days)) and one.begins < other.ends and other.begins < one.ends


def _pairs(openings: Sequence[Opening]) -> Iterable[tuple[Opening, Opening]]:
    return ((one, other) for n, one in enumerate(openings) for other in openings[n + 1 :])
