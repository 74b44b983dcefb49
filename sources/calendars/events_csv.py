"""Events as a table: `title,begins` and perhaps `ends,place,group,uid,cancelled`; wall times as 2026-11-30 15:30."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from broker.diary.events import ALONE, EventProblem, ToldCalendar, ToldEvent
from broker.errors import Problem, RuleBroken
from broker.moments import instant
from sources.calendars.limits import LIMITS, Limits
from sources.calendars.table import rows_of

_NO_END = timedelta(hours=1)
_YES = {"yes", "y", "true", "1", "x", "cancelled"}
OPTIONAL = ("ends", "place", "group", "uid", "cancelled")


def read_events(data: bytes, *, zone: str, begins: date, ends: date, limits: Limits = LIMITS) -> ToldCalendar:
    """Every event between two days (the last not included), in the school's zone. Raises CalendarUnreadable.

    A row without a `uid` is known again by its title and its day: another time on that day is the same event, moved.
    """
    found: dict[tuple[str, datetime], ToldEvent] = {}
    problems: list[EventProblem] = []
    for number, row in rows_of(data, required=("title", "begins"), optional=OPTIONAL, limits=limits):
        try:
            event = _event(row, zone, limits)
        except RuleBroken as broken:
            problem = broken.problem
            problems.append(EventProblem(f"row {number}", problem.code, problem.message, problem.hint))
            continue
        if (event.uid, event.original) in found:
            message = "this event stands in the table twice"
            problems.append(EventProblem(f"row {number}", "event_twice", message, "give each its own uid"))
        elif begins <= event.wall.date() < ends:
            found[event.uid, event.original] = event
    ordered = sorted(found.values(), key=lambda event: (event.starts_at, event.uid))
    return ToldCalendar(tuple(ordered), tuple(problems))


def _event(row: Mapping[str, str], zone: str, limits: Limits) -> ToldEvent:
    title = _short(row, "title", limits)
    starts = instant(row["begins"], zone=zone, field="begins")
    finish = instant(row["ends"], zone=zone, field="ends") if row.get("ends") else starts + _NO_END
    if finish < starts:
        raise _bad("ends_first", "it ends before it begins", "check its times")
    if not title:
        raise _bad("no_title", "this event has no title", "give it one")
    wall = starts.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    group = _short(row, "group", limits)
    uid = _short(row, "uid", limits)
    # With a uid of its own it may move to any day; without one its day is what it is known by.
    original = ALONE if uid else datetime.combine(wall.date(), time())
    made = hashlib.sha256(f"{title.casefold()}\0{group.casefold()}".encode()).hexdigest()[:32]
    return ToldEvent(
        uid=uid or made,
        original=original,
        wall=wall,
        starts_at=starts,
        ends_at=finish,
        title=title,
        place=_short(row, "place", limits),
        cancelled=row.get("cancelled", "").casefold() in _YES,
        group=group,
    )


def _short(row: Mapping[str, str], column: str, limits: Limits) -> str:
    words = " ".join("".join(c if c.isprintable() else " " for c in row.get(column, "")).split())
    if len(words) > limits.text:
        raise _bad("text_too_long", f"its {column} is longer than {limits.text} characters", "shorten it")
    return words


def _bad(code: str, message: str, hint: str) -> RuleBroken:
    return RuleBroken(Problem(code, "event", message, hint))
