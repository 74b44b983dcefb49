"""Days as the calendar shows them: what went out on each, what will, what waits, and what takes place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from broker.announcement import Stage, stage
from broker.diary import reminding
from broker.diary.calendar import Day, DayKind, TermCalendar
from broker.diary.recurrence import HORIZON, Occurrence, occurrences
from broker.diary.reminders import furthest
from broker.diary.reminding import Ahead
from broker.diary.terms import calendar_now
from broker.naming import heading
from broker.ports.calendar import Outcome, ScheduleRow
from broker.ports.events import EventRow
from broker.rules.approval import SECOND_PERSON
from ledger.connect import Transaction
from ledger.hand import Hand
from ledger.reads import calendar as reads
from ledger.reads.calendar import Planned, Said, Taking, Unsaid
from web.watch.stages import look_of

DAY = timedelta(days=1)
ALL_DAY = ""
UNSAID = {
    Outcome.MISSED: "was missed",
    Outcome.REFUSED: "was refused",
    Outcome.UNCLEAR: "had no clear hour",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a day. `clock` is "" for what takes the whole day; `kind`: said, planned, event, reminder, unsaid."""

    wall: datetime
    kind: str
    title: str = field(repr=False)
    link: str
    mark: str
    words: str
    to: str = ""
    place: str = ""
    struck: bool = False
    why: str = ""
    clock: str = ALL_DAY


@dataclass(frozen=True, slots=True)
class Shown:
    """One day: its entries in the order of time, and how many more there are."""

    on: date
    day: Day
    entries: Sequence[Entry]
    more: int = 0

    @property
    def off(self) -> bool:
        """Whether it is a day on which there is no school, as far as anybody knows."""
        return self.day.kind not in {DayKind.TERM, DayKind.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Sight:
    """Days in a row, and what could not all be shown. `far`: they lie beyond what schedules are worked out for."""

    days: Sequence[Shown]
    today: date
    zone: str
    calendar: TermCalendar
    more_schedules: int = 0
    cut: bool = False
    far: bool = False

    @property
    def weeks(self) -> Sequence[Sequence[Shown]]:
        """By sevens, as a calendar has its lines."""
        return [self.days[n : n + 7] for n in range(0, len(self.days), 7)]

    @property
    def empty(self) -> bool:
        """Whether nothing is there at all."""
        return not any(day.entries for day in self.days)


@dataclass(frozen=True, slots=True)
class Look:
    """A transaction that reads, with what every page of the calendar asks first: the school's clock, and its terms."""

    tx: Transaction
    hand: Hand
    zone: str
    now: datetime
    calendar: TermCalendar

    @property
    def today(self) -> date:
        """By the school's clock."""
        return self.now.astimezone(ZoneInfo(self.zone)).date()


@dataclass(frozen=True, slots=True)
class _Found:
    """All that goes out in some days, by where it is known from."""

    said: Sequence[Said]
    planned: Planned
    unsaid: Sequence[Unsaid]
    reminders: Sequence[Ahead]


def look(tx: Transaction) -> Look:
    """Begin to look."""
    zone = tx.school.zone  # asked for first: with it comes the time
    return Look(tx, tx.hand, zone, tx.now, calendar_now(tx))


def days_from(at: Look, first: date, count: int, *, department: str | None, most: int) -> Sight:
    """So many days from one on, at most `most` entries of each kind a day and in all."""
    zone = ZoneInfo(at.zone)
    starts = [datetime.combine(first + DAY * n, time(), zone).astimezone(UTC) for n in range(count + 1)]
    begins, ends = starts[0], starts[-1]
    said = reads.said_on(at.hand, starts, department=department, most=most)
    planned = _planned(at, ends, department)
    rules = [rule for rule in at.tx.events.rules() if department in {None, rule.department}]
    ahead = furthest(rules)
    taking = reads.events_between(at.hand, begins, ends + ahead, department=department)
    unsaid = reads.unsaid_between(at.hand, begins, ends, department=department)
    reminders = reminding.to_come(taking.rows, rules, taking.reminded, now=at.now, zone=at.zone)
    entries: dict[date, list[Entry]] = defaultdict(list)
    found = _Found(_all_of(said.first), planned, unsaid, reminders)
    for entry in _entries(at, begins, ends, found):
        entries[entry.wall.date()].append(entry)
    for entry in _events(taking, first, first + DAY * (count - 1)):
        entries[entry.wall.date()].append(entry)
    days = []
    for n in range(count):
        on = first + DAY * n
        of_day = _first_of(entries[on], most)
        more = said.counts.get(n, 0) - len(said.first.get(n, ())) + len(entries[on]) - len(of_day)
        days.append(Shown(on, at.calendar.day(on), of_day, more))
    far = ends > at.now + HORIZON
    return Sight(days, at.today, at.zone, at.calendar, planned.more, taking.cut, far)


def _first_of(entries: Sequence[Entry], most: int) -> Sequence[Entry]:
    """What a day shows, in its order. A busy morning's texts leave the evening's concert its place."""
    kept = sorted(entries, key=lambda one: (one.kind == "said", one.clock, one.kind, one.title))[:most]
    return sorted(kept, key=lambda one: (one.clock, one.kind, one.title))


def _all_of(first: Mapping[int, Sequence[Said]]) -> Sequence[Said]:
    """All of them, whichever day they are of."""
    return [one for some in first.values() for one in some]


def _planned(at: Look, ends: datetime, department: str | None) -> Planned:
    """Nothing is to come of days that are over, so nobody asks."""
    if ends <= at.now:
        return Planned(())
    return reads.schedules_until(at.hand, ends=ends, department=department)


def _entries(at: Look, begins: datetime, ends: datetime, found: _Found) -> Iterable[Entry]:
    zone = ZoneInfo(at.zone)
    for one in found.said:
        yield _of_said(one, at.now, zone)
    for row in found.planned.rows:
        since = max(begins, at.now, row.looked_until)
        for date_ in occurrences(row.pattern, at.calendar, begins=since, ends=min(ends, at.now + HORIZON)):
            if date_.left_out is None:
                yield _of_date(row, date_)
    for missed in found.unsaid:
        yield _of_unsaid(missed)
    for reminder in found.reminders:
        if begins <= reminder.at < ends:
            yield _of_reminder(reminder, zone)


def _of_said(one: Said, now: datetime, zone: ZoneInfo) -> Entry:
    said = one.announcement
    mark, words = how_said(one, now)
    wall = _wall(said.due_at, zone)
    to = said.audience
    struck = said.withdrawn_at is not None
    link = f"watch/{said.public_id}"
    return Entry(
        wall,
        "said",
        heading(one.title) or "No title",
        link,
        mark,
        words,
        to,
        struck=struck,
        clock=_clock(wall),
    )


def how_said(one: Said, now: datetime) -> tuple[str, str]:
    """How an announcement stands, on a calendar: the kind of its mark, and its words."""
    said = one.announcement
    at = stage(said, now)
    planned = said.fanned_out_at is not None
    waits = said.hold_code in SECOND_PERSON and not planned
    if waits and at in {Stage.HELD, Stage.SCHEDULED, Stage.PLANNING}:
        at = Stage.AWAITING_APPROVAL
    look = look_of(at, went_out=planned)
    return look.mark, look.words


def _of_date(row: ScheduleRow, one: Occurrence) -> Entry:
    link = f"watch/calendar/schedules/{row.public_id}"
    mark, words, why = "wait", "goes out", ""
    if one.cancelled:
        mark, words = "stop", "skipped"
    elif one.trouble is not None:
        mark, words, why = "warn", "its hour is not clear", "the clocks change that night"
    elif one.was_moved:
        words = "goes out, moved"
    return Entry(
        one.wall, "planned", row.name, link, mark, words, row.draft.audience, struck=one.cancelled, why=why,
        clock=_clock(one.wall),
    )  # fmt: skip


def _of_unsaid(one: Unsaid) -> Entry:
    link = f"watch/calendar/schedules/{one.schedule}"
    wall, words = one.row.original, UNSAID[one.row.outcome]
    return Entry(wall, "unsaid", one.name, link, "bad", words, why=one.row.why, clock=_clock(wall))


def _of_reminder(one: Ahead, zone: ZoneInfo) -> Entry:
    wall = _wall(one.at, zone)
    link = f"watch/calendar/events/{one.event.public_id}"
    title = f"Reminder: {one.event.title}"
    return Entry(wall, "reminder", title, link, "wait", "goes out", one.event.audience, clock=_clock(wall))


def _events(taking: Taking, first: date, last: date) -> Iterable[Entry]:
    """Each on every one of its days that is shown."""
    for row in taking.rows:
        on = row.wall.date()
        until = max(row.last_day, on)
        for day in (on + DAY * n for n in range((min(until, last) - on).days + 1)):
            if first <= day <= last:
                yield _of_event(row, day)


def _of_event(row: EventRow, on: date) -> Entry:
    gone = row.cancelled_at is not None
    clock = ALL_DAY if row.days or on != row.wall.date() else _clock(row.wall)
    mark, words = ("stop", "cancelled") if gone else ("info", "takes place")
    wall = datetime.combine(on, row.wall.time())
    link = f"watch/calendar/events/{row.public_id}"
    return Entry(
        wall, "event", row.title, link, mark, words, row.audience, row.place, struck=gone, clock=clock
    )


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _clock(wall: datetime) -> str:
    return f"{wall:%H:%M}"
