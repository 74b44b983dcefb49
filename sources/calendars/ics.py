"""iCalendar (RFC 5545) by `icalendar`, its series by `recurring-ical-events`; each rule is checked before that.

Read of an event: UID, times, SUMMARY, LOCATION, STATUS. Never read: DESCRIPTION, ATTENDEE, ORGANIZER, alarms: they hold
names, and nothing of them is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from time import thread_time
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, Event

from broker.diary.calendar import Span
from broker.diary.events import ALONE, EventProblem, ToldCalendar, ToldEvent
from broker.diary.recurrence import resolve
from broker.diary.recurrence_rule import FIRST_YEAR, LAST_YEAR, read_rule
from broker.errors import BrokerError, RuleBroken
from broker.moments import zone_named
from sources.calendars.limits import LIMITS, Limits, refuse
from sources.calendars.spans import kind_of
from sources.calendars.structure import calendars_of, text_of

Raw = Any  # a component as the parser left it: each property may be a list, or broken
_NO_END = timedelta(hours=1)  # of an event with a start alone
_LONGEST = timedelta(days=400)
_SET = 100  # series that are worked out between two looks at the time


class _Unmeant(BrokerError):
    """Raised when one event cannot be meant; the others may be."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        self.code, self.message, self.hint = code, message, hint
        super().__init__(message)


def read_events(data: bytes, *, zone: str, begins: date, ends: date, limits: Limits = LIMITS) -> ToldCalendar:
    """Every event between two days (the last not included), in the school's zone. Raises CalendarUnreadable.

    A time without a zone is the school's wall time. One in an hour that is missing or double is a problem.
    """
    events: list[Event] = []
    problems: list[EventProblem] = []
    for number, raw in enumerate(_components(data, limits), start=1):
        try:
            events.append(_plain(raw, zone, limits))
        except _Unmeant as unmeant:
            uid = _uid_of_unread(raw, limits)
            problems.append(EventProblem(f"event {number}", unmeant.code, unmeant.message, unmeant.hint, uid))
    found: list[ToldEvent] = []
    school = ZoneInfo(zone)
    series = {str(e["UID"]) for e in events if e.keys() & {"RRULE", "RDATE", "RECURRENCE-ID"}}
    for one in _expanded(events, begins, ends, school, limits):
        try:
            found.append(_told(one, zone, series))
        except _Unmeant as unmeant:
            where, uid = "a date of a series", str(one["UID"])
            problems.append(EventProblem(where, unmeant.code, unmeant.message, unmeant.hint, uid))
    found.sort(key=lambda event: (event.starts_at, event.uid))
    return ToldCalendar(tuple(found), tuple(problems))


def read_spans(data: bytes, *, limits: Limits = LIMITS) -> tuple[Sequence[Span], Sequence[EventProblem]]:
    """Terms, half-terms, INSET days and closures, known by the words of their titles. Raises CalendarUnreadable."""
    spans: list[Span] = []
    problems: list[EventProblem] = []
    for number, raw in enumerate(_components(data, limits), start=1):
        try:
            begins, ends = (_date(at) for at in _times(raw))
            title = _text(raw, "SUMMARY", limits)
            kind = kind_of(title)
            if kind is None:
                hint = "titles with term, half-term, INSET or closed are understood"
                raise _Unmeant("unknown_kind", "this says nothing about the term calendar", hint)
            if raw.get("RRULE") is not None:
                raise _Unmeant(
                    "recurring", "a term does not come again by a rule", "write each with its days"
                )
            all_day = not isinstance(_value(raw, "DTSTART"), datetime)
            last = ends - timedelta(days=1) if all_day and ends > begins else ends
            spans.append(Span(kind, title, begins, last))
        except _Unmeant as unmeant:
            problems.append(EventProblem(f"event {number}", unmeant.code, unmeant.message, unmeant.hint))
    return spans, problems


def _components(data: bytes, limits: Limits) -> Sequence[Raw]:
    text = text_of(data, limits)
    try:
        return [event for calendar in calendars_of(text) for event in calendar.walk("VEVENT")]
    except Exception as fault:  # noqa: BLE001 - strangers' files raise whatever the parser did not foresee
        refuse(
            "bad_calendar",
            "file",
            f"this calendar cannot be read ({type(fault).__name__})",
            "export it again",
        )


def _plain(raw: Raw, zone: str, limits: Limits) -> Event:
    """A fresh event of nothing but what is read, each checked: what else stood there never reaches the expansion."""
    starts, ends = _times(raw)
    uid = _text(raw, "UID", limits)
    if not uid:
        raise _Unmeant("no_uid", "this event has no UID, so that nobody knows it again", "export it again")
    made = Event()
    made.add("uid", uid)
    made.add("summary", _text(raw, "SUMMARY", limits))
    made.add("location", _text(raw, "LOCATION", limits))
    made.add("status", "CANCELLED" if str(raw.get("STATUS", "")).upper() == "CANCELLED" else "CONFIRMED")
    made.add("dtstart", starts)
    made.add("dtend", ends)
    made.add("sequence", _sequence(raw))
    if raw.get("RECURRENCE-ID") is not None:
        made.add("recurrence-id", _known(_value(raw, "RECURRENCE-ID"), raw["RECURRENCE-ID"]))
    for name in ("RDATE", "EXDATE"):
        if dates := list(_dates(raw, name, limits)):
            made.add(name, dates)
    if (rule := raw.get("RRULE")) is not None:
        made.add("rrule", _rule(rule, starts, zone))
    return made


def _rule(rule: Any, starts: date, zone: str) -> dict[str, Any]:
    if isinstance(rule, list):
        raise _Unmeant("two_rules", "this event has two rules", "make it two events")
    own = getattr(starts, "tzinfo", None)
    wall = _wall(starts)
    try:
        checked = read_rule(
            rule.to_ical().decode(), zone=str(own) if isinstance(own, ZoneInfo) else zone, starts=wall
        )
    except RuleBroken as broken:
        raise _Unmeant(broken.problem.code, broken.problem.message, broken.problem.hint) from None
    except Exception:  # noqa: BLE001 - a rule that cannot even be written again
        raise _Unmeant("bad_rule", "the rule of this series cannot be read", "export it again") from None
    parts: dict[str, Any] = {}
    for part in checked.text.split(";"):
        name, _, value = part.partition("=")
        parts[name] = value.split(",") if name.startswith("BY") else value
    if "UNTIL" in parts:
        until = datetime.fromisoformat(parts["UNTIL"])
        # The standard wants UTC beside a start with a zone; calendars write either.
        parts["UNTIL"] = until.replace(tzinfo=own).astimezone(UTC) if own else until
    for name in ("BYMONTH", "BYMONTHDAY", "BYSETPOS"):
        if name in parts:
            parts[name] = [int(value) for value in parts[name]]
    for name in ("INTERVAL", "COUNT"):
        if name in parts:
            parts[name] = int(parts[name])
    return parts


def _expanded(
    events: Sequence[Event], begins: date, ends: date, zone: ZoneInfo, limits: Limits
) -> Iterator[Raw]:
    """A set of series at a time, so that a file of dear ones is refused before it keeps a worker for minutes."""
    series: dict[str, list[Event]] = {}
    for event in events:
        series.setdefault(str(event["UID"]), []).append(event)
    uids = list(series)
    first, last = (datetime.combine(day, time(), zone) for day in (begins, ends))
    until = thread_time() + limits.expanding.total_seconds()
    count = 0
    for at in range(0, len(uids), _SET):
        if thread_time() > until:
            hint = (
                "export fewer series, or as single events; those from long ago, or with rare rules, are dear"
            )
            refuse("too_slow", "file", "its series take too long to work out", hint)
        calendar = Calendar()
        for event in (event for uid in uids[at : at + _SET] for event in series[uid]):
            calendar.add_component(event)
        try:
            found = recurring_ical_events.of(calendar, skip_bad_series=False).between(first, last)
        except Exception as fault:  # noqa: BLE001 - as above
            message = f"a series cannot be worked out ({type(fault).__name__})"
            refuse("bad_series", "file", message, "export it again")
        count += len(found)
        if count > limits.times:
            refuse(
                "too_many_times", "file", f"more than {limits.times:,} times in a year", "export fewer events"
            )
        yield from found


@dataclass(frozen=True, slots=True)
class _At:
    wall: datetime
    instant: datetime


def _told(one: Raw, zone: str, series: Set[str]) -> ToldEvent:
    starts, ends = _value(one, "DTSTART"), _value(one, "DTEND")
    begins, finish = _at(starts, zone), _at(ends, zone)
    uid = str(one["UID"])
    identity = _value(one, "RECURRENCE-ID") if one.get("RECURRENCE-ID") is not None else starts
    return ToldEvent(
        uid=uid,
        original=_wall_in(identity, zone) if uid in series else ALONE,
        wall=begins.wall,
        starts_at=begins.instant,
        ends_at=max(finish.instant, begins.instant),
        title=str(one.get("SUMMARY", "")),
        place=str(one.get("LOCATION", "")),
        cancelled=str(one.get("STATUS", "")) == "CANCELLED",
    )


def _at(value: date, zone: str) -> _At:
    wall = _wall_in(value, zone)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return _At(wall, value.astimezone(UTC))
    instant, trouble = resolve(wall, zone)
    if instant is None:
        raise _Unmeant(
            str(trouble), "a time falls where the clocks change", "say it with its offset, or move it"
        )
    return _At(wall, instant)


def _wall_in(value: date, zone: str) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return _wall(value)


def _wall(value: date) -> datetime:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else datetime.combine(value, time())


def _times(raw: Raw) -> tuple[date, date]:
    if raw.get("DTSTART") is None:
        raise _Unmeant("no_start", "this event does not say when it begins", "give it a start")
    starts = _known(_value(raw, "DTSTART"), raw["DTSTART"])
    if raw.get("DTEND") is not None:
        ends = _known(_value(raw, "DTEND"), raw["DTEND"])
    elif raw.get("DURATION") is not None:
        ends = starts + _length(raw)
    else:
        ends = starts + (_NO_END if isinstance(starts, datetime) else timedelta(days=1))
    if isinstance(starts, datetime) is not isinstance(ends, datetime):
        raise _Unmeant(
            "day_and_time", "it begins with a day and ends with a time, or the other way", "mend it"
        )
    if _aware(starts) is not _aware(ends):
        raise _Unmeant("two_zones", "its start has a zone and its end has none, or the other way", "mend it")
    if ends < starts:
        raise _Unmeant("ends_first", "it ends before it begins", "check its times")
    if ends - starts > _LONGEST:
        raise _Unmeant("too_long", "it is longer than a school year", "check its times")
    return starts, ends


def _length(raw: Raw) -> timedelta:
    length = _value(raw, "DURATION")
    if not (isinstance(length, timedelta) and timedelta(0) <= length <= _LONGEST):
        raise _Unmeant("bad_duration", "its length cannot be meant", "check its times")
    return length


def _aware(value: date) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None


def _known(value: object, prop: Any) -> date:
    """A day or a time of a year that can be meant, in a zone that is known."""
    if not isinstance(value, date):
        raise _Unmeant("bad_time", "a time of it cannot be read", "export it again")
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise _Unmeant("bad_year", f"the year {value.year} cannot be meant", "check its times")
    params = getattr(prop, "params", {})
    named = str(params.get("TZID", ""))
    if named and isinstance(value, datetime) and value.tzinfo is None:
        try:
            return value.replace(tzinfo=zone_named(named[:64]))
        except RuleBroken as broken:
            raise _Unmeant("unknown_zone", "its time zone is not known", broken.problem.hint) from None
    if isinstance(value, datetime) and value.tzinfo is not None:
        try:
            value.astimezone(UTC)
        except Exception:  # noqa: BLE001 - a zone that the file made up itself, and that does not work
            raise _Unmeant("unknown_zone", "its time zone does not work", "use Europe/London") from None
    return value


def _dates(raw: Raw, name: str, limits: Limits) -> Iterator[date]:
    given = raw.get(name)
    lists = given if isinstance(given, list) else [given] if given is not None else []
    values = [(each, one) for each in lists for one in getattr(each, "dts", ())]
    if len(values) > limits.dates:
        raise _Unmeant("too_many_dates", f"it has more than {limits.dates:,} {name}", "split the series")
    for each, one in values:
        value = one.dt[0] if isinstance(one.dt, tuple) else one.dt  # RDATE may hold a period
        yield _known(value, one if getattr(one, "params", None) else each)


def _value(raw: Raw, name: str) -> Any:
    try:
        value = raw[name].dt if not isinstance(raw[name], list) else raw[name][0].dt
    except Exception:  # noqa: BLE001 - the parser keeps what it could not read, each in its own way
        raise _Unmeant("bad_time", f"its {name} cannot be read", "export it again") from None
    return value


def _text(raw: Raw, name: str, limits: Limits) -> str:
    value = raw.get(name)
    value = value[0] if isinstance(value, list) and value else value
    words = " ".join("".join(c if c.isprintable() else " " for c in str(value or "")).split())
    if len(words) > limits.text:
        raise _Unmeant("text_too_long", f"its {name} is longer than {limits.text} characters", "shorten it")
    return words


def _uid_of_unread(raw: Raw, limits: Limits) -> str:
    try:
        return _text(raw, "UID", limits)
    except _Unmeant:
        return ""


def _sequence(raw: Raw) -> int:
    value = str(raw.get("SEQUENCE", "0"))
    return int(value) if value.isdecimal() and len(value) < 9 else 0


def _date(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value
