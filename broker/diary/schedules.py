"""Schedules: what is announced once or again and again, over the term calendar, with nobody watching.

Nothing waits in a queue: a schedule knows until when it was looked at, and whoever looks next finds what fell due since
then. Each occurrence is announced under a key of its own, made of the schedule and its original wall time, so that two
schedulers, or one that died half-way, announce it once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import uuid6

from broker import audience as audiences
from broker import intake
from broker.actor import Actor
from broker.announcement import Draft
from broker.authority import operators
from broker.diary.calendar import DayKind, TermCalendar, calendar_of
from broker.diary.recurrence import (
    HORIZON,
    MOST_EXCEPTIONS,
    Occurrence,
    Pattern,
    Rule,
    ask_about_hours,
    occurrence,
    occurrences,
    the_date,
    upcoming,
)
from broker.errors import KeyConflict, NotFound, NotToBeChanged, Problem, RuleBroken
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.ports.calendar import OccurrenceRow, Outcome, ScheduleRow
from broker.record import Entry, digest_of
from broker.rules.calendar import BANK_HOLIDAYS

LONGEST_NAME = 100
MOST_AT_ONCE = 200
SHOWN = 10  # occurrences before anything is kept
LATE = timedelta(minutes=5)
LOOK_AGAIN = timedelta(days=1)  # at the latest: the term calendar may have changed
WARN_AHEAD = timedelta(days=21)  # before the known terms end
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(days=30)  # of how long an announcement may still go out
CALENDAR_ENDS = "calendar_ends"
MISSED = "schedule_missed"


@dataclass(frozen=True, slots=True)
class Coming:
    """One occurrence to come, with the schedule it is of."""

    schedule: ScheduleRow
    occurrence: Occurrence


def calendar_now(tx: Transaction) -> TermCalendar:
    """The term calendar as it stands."""
    regions = tx.rules.current().words(BANK_HOLIDAYS)
    return calendar_of(tx.calendars.spans(), tx.calendars.terms(), region=regions[0] if regions else "")


def preview(ports: Ports, name: str, draft: Draft, pattern: Pattern, *, lasts: timedelta) -> list[Occurrence]:
    """The next ten times, with everything checked and nothing kept. Raises what `save` raises."""
    intake.rehearse(ports, replace(draft, key=None, send_at=None, expires_at=None))
    with ports.ledger.look() as tx:
        _check(tx, name, draft, pattern, lasts)
        return upcoming(pattern, calendar_now(tx), now=tx.now, count=SHOWN)


def save(
    ports: Ports, name: str, draft: Draft, pattern: Pattern, *, lasts: timedelta, actor: Actor
) -> ScheduleRow:
    """Keep a new schedule. What it says is checked as if it were announced now; the rules are asked each time.

    Raises InvalidAnnouncement, UnknownAudience, BadRecurrence, NotToBeChanged, NotAllowed; then nothing is kept.
    """
    bare = replace(draft, key=None, send_at=None, expires_at=None)
    intake.rehearse(ports, bare, actor=actor)

    def work(tx: Transaction) -> ScheduleRow:
        operators.must(tx, actor, OperatorRole.AUTHOR, draft.department)
        _check(tx, name, draft, pattern, lasts)
        made = ScheduleRow(
            0, uuid6.uuid7(), " ".join(name.split()), bare, pattern, lasts, actor.id, tx.now, tx.now, None
        )
        made = replace(made, next_at=_next(made, calendar_now(tx), tx.now))
        kept = replace(made, id=tx.schedules.add(made))
        tx.record.add([_entry("schedule.saved", kept, actor)])
        return kept

    return ports.ledger.transact(work)


def change(
    ports: Ports,
    name: str,
    *,
    draft: Draft | None = None,
    pattern: Pattern | None = None,
    lasts: timedelta | None = None,
    actor: Actor,
) -> ScheduleRow:
    """Change what a schedule says, or when, for all of it that is still to come. Raises what `save` raises."""
    if draft is not None:
        intake.rehearse(ports, replace(draft, key=None, send_at=None, expires_at=None), actor=actor)

    def work(tx: Transaction) -> ScheduleRow:
        row = the(tx, name, lock=True)
        operators.must(tx, actor, OperatorRole.AUTHOR, row.draft.department)
        changed = replace(
            row,
            draft=draft if draft is not None else row.draft,
            pattern=replace(pattern, moved=row.pattern.moved) if pattern is not None else row.pattern,
            lasts=lasts if lasts is not None else row.lasts,
            made_by=actor.id,  # whoever worded it last is who it is announced for
        )
        operators.must(tx, actor, OperatorRole.AUTHOR, changed.draft.department)
        _check_times(tx, changed.pattern, changed.lasts)
        return _keep(tx, changed, "schedule.changed", actor)

    return ports.ledger.transact(work)


def move(ports: Ports, name: str, on: date, to: datetime, *, actor: Actor) -> Occurrence:
    """Move the occurrence of a day to another wall time; it stays the same one.

    Raises NotToBeChanged, BadRecurrence.
    """

    def work(tx: Transaction) -> Occurrence:
        row, original = _to_be_changed(tx, name, on, actor)
        if tx.schedules.outcome(row.id, original) is not None:
            message = "it has been announced already"
            hint = f"take that back first: carillon schedule cancel {row.name!r} {on.isoformat()}"
            raise NotToBeChanged(Problem("too_late", "date", message, hint))
        moved = replace(row.pattern, moved={**row.pattern.moved, original: to})
        calendar = calendar_now(tx)
        one = occurrence(moved, calendar, original)
        if one.at is None:
            alone = replace(moved, starts=to, rule=Rule(), moved={}, on=frozenset(DayKind))
            ask_about_hours(alone, calendar, now=tx.now)
        if one.at is None or not tx.now < one.at <= tx.now + HORIZON:
            raise NotToBeChanged(
                Problem("past", "to", "this time is past, or too far away", "choose another")
            )
        tx.schedules.change_one(row.id, original, to, by=actor.id)
        _keep(tx, replace(row, pattern=moved), "schedule.moved", actor, original, to)
        return one

    return ports.ledger.transact(work)


def cancel(ports: Ports, name: str, on: date, *, actor: Actor) -> bool:
    """The occurrence of a day does not take place; what was announced of it is taken back. True where there was any."""

    def work(tx: Transaction) -> bool:
        row, original = _to_be_changed(tx, name, on, actor)
        tx.schedules.change_one(row.id, original, None, by=actor.id)
        moved = replace(row.pattern, moved={**row.pattern.moved, original: None})
        _keep(tx, replace(row, pattern=moved), "schedule.cancelled", actor, original)
        told = tx.schedules.outcome(row.id, original)
        if told is None or told.announcement is None:
            return False
        _take_back(tx, row, original, told, actor)
        return True

    return ports.ledger.transact(work)


def put_back(ports: Ports, name: str, on: date, *, actor: Actor) -> None:
    """An occurrence that was moved or cancelled is again as the rule says. Raises BadRecurrence."""

    def work(tx: Transaction) -> None:
        row, original = _to_be_changed(tx, name, on, actor)
        tx.schedules.put_back(row.id, original)
        moved = {at: to for at, to in row.pattern.moved.items() if at != original}
        changed = replace(row, pattern=replace(row.pattern, moved=moved))
        _keep(tx, changed, "schedule.put_back", actor, original)

    ports.ledger.transact(work)


def pause(ports: Ports, name: str, *, actor: Actor) -> None:
    """Announce nothing of it until it is resumed; what falls due meanwhile is passed over."""

    def work(tx: Transaction) -> None:
        row = _mine(tx, name, actor)
        if row.paused_at is None:
            _keep(tx, replace(row, paused_at=tx.now), "schedule.paused", actor)

    ports.ledger.transact(work)


def resume(ports: Ports, name: str, *, actor: Actor) -> None:
    """Go on from now."""

    def work(tx: Transaction) -> None:
        row = _mine(tx, name, actor)
        if row.paused_at is not None:
            _keep(tx, replace(row, paused_at=None, looked_until=tx.now), "schedule.resumed", actor)

    ports.ledger.transact(work)


def end(ports: Ports, name: str, *, actor: Actor, after: date | None = None) -> None:
    """Nothing more of it comes: from now on, or after a day. Its name is free once it has ended."""

    def work(tx: Transaction) -> None:
        row = _mine(tx, name, actor)
        if after is None:
            _keep(tx, replace(row, ended_at=tx.now), "schedule.ended", actor)
            return
        last = datetime.combine(after + timedelta(days=1), datetime.min.time())
        _keep(tx, replace(row, pattern=replace(row.pattern, ended=last)), "schedule.ended", actor, last)

    ports.ledger.transact(work)


def coming(tx: Transaction, *, until: datetime) -> list[Coming]:
    """All that schedules will announce until then, and what of it is left out, in the order of time."""
    calendar = calendar_now(tx)
    found = [
        Coming(row, one)
        for row in tx.schedules.all()
        if row.paused_at is None
        for one in occurrences(row.pattern, calendar, begins=max(tx.now, row.looked_until), ends=until)
    ]
    return sorted(found, key=lambda each: (each.occurrence.wall, each.schedule.name))


def make_due(ports: Ports, *, actor: Actor) -> int:
    """Announce what has fallen due, from wherever the last look ended; how many occurrences were dealt with."""
    with ports.ledger.look() as tx:
        due = tx.schedules.due(limit=MOST_AT_ONCE)
    return sum(_make(ports, schedule, actor) for schedule in due)


def look_again(tx: Transaction) -> None:
    """The term calendar has changed: the next time of each schedule is worked out anew."""
    calendar = calendar_now(tx)
    for row in tx.schedules.all():
        tx.schedules.keep(replace(row, next_at=_next(row, calendar, tx.now)))


def the(tx: Transaction, name: str, *, lock: bool = False) -> ScheduleRow:
    """A schedule that has not ended. Raises NotFound."""
    found = tx.schedules.named(name, lock=lock) if name.isprintable() else None
    if found is None:
        hint = "list them with: carillon schedule"
        raise NotFound(Problem("unknown_schedule", "name", "there is no such schedule", hint))
    return found


def _make(ports: Ports, schedule: int, actor: Actor) -> int:
    with ports.ledger.look() as tx:
        row, now = tx.schedules.by_id(schedule), tx.now
        if row is None or row.paused_at is not None or row.ended_at is not None:
            return 0
        calendar = calendar_now(tx)
        due = [
            one
            for one in occurrences(row.pattern, calendar, begins=row.looked_until, ends=now)
            if (one.at is not None or one.trouble is not None)
            and tx.schedules.outcome(row.id, one.original) is None
        ]
    outcomes = [_announced(ports, row, one, now, actor) for one in due]
    return ports.ledger.transact(lambda tx: _told(tx, row, outcomes, now, actor))


def _announced(ports: Ports, row: ScheduleRow, one: Occurrence, now: datetime, actor: Actor) -> OccurrenceRow:
    """Announce one occurrence, under its own key. Only facts of it go in, so that whoever repeats it says the same."""
    if one.at is None:
        why = "it fell into an hour that is missing or double, and nobody said what then"
        return OccurrenceRow(row.id, one.original, None, Outcome.UNCLEAR, now, why)
    expires = one.at + row.lasts
    if expires <= now:
        why = "nothing ran when it was due, and it was over when something did"
        return OccurrenceRow(row.id, one.original, one.at, Outcome.MISSED, now, why)
    draft = replace(row.draft, key=key_of(row, one.original), expires_at=expires)
    # On behalf of whoever made it: the rules of approval are theirs.
    behalf = replace(actor, department=draft.department, on_behalf_of=row.made_by)
    try:
        accepted = intake.accept(ports, draft, actor=behalf)
    except KeyConflict:  # announced already, and worded anew since
        return OccurrenceRow(row.id, one.original, one.at, Outcome.MADE, now)
    except RuleBroken as refused:
        return OccurrenceRow(row.id, one.original, one.at, Outcome.REFUSED, now, refused.problem.message)
    outcome = Outcome.LATE if now - one.at > LATE else Outcome.MADE
    public_id = accepted.announcement.public_id
    return OccurrenceRow(row.id, one.original, one.at, outcome, now, announcement=public_id)


def key_of(row: ScheduleRow, original: datetime) -> str:
    """What makes an occurrence announced once: the schedule, and the wall time that it has by its rule."""
    return f"schedule:{row.public_id}:{original.isoformat()}"


def _told(
    tx: Transaction, seen: ScheduleRow, outcomes: Sequence[OccurrenceRow], now: datetime, actor: Actor
) -> int:
    """Keep what became of each, and look on from `now`. Another scheduler may have been here meanwhile."""
    row = tx.schedules.by_id(seen.id, lock=True)
    if row is None:
        return 0
    new = [each for each in outcomes if tx.schedules.done(each)]
    for each in new:
        facts = {
            "schedule": str(row.public_id),
            "original": each.original.isoformat(),
            "outcome": each.outcome,
        }
        tx.record.add([Entry("schedule.occurred", actor, facts)])
        if each.outcome in {Outcome.MISSED, Outcome.REFUSED, Outcome.UNCLEAR}:
            message = f"what was due at {each.original:%Y-%m-%d %H:%M} was not announced: {each.why}"
            tx.sweeps.raise_alarm(MISSED, f"{row.public_id}/{each.original.isoformat()}", message)
        changed = row.pattern.moved.get(each.original, each.original)
        if each.announcement is not None and changed != seen.pattern.moved.get(each.original, each.original):
            _take_back(tx, row, each.original, each, actor)  # cancelled or moved while it was being announced
    calendar = calendar_now(tx)
    row = replace(row, looked_until=max(row.looked_until, now))
    tx.schedules.keep(replace(row, next_at=_next(row, calendar, now)))
    _warn_of_the_end(tx, row, calendar)
    return len(new)


def _take_back(
    tx: Transaction, row: ScheduleRow, original: datetime, told: OccurrenceRow, actor: Actor
) -> None:
    announcement = (
        tx.announcements.by_public_id(told.announcement, lock=True) if told.announcement is not None else None
    )
    if announcement is not None:
        intake.forbid(tx, announcement, actor=actor)
    tx.schedules.became(row.id, original, Outcome.CANCELLED)


def _next(row: ScheduleRow, calendar: TermCalendar, now: datetime) -> datetime | None:
    """When to look at it again; None once nothing can come any more."""
    if row.ended_at is not None:
        return None
    ahead = occurrences(row.pattern, calendar, begins=row.looked_until, ends=now + LOOK_AGAIN)
    for one in ahead:
        if one.at is not None:
            return one.at
        if one.trouble is not None:
            return one.wall.replace(tzinfo=ZoneInfo(one.zone)).astimezone(UTC)
    return now + LOOK_AGAIN


def _warn_of_the_end(tx: Transaction, row: ScheduleRow, calendar: TermCalendar) -> None:
    """Somebody must bring next year's terms before a rehearsal goes unannounced for want of them."""
    if DayKind.UNKNOWN in row.pattern.on:
        return
    soon = occurrences(row.pattern, calendar, begins=tx.now, ends=tx.now + WARN_AHEAD)
    if any(one.left_out is not None and one.left_out.kind is DayKind.UNKNOWN for one in soon):
        message = "the known terms end soon, and schedules wait for the next: carillon terms import FILE"
        tx.sweeps.raise_alarm(CALENDAR_ENDS, "terms", message)
    else:
        tx.sweeps.clear_alarm(CALENDAR_ENDS, "terms")


def _check(tx: Transaction, name: str, draft: Draft, pattern: Pattern, lasts: timedelta) -> None:
    called = " ".join(name.split())
    if not (called and called.isprintable() and len(called) <= LONGEST_NAME):
        message = f"a schedule's name is 1 to {LONGEST_NAME} printable characters"
        raise NotToBeChanged(Problem("bad_name", "name", message, "such as 'Choir, Tuesdays'"))
    if tx.schedules.named(called) is not None:
        hint = f"change it: carillon schedule change {called!r}; or choose another name"
        raise NotToBeChanged(Problem("known", "name", "there is a schedule of this name", hint))
    if draft.attachments:
        message = "a schedule has no files yet"
        raise NotToBeChanged(
            Problem("no_files", "attach", message, "announce it with its file when it is due")
        )
    audiences.parse(draft.audience)
    _check_times(tx, pattern, lasts)


def _check_times(tx: Transaction, pattern: Pattern, lasts: timedelta) -> None:
    if not SHORTEST <= lasts <= LONGEST:
        raise NotToBeChanged(
            Problem("bad_length", "lasts", "it may go out for 5 minutes to 30 days", "such as 4 h")
        )
    calendar = calendar_now(tx)
    if DayKind.UNKNOWN not in pattern.on and calendar.known_until is None:
        message = "no term is known, so that nobody can tell a day of term"
        hint = "bring them: carillon terms import FILE; or say --any-day"
        raise NotToBeChanged(Problem("no_terms", "every", message, hint))
    ask_about_hours(pattern, calendar, now=tx.now)
    if not any(one.at for one in upcoming(pattern, calendar, now=tx.now, count=1)):
        message = "nothing of it takes place in the year ahead"
        raise NotToBeChanged(Problem("never", "starts", message, "check the start, the rule and the terms"))


def _mine(tx: Transaction, name: str, actor: Actor) -> ScheduleRow:
    row = the(tx, name, lock=True)
    operators.must(tx, actor, OperatorRole.AUTHOR, row.draft.department)
    return row


def _to_be_changed(tx: Transaction, name: str, on: date, actor: Actor) -> tuple[ScheduleRow, datetime]:
    row = _mine(tx, name, actor)
    original = the_date(row.pattern, on)
    if len(row.pattern.moved) >= MOST_EXCEPTIONS and original not in row.pattern.moved:
        message = f"it has {MOST_EXCEPTIONS:,} exceptions already"
        raise NotToBeChanged(Problem("too_many_exceptions", "date", message, "end it, and make a new one"))
    return row, original


def _keep(tx: Transaction, row: ScheduleRow, kind: str, actor: Actor, *walls: datetime) -> ScheduleRow:
    kept = replace(row, next_at=_next(row, calendar_now(tx), tx.now))
    tx.schedules.keep(kept)
    tx.record.add([_entry(kind, kept, actor, *walls)])
    return kept


def _entry(kind: str, row: ScheduleRow, actor: Actor, *walls: datetime) -> Entry:
    facts = {
        "schedule": str(row.public_id),
        "department": row.draft.department,
        "wording": digest_of("\0".join(row.draft.parts.values())),
        "starts": row.pattern.starts.isoformat(),
        "rule": row.pattern.rule.text,
        "dates": [wall.isoformat() for wall in walls],
    }
    return Entry(kind, actor, facts)
