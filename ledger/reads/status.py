"""Where an announcement stands: its stage, every channel's counters, its duties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, literal_column, select, union_all

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
    both = union_all(
        *(
            select(table.c.announcement_id, table.c.channel, table.c.state, table.c.n).where(
                table.c.announcement_id.in_(announcements)
            )
            for table in (t.tally, t.tally_delta)
        )
    ).subquery()
    by = (both.c.announcement_id, both.c.channel, both.c.state)
    found: dict[int, dict[str, dict[State, int]]] = {}
    for row in hand.connection.execute(
        select(*by, func.sum(both.c.n).label("n")).group_by(*by).order_by(*by)
    ):
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
    return quiet.keys() - _still_to_come(hand, going_on, uncertain)


def _still_to_come(hand: Hand, going_on: Set[int], uncertain: Set[int]) -> Set[int]:
    """Where a further way may open without anything happening, and where something uncertain will be asked about."""
    asked: list[Select[Any]] = []
    if going_on:  # a ladder that was looked at last while it waited
        waits = t.ladder.c.announcement_id.in_(going_on)
        asked.append(select(t.ladder.c.announcement_id).where(waits, ~t.ladder.c.resting))
    if uncertain:
        d = t.delivery.c
        doubtful = (
            d.announcement_id.in_(uncertain),
            d.state == literal_column(f"'{State.UNCERTAIN.value}'"),
            d.lookup_at.is_not(None),
        )
        asked.append(select(d.announcement_id).distinct().where(*doubtful))
    return set(hand.connection.execute(union_all(*asked)).scalars()) if asked else set()
