"""A calendar of changes (ICS): one VEVENT each, with its classes as CATEGORIES, the subject as SUMMARY.

STATUS:CANCELLED is a lesson that is cancelled; DESCRIPTION, where a reason may stand, is never read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Component

from broker.diary.timetable import ChangeKind, TimetableChange
from broker.diary.timetable_words import clean
from broker.errors import RuleBroken
from broker.moments import zone_named
from sources.calendars.limits import LIMITS, CalendarUnreadable
from sources.calendars.structure import calendars_of, text_of
from sources.timetables.errors import TimetableRefused, refuse
from sources.timetables.text import decoded


def read(data: bytes, *, zone: ZoneInfo, encoding: str = "") -> tuple[list[TimetableChange], int]:
    """The changes and how many events there are. Raises TimetableRefused."""
    try:
        text = text_of(decoded(data, encoding).encode(), LIMITS)
        calendars = calendars_of(text)
    except CalendarUnreadable as unreadable:
        raise TimetableRefused(unreadable.problem) from None
    except Exception:  # noqa: BLE001 - whatever the parser makes of a stranger's file, it is one answer to the school
        refuse("bad_calendar", "file", "this is no calendar that can be read", "export it again as ICS")
    changes: list[TimetableChange] = []
    count = 0
    for calendar in calendars:
        for event in calendar.walk("VEVENT"):
            count += 1
            changes += _changes(event, count, zone)
    return changes, count


def _changes(event: Component, number: int, zone: ZoneInfo) -> Iterator[TimetableChange]:
    where = f"event {number}"
    if "RRULE" in event or "RDATE" in event:
        refuse(
            "recurring", where, "a change comes once; this event repeats", "export changes, not the timetable"
        )
    try:
        start: Any = event["DTSTART"]
        begins = start.dt
        classes = tuple(dict.fromkeys(name for each in _categories(event) if (name := clean(each))))
    except (KeyError, AttributeError, ValueError, TypeError):
        refuse("bad_event", where, "this event has no start that can be read", "export it again")
    if isinstance(begins, datetime) and begins.tzinfo is None and (named := _zone_of(start)):
        begins = begins.replace(tzinfo=_known(named, where))
    day, period = _when(begins, zone)
    if not (2000 <= day.year < 2100):
        refuse("bad_date", where, "this is no day of a school", "check the year")
    if not classes:
        return
    cancelled = str(event.get("STATUS", "")).upper() == "CANCELLED"
    yield TimetableChange(
        day=day,
        period=period,
        classes=classes,
        kind=ChangeKind.CANCELLED if cancelled else ChangeKind.OTHER,
        subject=clean(str(event.get("SUMMARY", ""))),
        new_room=clean(str(event.get("LOCATION", ""))),
        number=clean(str(event.get("UID", ""))),
    )


def _zone_of(start: Any) -> str:
    return str(getattr(start, "params", {}).get("TZID", ""))[:64]


def _known(named: str, where: str) -> ZoneInfo:
    """The parser leaves a zone that it does not know away; an hour read as another is a lesson missed."""
    try:
        return zone_named(named)
    except RuleBroken as unknown:
        refuse("unknown_zone", where, "its time zone is not known", unknown.problem.hint)


def _when(begins: date | datetime, zone: ZoneInfo) -> tuple[date, str]:
    if not isinstance(begins, datetime):
        return begins, ""
    aware = begins if begins.tzinfo is not None else begins.replace(tzinfo=zone)
    try:
        local = aware.astimezone(zone)
    except (OverflowError, ValueError):
        local = datetime(1, 1, 1, tzinfo=UTC)
    return local.date(), local.strftime("%H:%M")


def _categories(event: Component) -> Iterator[str]:
    found: Any = event.get("CATEGORIES", ())
    for one in found if isinstance(found, list) else [found]:
        yield from (str(name) for name in getattr(one, "cats", ()))
