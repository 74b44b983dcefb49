"""The climb: duties that one way did not meet go on to the next, judged from the ledger at the transaction's time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from broker.actor import Actor
from broker.announcement import Announcement, Urgency
from broker.errors import RulesUnreadable
from broker.ladders.ladder import Climb, Ladder, Stay, next_move, times
from broker.ports import Ports, Transaction
from broker.ports.ladders import RungWay
from broker.record import Entry
from broker.rules.ladders import LEAST, LOOK_UPS_FIRST
from broker.values import DeliverHint, Lane

MOST_AT_ONCE = 100  # ladders a turn
PAGE = 1_000  # duties a transaction
# Between two looks, for each page of duties: a large ladder costs no more than a small one.
PACE = timedelta(seconds=1)
RESTING = timedelta(seconds=15)  # while nothing waits; a bounce may still come


def climb(ports: Ports, *, actor: Actor) -> int:
    """Look at every ladder whose look is due; returns how many duties climbed. Safe to repeat, and in two workers."""
    with ports.ledger.look() as tx:
        due = tx.ladders.due(limit=MOST_AT_ONCE)
    return sum(climb_one(ports, public_id, actor=actor) for public_id in due)


def climb_one(ports: Ports, public_id: UUID, *, actor: Actor) -> int:
    """Look at one ladder, a page of duties at a time; returns how many duties climbed."""
    turn: _Turn | None = _Turn(_Look())
    climbed = 0
    while turn is not None:
        before = turn
        try:
            turn = ports.ledger.transact(lambda tx, b=before: _page(ports, tx, public_id, b, actor))  # type: ignore[misc]
        except RulesUnreadable:  # the sweep raises the alarm; it goes on when they are mended
            return climbed
        climbed += turn.climbed
        for hint in turn.hints:
            ports.hints.publish(hint)
        turn = turn if turn.after else None
    return climbed


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look found so far, for when to look again."""

    pages: int = 0
    resting: bool = True
    until: datetime | None = None

    def met(self, moves: Sequence[Stay | Climb]) -> _Look:
        """With one page more."""
        stays = [move for move in moves if isinstance(move, Stay)]
        waits = [stay.until for stay in stays if stay.until is not None]
        return _Look(
            self.pages + 1,
            self.resting and all(isinstance(move, Stay) and move.resting for move in moves),
            min([*waits, *([self.until] if self.until else [])], default=None),
        )

    def again(self, now: datetime) -> datetime:
        """At its pace, or when the next way opens by its time."""
        later = now + max(self.pages * PACE, RESTING if self.resting else PACE)
        return later if self.until is None else min(later, max(self.until, now))


@dataclass(frozen=True, slots=True)
class _Turn:
    """What a look came to so far: the duty to go on after, 0 for none, and what there is to send."""

    look: _Look
    after: int = 0
    climbed: int = 0
    hints: Sequence[DeliverHint] = ()


def _page(ports: Ports, tx: Transaction, public_id: UUID, before: _Turn, actor: Actor) -> _Turn:
    over = _Turn(before.look)
    announcement = tx.announcements.by_public_id(public_id, lock=True)
    ladder = tx.ladders.of(announcement.id) if announcement is not None else None
    if announcement is None or ladder is None:
        return over
    if tx.ladders.is_over(announcement):
        tx.ladders.end(announcement.id)
        tx.record.add([Entry("ladder.ended", actor, {"id": str(public_id)}, announcement.id)])
        return over
    if (
        announcement.fanned_out_at is None
        or announcement.corrected_by is not None
        or tx.switches.stands_still(announcement.department)
    ):
        # It is not begun, waits for its correction, or is stopped; looked at each second it would keep others from
        # their turn.
        tx.ladders.looked(announcement.id, look_at=tx.now + RESTING, resting=False)
        return over
    moves, following = foreseen(tx, announcement, ladder, after=before.after, limit=PAGE)
    climbs = {duty: move for duty, move in moves.items() if isinstance(move, Climb)}
    hints = _open(ports, tx, announcement, ladder, climbs, actor)
    look = before.look.met(list(moves.values()))
    if following is None:
        tx.ladders.looked(announcement.id, look_at=look.again(tx.now), resting=look.resting)
    return _Turn(look, following or 0, len(climbs), hints)


def foreseen(
    tx: Transaction, announcement: Announcement, ladder: Ladder, *, after: int, limit: int
) -> tuple[Mapping[int, Stay | Climb], int | None]:
    """Where the next duties that may still climb go from where they stand, by their ids; and after which to go on.

    Reads only. Nothing of what is not planned yet.
    """
    if announcement.fanned_out_at is None:
        return {}, None
    rules = tx.rules.current()
    begun, least = _begun(tx, announcement, announcement.fanned_out_at), rules.duration(LEAST)
    standing, following = tx.ladders.standing(announcement, ladder, after=after, limit=limit)
    first = rules.yes(LOOK_UPS_FIRST)
    begins = {one.duty: max(begun, one.again_at or begun) for one in standing}
    opens = {at: times(ladder, announcement.due_at, at, least) for at in set(begins.values())}
    moves = {
        one.duty: next_move(one, opens[begins[one.duty]], tx.now, look_ups_first=first, least=least)
        for one in standing
    }
    return moves, following


def _begun(tx: Transaction, announcement: Announcement, planned_at: datetime) -> datetime:
    """Since when it could leave: where it was stopped meanwhile, each way has its least once it is let go."""
    return max(planned_at, tx.switches.let_go_at(announcement.department) or planned_at)


def _open(
    ports: Ports,
    tx: Transaction,
    announcement: Announcement,
    ladder: Ladder,
    climbs: Mapping[int, Climb],
    actor: Actor,
) -> Sequence[DeliverHint]:
    """Put them on their new rungs, and tell the record why: the duty, the step, the reason."""
    if not climbs:
        return ()
    ways = _ways(ports, tx, announcement, {climb.step for climb in climbs.values()})
    added = tx.ladders.open(announcement, climbs, ways, sheet=ladder.sheet)
    told = [[duty, climb.step, climb.why.value] for duty, climb in sorted(climbs.items())]
    facts = {"rungs": told, "deliveries_added": added}
    tx.record.add([Entry("ladder.climbed", actor, facts, announcement.id)])
    lane = Lane.URGENT if announcement.urgency is Urgency.URGENT else Lane.ROUTINE
    return [DeliverHint(way.account.name, way.channel, lane) for way in ways] if added else ()


def _ways(ports: Ports, tx: Transaction, announcement: Announcement, steps: set[int]) -> Sequence[RungWay]:
    """The ways of these steps that there are; one whose account is gone, or a broadcast, tells nobody."""
    found = []
    for place in sorted(steps):
        for channel in announcement.ways[place].channels if place < len(announcement.ways) else ():
            account = tx.accounts.for_channel(channel, announcement.department)
            kind = ports.channels.traits(channel).address_kind if channel in ports.channels.names() else None
            if account is not None and kind is not None:
                found.append(RungWay(place, channel, account, kind))
    return found
