"""Schedules: what is announced once or again and again, over the term calendar, with nobody watching.

This is what people do with them; `broker.diary.scheduler` announces what is due. Each occurrence is known by the
schedule and its original wall time, for good.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import uuid6

from broker import audience as audiences
from broker import intake, judging
from broker.actor import Actor
from broker.announcement import Draft
from broker.authority import operators
from broker.authority.approvals import SHORT
from broker.authority.signin import must_be_small
from broker.diary.calendar import DayKind
from broker.diary.recurrence import (
    HORIZON,
    MOST_EXCEPTIONS,
    Occurrence,
    Pattern,
    ask_about_hours,
    occurrence,
    the_date,
    upcoming,
)
from broker.diary.recurrence_rule import Rule
from broker.diary.schedule_times import next_look
from broker.diary.scheduler import WAITS
from broker.diary.terms import calendar_now
from broker.errors import AlreadyThere, NotFound, NotToBeChanged, Problem
from broker.moments import today_of
from broker.office.expressions import resolve
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.ports.calendar import OccurrenceRow, Outcome, ScheduleRow, Yes
from broker.record import Entry, digest_of
from broker.rules.approval import SECOND_PERSON
from broker.scrutiny.laid_down import as_said

LONGEST_NAME = 100
SHOWN = 10  # occurrences before anything is kept
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(days=30)  # of how long an announcement may still go out


def preview(ports: Ports, name: str, draft: Draft, pattern: Pattern, *, lasts: timedelta) -> list[Occurrence]:
    """The next ten times, with everything checked and nothing kept. Raises what `save` raises."""
    intake.rehearse(ports, _bare(draft))
    with ports.ledger.look() as tx:
        _check(tx, name, draft, pattern, lasts)
        return upcoming(pattern, calendar_now(tx), now=tx.now, count=SHOWN)


def waits(ports: Ports, draft: Draft, *, actor: Actor) -> str:
    """Why what it says will wait for a second person each time, until one says yes to the schedule; "" where not."""
    rehearsed = intake.rehearse(ports, _bare(draft), actor=actor)
    hold = judging.hold_of(rehearsed.rulings)
    return hold.why if hold is not None and hold.code in SECOND_PERSON else ""


def save(
    ports: Ports, name: str, draft: Draft, pattern: Pattern, *, lasts: timedelta, actor: Actor
) -> ScheduleRow:
    """Keep a new schedule. What it says is checked as if it were announced now; the rules are asked each time.

    Raises InvalidAnnouncement, UnknownAudience, BadRecurrence, NotToBeChanged, NotAllowed; then nothing is kept.
    """
    bare = _bare(draft)
    intake.rehearse(ports, bare, actor=actor)

    def work(tx: Transaction) -> ScheduleRow:
        operators.must(tx, actor, OperatorRole.AUTHOR, draft.department)
        _check(tx, name, draft, pattern, lasts)
        made = ScheduleRow(
            0,
            uuid6.uuid7(),
            " ".join(name.split()),
            bare,
            pattern,
            lasts,
            actor.id,
            tx.now,
            tx.now,
            tx.now,
            None,
        )
        made = replace(made, next_at=next_look(made, calendar_now(tx), tx.now))
        kept = replace(made, id=tx.schedules.add(made))
        tx.record.add([_entry("schedule.saved", kept, actor)])
        return kept

    return ports.ledger.transact(work)


def stamp_of(row: ScheduleRow) -> str:
    """When a schedule was last changed, as a word: what `change` compares with what somebody opened."""
    return row.changed_at.isoformat()


def change(
    ports: Ports,
    name: str,
    *,
    draft: Draft | None = None,
    pattern: Pattern | None = None,
    lasts: timedelta | None = None,
    actor: Actor,
    seen: str | None = None,
) -> ScheduleRow:
    """Change what a schedule says, with which files, or when, for all that is still to come. Raises what `save` raises.

    A second person's yes was to what it said before. `seen`: its `stamp_of` when somebody opened it.
    """
    if draft is not None:
        intake.rehearse(ports, _bare(draft), actor=actor)

    def work(tx: Transaction) -> ScheduleRow:
        row = the(tx, name, lock=True)
        operators.must(tx, actor, OperatorRole.AUTHOR, row.draft.department)
        if seen not in {None, stamp_of(row)}:
            message = "somebody has changed this schedule since you opened it"
            hint = "look at it as it is now, then keep what you mean"
            raise NotToBeChanged(Problem("changed_since", "was", message, hint))
        changed = replace(
            row,
            draft=draft if draft is not None else row.draft,
            pattern=replace(pattern, moved=row.pattern.moved) if pattern is not None else row.pattern,
            lasts=lasts if lasts is not None else row.lasts,
            made_by=actor.id if draft is not None else row.made_by,  # who worded it last: it is said for them
            changed_at=tx.now,
            # A new time that is past today was never meant to be announced late.
            looked_until=tx.now if pattern is not None else row.looked_until,
            approved=None if draft is not None else row.approved,
        )
        operators.must(tx, actor, OperatorRole.AUTHOR, changed.draft.department)
        _check_times(tx, changed.pattern, changed.lasts)
        if changed.draft.attachments != row.draft.attachments:
            tx.schedules.keep_files(row.id, changed.draft.attachments)
        return _keep(tx, changed, "schedule.changed", actor)

    return ports.ledger.transact(work)


def preview_change(
    ports: Ports,
    name: str,
    *,
    draft: Draft | None = None,
    pattern: Pattern | None = None,
    lasts: timedelta | None = None,
    actor: Actor,
) -> list[Occurrence]:
    """The next ten times after a change, with everything checked and nothing kept. Raises what `change` raises."""
    if draft is not None:
        intake.rehearse(ports, _bare(draft), actor=actor)
    with ports.ledger.look() as tx:
        row = the(tx, name)
        operators.must(tx, actor, OperatorRole.AUTHOR, row.draft.department)
        changed = replace(pattern, moved=row.pattern.moved) if pattern is not None else row.pattern
        _check_times(tx, changed, lasts if lasts is not None else row.lasts)
        return upcoming(changed, calendar_now(tx), now=tx.now, count=SHOWN)


def rehearsed(ports: Ports, draft: Draft, *, actor: Actor) -> intake.Rehearsed:
    """What the rules would say of it today, and how many people it would tell. Raises what `save` raises."""
    return intake.rehearse(ports, _bare(draft), actor=actor)


def seen_of(row: ScheduleRow) -> str:
    """What whoever approves a schedule says that they have seen: a digest of what it says, to whom, by which ways."""
    return digest_of("\0".join((str(row.public_id), as_said(row.draft))))[:SHORT]


def approve(
    ports: Ports, name: str, *, actor: Actor, seen: str | None = None, proved: bool = True
) -> ScheduleRow:
    """Say yes, as a second person, to all that a schedule will announce until it is changed.

    Each date is still judged by the rules; what they want a second person for has one. Far more people than today, and
    it is asked about again. `seen`: what `seen_of` told them; of what was changed since it was made nobody knows what a
    yes without that is about. `proved`: whether whoever says it was asked who they are; without that, nothing goes to
    many. Raises NotFound, NotAllowed, NotToBeChanged.
    """

    def work(tx: Transaction) -> ScheduleRow:
        row = the(tx, name, lock=True)
        operators.must(tx, actor, OperatorRole.APPROVER, row.draft.department)
        if operators.same(row.made_by, actor.id):
            message = "nobody approves what they announce themselves"
            raise NotToBeChanged(Problem("own_announcement", "name", message, "ask somebody else"))
        _must_be_seen(row, seen)
        audience = resolve(tx, audiences.parse(row.draft.audience))
        today = today_of(tx)
        counted = tx.reaches.count(audience, row.draft.people, today)
        if not proved:
            must_be_small(tx, counted, hint=f"carillon schedule approve {row.name!r}")
        tx.sweeps.clear_alarm(WAITS, str(row.public_id))
        return _keep(tx, replace(row, approved=Yes(actor.id, tx.now, counted)), "schedule.approved", actor)

    return ports.ledger.transact(work)


def move(ports: Ports, name: str, on: date, to: datetime, *, actor: Actor) -> Occurrence:
    """Move the occurrence of a day to another wall time; it stays the same one.

    Raises NotToBeChanged, BadRecurrence.
    """

    def work(tx: Transaction) -> Occurrence:
        row, original = _to_be_changed(tx, name, on, actor)
        told = tx.schedules.outcome(row.id, original)
        if told is not None:
            message = "it has been announced already"
            hint = f"take that back first: carillon schedule cancel {row.name!r} {on.isoformat()}"
            if told.outcome is Outcome.CANCELLED:
                message, hint = "it was announced and taken back", "announce the new time by itself"
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


def the(tx: Transaction, name: str, *, lock: bool = False) -> ScheduleRow:
    """A schedule that has not ended. Raises NotFound."""
    found = tx.schedules.named(name, lock=lock) if name.isprintable() else None
    if found is None:
        hint = "list them with: carillon schedule"
        raise NotFound(Problem("unknown_schedule", "name", "there is no such schedule", hint))
    return found


def _must_be_seen(row: ScheduleRow, seen: str | None) -> None:
    blind = seen is None and row.changed_at > row.made_at
    if blind or (seen is not None and seen != seen_of(row)):
        hint = f"look at it again: carillon schedule show {row.name!r}; and say what it ends with: --seen"
        raise NotToBeChanged(Problem("changed_since", "name", "it was changed since you looked at it", hint))


def _take_back(
    tx: Transaction, row: ScheduleRow, original: datetime, told: OccurrenceRow, actor: Actor
) -> None:
    announcement = (
        tx.announcements.by_public_id(told.announcement, lock=True) if told.announcement is not None else None
    )
    if announcement is not None:
        intake.forbid(tx, announcement, actor=actor)
    tx.schedules.became(row.id, original, Outcome.CANCELLED)


def _check(tx: Transaction, name: str, draft: Draft, pattern: Pattern, lasts: timedelta) -> None:
    called = " ".join(name.split())
    if not (called and called.isprintable() and len(called) <= LONGEST_NAME):
        message = f"a schedule's name is 1 to {LONGEST_NAME} printable characters"
        raise NotToBeChanged(Problem("bad_name", "name", message, "such as 'Choir, Tuesdays'"))
    if tx.schedules.named(called) is not None:
        hint = f"change it: carillon schedule change {called!r}; or choose another name"
        raise AlreadyThere(Problem("known", "name", "there is a schedule of this name", hint))
    intake.check_no_quote(draft)
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


def _bare(draft: Draft) -> Draft:
    """Without what each occurrence has of its own."""
    return replace(draft, key=None, send_at=None, expires_at=None)


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
    kept = replace(row, next_at=next_look(row, calendar_now(tx), tx.now))
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
        "says": as_said(row.draft),
        "agreed": row.approved.by if row.approved else "",
        "ended": row.ended_at is not None,
    }
    return Entry(kind, actor, facts)
