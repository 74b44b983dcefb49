"""The book of events: what takes place, brought from a source or typed in; moved, cancelled, and who must hear of it.

Whoever was reminded of an event that is then moved, renamed, cancelled or for other groups is told once of that change,
by the ways that reminded them. A reminder that had not left yet is taken back, and made anew as the event now is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import uuid6

from broker import audience as audiences
from broker.actor import Actor
from broker.authority import operators
from broker.diary.event_changes import Changed, changed, check, check_words, joining_by, must_be_known
from broker.diary.event_comparing import Compared, compared
from broker.diary.event_telling import (
    is_elsewhere,
    is_for_others,
    remind_anew,
    says_else,
    tell_the_reminded,
    whose_now,
    words_of,
    words_of_cancelling,
)
from broker.diary.events import LONGEST, EventProblem, ToldEvent
from broker.diary.recurrence import HORIZON
from broker.errors import BrokerError, KeyConflict, NotFound, NotToBeChanged, Problem
from broker.office.expressions import must_see
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.ports.events import EventRow
from broker.record import Entry, digest_of

MOST = 20_000
FEW = 5  # below this many, all of a source may go at once


@dataclass(frozen=True, slots=True)
class Brought:
    """What bringing a calendar changed."""

    new: int = 0
    moved: int = 0
    cancelled: int = 0
    unchanged: int = 0
    left_out: int = 0  # on days that are no days of term


@dataclass(frozen=True, slots=True)
class Bringing:
    """What a source tells of the year ahead, and whose its events are; see `bring`."""

    source: str
    told: Sequence[ToldEvent]
    department: str
    audience: str
    problems: Sequence[EventProblem] = ()
    in_term: bool = False
    expect_gone: bool = False


class _NotKept(BrokerError):
    """Raised by a rehearsal so that its transaction is taken back; it carries what was found."""

    def __init__(self, brought: Brought) -> None:
        self.brought = brought
        super().__init__()


@dataclass(frozen=True, slots=True)
class _Home:
    """Where the events of one source belong, unless they say so themselves."""

    source: str
    department: str
    audience: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a change leads to: the event before and after; in which words it is told to how many who heard of it.

    `heard`: how many have heard of it at all. `joining`: how many it is for from now on whom nothing has told; its
    reminders do.
    """

    row: EventRow
    new: EventRow
    words: str
    told: int
    heard: int
    joining: int = 0


def bring(  # noqa: PLR0913 - what a source says of itself, each by its name
    ports: Ports,
    source: str,
    told: Sequence[ToldEvent],
    *,
    department: str,
    audience: str,
    problems: Sequence[EventProblem] = (),
    in_term: bool = False,
    expect_gone: bool = False,
    actor: Actor,
) -> Brought:
    """Take what a source tells of the year ahead: new ones are added, changed ones moved, those gone cancelled.

    `in_term` leaves out what falls on no day of term. `problems` is what of the source could not be read: while there
    is any, nothing is taken for gone, and what is known of an event that has one stays as it is.
    Raises NotToBeChanged, with nothing done, when all that the source told before is gone and nobody `expect_gone`, or
    when another department has a source of this name.
    """
    brings = Bringing(source, told, department, audience, problems, in_term, expect_gone)
    _check_many(told)
    return ports.ledger.transact(lambda tx: _bring(ports, tx, brings, actor))


def rehearse(ports: Ports, brings: Bringing, *, actor: Actor) -> Brought:
    """What bringing a calendar would change, with nothing kept. Raises what `bring` raises."""
    _check_many(brings.told)

    def work(tx: Transaction) -> None:
        raise _NotKept(_bring(ports, tx, brings, actor))

    try:
        ports.ledger.transact(work)
    except _NotKept as done:
        return done.brought
    raise AssertionError


def _check_many(told: Sequence[ToldEvent]) -> None:
    if len(told) > MOST:
        raise NotToBeChanged(
            Problem("too_many_events", "file", f"it has more than {MOST:,} times", "bring fewer")
        )


def _bring(ports: Ports, tx: Transaction, brings: Bringing, actor: Actor) -> Brought:
    department, audience = brings.department, brings.audience
    operators.must(tx, actor, OperatorRole.AUTHOR, department)
    for group in {event.group or audience for event in brings.told}:
        must_be_known(tx, department, group)
    found = compared(
        ports,
        tx,
        brings.source,
        brings.told,
        department=department,
        problems=brings.problems,
        in_term=brings.in_term,
    )
    if len(found.gone) >= FEW and len(found.gone) == found.standing and not brings.expect_gone:
        message = f"all {len(found.gone):,} events that it told before are gone"
        raise NotToBeChanged(Problem("all_gone", "file", message, "if that is right: --expect-gone"))
    return _brought(tx, found, _Home(brings.source, department, audience), actor)


def _brought(tx: Transaction, found: Compared, home: _Home, actor: Actor) -> Brought:
    counts = Counter(left_out=found.left_out)
    for event in found.kept:
        counts[_take(tx, found.known.get((event.uid, event.original)), event, home, actor)] += 1
    for row in found.gone:
        _cancel(tx, row, actor)
    counts["cancelled"] += len(found.gone)
    facts = {"department": home.department, **counts}  # a source may be called after somebody
    tx.record.add([Entry("events.brought", actor, facts)])
    return Brought(**counts)


def add(ports: Ports, told: ToldEvent, *, department: str, audience: str, actor: Actor) -> EventRow:
    """Keep an event that somebody typed in. Raises NotToBeChanged, UnknownAudience, NotAllowed."""
    check_words("title", told.title)
    check_words("place", told.place)

    def work(tx: Transaction) -> EventRow:
        operators.must(tx, actor, OperatorRole.AUTHOR, department)
        must_see(tx, audiences.parse(audience), actor)
        must_be_known(tx, department, audience)
        if not tx.now < told.starts_at < tx.now + HORIZON:
            raise NotToBeChanged(
                Problem("past", "starts", "this time is past, or too far away", "check the year")
            )
        row = _new(tx, told, _Home("", department, audience), actor)
        tx.record.add([Entry("event.added", actor, {"event": str(row.public_id)})])
        return row

    return ports.ledger.transact(work)


def uid_of(department: str, key: str, said: str) -> str:
    """What an event is called that a program adds under a key of its own: the key first, then what it said."""
    whose = digest_of("\0".join((department, key)))
    return f"{whose}.{digest_of(said)}"


def added_before(tx: Transaction, uid: str, *, department: str, actor: Actor) -> EventRow | None:
    """The event that was added under the same key and saying the same, wherever it was moved since.

    Raises KeyConflict where that said something else, NotAllowed before: keys tell others nothing.
    """
    operators.must(tx, actor, OperatorRole.AUTHOR, department)
    found = tx.events.typed_in(uid.partition(".")[0])
    if found is not None and found.uid != uid:
        message = "this key was used before for another event"
        hint = "use a new key, or send exactly the same event again"
        raise KeyConflict(Problem("key_conflict", "key", message, hint))
    return found


def move(
    ports: Ports,
    public_id: UUID,
    *,
    wall: datetime,
    starts_at: datetime,
    place: str | None = None,
    actor: Actor,
) -> EventRow:
    """Move an event to another time, or place. Raises NotFound, NotToBeChanged."""
    return change(ports, public_id, Changed(wall, starts_at, place=place or None), actor=actor)


def change(ports: Ports, public_id: UUID, to: Changed, *, actor: Actor, seen: int | None = None) -> EventRow:
    """Move an event, name it anew, or have it for other groups. `seen`: its sequence when somebody opened it.

    Raises NotFound, NotToBeChanged, UnknownAudience.
    """
    check(to)

    def work(tx: Transaction) -> EventRow:
        row = _mine(tx, public_id, actor)
        if seen not in {None, row.sequence}:
            message = "somebody has changed this event since you opened it"
            hint = "look at it as it is now, then keep what you mean"
            raise NotToBeChanged(Problem("changed_since", "was", message, hint))
        new = changed(tx, row, to, actor)
        return row if new == row else _change(tx, row, new, actor)

    return ports.ledger.transact(work)


def outlook(ports: Ports, public_id: UUID, to: Changed | None, *, actor: Actor) -> Outlook:
    """What a change, or None for its cancelling, would lead to, with nothing done. Raises what either raises."""
    if to is not None:
        check(to)

    def work(tx: Transaction) -> Outlook:
        row = _mine(tx, public_id, actor)
        reminded = [each.announcement for each in tx.events.reminded([row.id]) if each.announcement]
        if to is None:
            new, words, joining = replace(row, cancelled_at=tx.now), words_of_cancelling(row), 0
        else:
            new = changed(tx, row, to, actor)
            words = words_of(row, new, whose_now(tx, row, new))
            joining = joining_by(tx, row, new, reminded)
        heard = tx.plans.count_told(reminded) if reminded else 0
        return Outlook(row, new, words if heard else "", heard if words else 0, heard, joining)

    return ports.ledger.transact(work)


def cancel(ports: Ports, public_id: UUID, *, actor: Actor) -> bool:
    """An event does not take place; its reminders go, and those told are told. False where it was cancelled already."""

    def work(tx: Transaction) -> bool:
        row = _mine(tx, public_id, actor)
        if row.cancelled_at is None:
            _cancel(tx, row, actor)
        return row.cancelled_at is None

    return ports.ledger.transact(work)


def _take(tx: Transaction, row: EventRow | None, event: ToldEvent, home: _Home, actor: Actor) -> str:
    if row is None:
        if event.cancelled:
            return "unchanged"
        _new(tx, event, home, actor)
        return "new"
    if event.cancelled:
        if row.cancelled_at is None:
            _cancel(tx, row, actor)
            return "cancelled"
        return "unchanged"
    new = replace(
        row,
        original=event.original,
        title=event.title[:LONGEST],
        place=event.place[:LONGEST],
        audience=event.group or home.audience,
        wall=event.wall,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        cancelled_at=None,
    )
    if new == row:
        return "unchanged"
    _change(tx, row, new, actor)
    return "moved"


def _new(tx: Transaction, event: ToldEvent, home: _Home, actor: Actor) -> EventRow:
    made = EventRow(
        0, uuid6.uuid7(), home.department, event.group or home.audience, home.source, event.uid, event.original,
        event.title[:LONGEST], event.place[:LONGEST], event.wall, event.starts_at, event.ends_at, tx.now, actor.id,
    )  # fmt: skip
    return replace(made, id=tx.events.add(made))


def _change(tx: Transaction, row: EventRow, new: EventRow, actor: Actor) -> EventRow:
    elsewhere, other = is_elsewhere(row, new), says_else(row, new)
    words = words_of(row, new, whose_now(tx, row, new)) if other else ""
    same = (row.title, row.place) == (new.title, new.place) and not is_for_others(row, new)
    new = replace(
        new,
        sequence=row.sequence + 1,
        known_at=tx.now if elsewhere else row.known_at,
        changed_at=tx.now if other else row.changed_at,
        # Or somebody could put words, or groups, of their own under the yes that they gave to a rule.
        made_by=row.made_by if same else actor.id,
    )
    tx.events.keep(new)
    if words:
        tell_the_reminded(tx, new, words, actor)
    elif other:
        remind_anew(tx, new, actor)
    tx.record.add([Entry("event.changed", actor, {"event": str(row.public_id), "sequence": new.sequence})])
    return new


def _cancel(tx: Transaction, row: EventRow, actor: Actor) -> None:
    gone = replace(row, sequence=row.sequence + 1, cancelled_at=tx.now)
    tx.events.keep(gone)
    tell_the_reminded(tx, gone, words_of_cancelling(row), actor)
    tx.record.add([Entry("event.cancelled", actor, {"event": str(row.public_id), "sequence": gone.sequence})])


def _mine(tx: Transaction, public_id: UUID, actor: Actor) -> EventRow:
    row = tx.events.by_public_id(public_id, lock=True)
    if row is None:
        hint = "list them with: carillon events"
        raise NotFound(Problem("not_found", "id", "there is no such event", hint))
    operators.must(tx, actor, OperatorRole.AUTHOR, row.department)
    return row
