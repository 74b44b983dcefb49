"""A calendar of changes (ICS): one VEVENT each, with its classes as CATEGORIES, the subject as SUMMARY.

STATUS:CANCELLED is a lesson that is cancelled; DESCRIPTION, where a reason may stand, is never read.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, Component

from broker.diary.timetable import ChangeKind, TimetableChange, clean
from sources.timetables.errors import refuse
from sources.timetables.text import decoded

MOST_BYTES = 4 * 1024 * 1024
MOST_EVENTS = 20_000


def read(data: bytes, *, zone: ZoneInfo, encoding: str = "") -> tuple[list[TimetableChange], int]:
    """The changes and how many events there are. Raises TimetableRefused."""
    if len(data) > MOST_BYTES:
        refuse("too_large", "file", f"this calendar is larger than {MOST_BYTES:,} bytes", "export fewer days")
    text = decoded(data, encoding)
    _look_over(text)
    try:
        with (
            warnings.catch_warnings()
        ):  # what it guesses of strange zones is of no use to whoever reads a log
            warnings.simplefilter("ignore")
            calendars = Calendar.from_ical(text, multiple=True)
    except Exception:  # noqa: BLE001 - whatever the parser makes of a stranger's file, it is one answer to the school
        refuse("bad_calendar", "file", "this is no calendar that can be read", "export it again as ICS")
    changes: list[TimetableChange] = []
    count = 0
    for calendar in calendars:
        for event in calendar.walk("VEVENT"):
            count += 1
            changes += _changes(event, count, zone)
    return changes, count


def _look_over(text: str) -> None:
    """What would cost much to parse, or half of a file."""
    begun, ended = text.count("BEGIN:VEVENT"), text.count("END:VEVENT")
    if "BEGIN:VCALENDAR" not in text:
        refuse("bad_calendar", "file", "this is no calendar", "export it again as ICS")
    if begun != ended:
        refuse("unclosed_event", "file", "an event is not closed: the file was cut off", "export it again")
    if begun > MOST_EVENTS:
        refuse("too_many_events", "file", f"more than {MOST_EVENTS:,} events", "export fewer days")


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
