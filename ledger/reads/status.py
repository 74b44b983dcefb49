"""Where an announcement stands: its stage, every channel's counters, its duties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, literal, literal_column, select, union_all

from broker.announcement import Announcement, Stage, stage
from broker.delivery import REACHED, State
from broker.duty import DutyState
from broker.ports.approvals import Author
from ledger import tables as t
from ledger.announcements import Announcements
from ledger.authority.approvals import Approvals
from ledger.hand import Hand
from ledger.reads import duties

Channels = Mapping[str, Mapping[State, int]]
CLIMBING, LOOKED_FOR = "climbing", "looked for"  # beside the states of deliveries


@dataclass(frozen=True, slots=True)
class Status:
    """One announcement at one moment. `channels` holds only states that occur; `settled` is the glossary's.

    `retracting`: public deliveries that stand although it is withdrawn, and are being taken back. `for_anybody`: it
    went by ways alone that everybody reads, and nobody is counted for it.
    """

    announcement: Announcement
    stage: Stage
    channels: Mapping[str, Mapping[State, int]]
    duties: Mapping[DutyState, int]
    settled: bool
    author: Author
    retracting: int = 0
    for_anybody: bool = False


def status(hand: Hand, public_id: UUID) -> Status | None:
    """The status of an announcement, None when the ledger has none of this id."""
    announcement = Announcements(hand).by_public_id(public_id)
    if announcement is None:
        return None
    channels = tallies(hand, announcement.id)
    counted = duties.count(hand, announcement)
    return Status(
        announcement,
        stage(announcement, hand.now),
        channels,
        counted,
        is_settled(hand, announcement, channels),
        Approvals(hand).author(announcement),
        retracting(hand, announcement.id) if announcement.withdrawn_at is not None else 0,
        not any(counted.values()) and duties.is_for_anybody(hand, announcement),
    )


def tallies(hand: Hand, announcement: int) -> Mapping[str, Mapping[State, int]]:
    """Channel → state → how many deliveries: the folded counters and what is not folded yet."""
    return tallies_of(hand, [announcement]).get(announcement, {})


def tallies_of(hand: Hand, announcements: Sequence[int]) -> Mapping[int, Mapping[str, Mapping[State, int]]]:
    """The same for several announcements in one question; one without deliveries is left out."""
    return _read(hand.connection.execute(_tallies(announcements)))


def standing_of(
    hand: Hand, these: Sequence[Announcement]
) -> tuple[Mapping[int, Mapping[str, Mapping[State, int]]], Set[int]]:
    """The tallies of several announcements, and which of them are settled, all in one question."""
    ids = [one.id for one in these]
    nothing, count = literal("").label("channel"), literal(0).label("n")
    to_come = [
        select(each.subquery().c.announcement_id, nothing, literal(word).label("state"), count)
        for word, each in ((CLIMBING, _climbing(ids)), (LOOKED_FOR, _looked_for(ids)))
    ]
    rows = hand.connection.execute(union_all(select(_tallies(ids).subquery()), *to_come)).all()
    tallies = _read(row for row in rows if row.channel)
    climbing = {row.announcement_id for row in rows if row.state == CLIMBING}
    looked_for = {row.announcement_id for row in rows if row.state == LOOKED_FOR}
    with_tallies = [(one, tallies.get(one.id, {})) for one in these]
    quiet, going_on, uncertain = _quiet(hand, with_tallies)
    return tallies, quiet - (climbing & going_on) - (looked_for & uncertain)


def _tallies(announcements: Sequence[int]) -> Select[Any]:
    both = union_all(
        *(
            select(table.c.announcement_id, table.c.channel, table.c.state, table.c.n).where(
                table.c.announcement_id.in_(announcements)
            )
            for table in (t.tally, t.tally_delta)
        )
    ).subquery()
    by = (both.c.announcement_id, both.c.channel, both.c.state)
    return select(*by, func.sum(both.c.n).label("n")).group_by(*by)


def _read(rows: Iterable[Any]) -> Mapping[int, Mapping[str, Mapping[State, int]]]:
    found: dict[int, dict[str, dict[State, int]]] = {}
    for row in sorted(rows, key=lambda row: (row.announcement_id, row.channel, row.state)):
        states = found.setdefault(row.announcement_id, {}).setdefault(row.channel, {})
        if row.n:
            states[State(row.state)] = int(row.n)
    return found


def retracting(hand: Hand, announcement: int) -> int:
    """How many public deliveries of an announcement left and are still to be taken back."""
    reached = t.delivery.c.state.in_([state.value for state in REACHED])
    return hand.connection.execute(
        select(func.count())
        .select_from(t.retraction.join(t.delivery, t.delivery.c.id == t.retraction.c.delivery_id))
        .where(t.delivery.c.announcement_id == announcement, reached)
    ).scalar_one()


def is_settled(hand: Hand, announcement: Announcement, channels: Channels) -> bool:
    """Whether everything planned is settled (glossary), and everything is planned."""
    return bool(settled_of(hand, [(announcement, channels)]))


def settled_of(hand: Hand, these: Sequence[tuple[Announcement, Channels]]) -> Set[int]:
    """Which of several announcements are, in one question however many they are."""
    quiet, going_on, uncertain = _quiet(hand, these)
    asked = [_climbing(sorted(going_on))] if going_on else []
    asked += [_looked_for(sorted(uncertain))] if uncertain else []
    return quiet - set(hand.connection.execute(union_all(*asked)).scalars()) if asked else quiet


def _quiet(
    hand: Hand, these: Sequence[tuple[Announcement, Channels]]
) -> tuple[frozenset[int], frozenset[int], frozenset[int]]:
    """Where nothing moves; of these, where the time is not over; and where something is uncertain."""
    quiet = {
        announcement.id: channels
        for announcement, channels in these
        if (announcement.fanned_out_at is not None or duties.is_over(hand, announcement))
        and not any(State.QUEUED in states or State.SENDING in states for states in channels.values())
    }
    going_on = {one.id for one, _ in these if one.id in quiet and not duties.is_over(hand, one)}
    uncertain = {
        number
        for number, channels in quiet.items()
        if any(State.UNCERTAIN in states for states in channels.values())
    }
    return frozenset(quiet), frozenset(going_on), frozenset(uncertain)


def _climbing(these: Sequence[int]) -> Select[Any]:
    """Where a further way may open without anything happening: a ladder that was looked at last while it waited."""
    return select(t.ladder.c.announcement_id).where(
        t.ladder.c.announcement_id.in_(these), ~t.ladder.c.resting
    )


def _looked_for(these: Sequence[int]) -> Select[Any]:
    """Where something uncertain will still be asked about."""
    d = t.delivery.c
    uncertain = d.state == literal_column(f"'{State.UNCERTAIN.value}'")
    return (
        select(d.announcement_id)
        .distinct()
        .where(d.announcement_id.in_(these), uncertain, d.lookup_at.is_not(None))
    )
