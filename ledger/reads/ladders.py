"""The ladder of an announcement: who is on which rung, by which ways each was told, and why the next one opened."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, text

from broker.address import AddressKind
from broker.announcement import Announcement
from broker.delivery import State
from broker.duty import DutyState
from broker.ladders.ladder import SHEET, Climbed, Ladder, Outcome, outcome
from ledger import tables as t
from ledger.announcements import Announcements
from ledger.hand import Hand
from ledger.ladders.ladders import Ladders
from ledger.office.reaches import group_of
from ledger.reads import duties
from ledger.reads.reached import NO_KINDS, PAGE, Told, reached


@dataclass(frozen=True, slots=True)
class Rung:
    """One step for one person: what each of its ways came to, when it opened and why. `sheet` sends nothing."""

    step: int
    name: str
    ways: Mapping[str, Outcome]
    opened_at: datetime | None
    why: Climbed | None
    sheet: bool = False

    @property
    def outcome(self) -> Outcome:
        """What it came to as a whole: the best of its ways."""
        found = set(self.ways.values())
        return next((one for one in _BEST if one in found), Outcome.NOT_APPLICABLE)


_BEST = (
    Outcome.ON_SHEET,
    Outcome.DELIVERED,
    Outcome.SENT,
    Outcome.WAITING,
    Outcome.UNCERTAIN,
    Outcome.FAILED,
    Outcome.CLOSED,
)


@dataclass(frozen=True, slots=True)
class Climber:
    """One person's duty and its ladder. `rung` is the highest step that is open; `seen_at`: it was acknowledged."""

    duty: int
    person: UUID
    name: str = field(repr=False)
    group: str
    state: DutyState
    rung: int
    rungs: tuple[Rung, ...]
    seen_at: datetime | None
    why: str
    told: Told = field(repr=False)  # the same as everybody's, with each message that tells of them


@dataclass(frozen=True, slots=True)
class Laddered:
    """An announcement, when each of its ways opens (None: it has no ways in order), and how many stand on each rung."""

    announcement: Announcement
    ladder: Ladder | None
    counted: Mapping[int, Mapping[DutyState, int]]

    @property
    def names(self) -> Sequence[Sequence[str]]:
        """The ways of each rung, the slip sheet last."""
        return [*(step.channels for step in self.announcement.ways), (SHEET,)]


def laddered(hand: Hand, public_id: UUID) -> Laddered | None:
    """The ladder of an announcement as a whole, for those who answer for it; None where there is no such one."""
    announcement = Announcements(hand).by_public_id(public_id)
    if announcement is None:
        return None
    ladder = Ladders(hand).of(announcement.id)
    return Laddered(announcement, ladder, {} if ladder is None else _on_rungs(hand, announcement))


def _on_rungs(hand: Hand, announcement: Announcement) -> Mapping[int, Mapping[DutyState, int]]:
    """Step → how many duties stand there, by their state; steps on which nobody stands are left out."""
    each = duties.facts(announcement.id).subquery("each")
    highest = (
        select(t.rung.c.duty_id, func.max(t.rung.c.step).label("step"))
        .join(t.duty, t.duty.c.id == t.rung.c.duty_id)
        .where(t.duty.c.announcement_id == announcement.id)
        .group_by(t.rung.c.duty_id)
        .subquery("highest")
    )
    step = func.coalesce(highest.c.step, 0).label("step")
    columns = [step, *(each.c[name] for name in duties.FACTS)]
    rows = hand.connection.execute(
        select(*columns, func.count().label("n"))
        .select_from(each.outerjoin(highest, highest.c.duty_id == each.c.duty_id))
        .group_by(*columns)
    )
    over = duties.is_over(hand, announcement)
    found: dict[int, Counter[DutyState]] = defaultdict(Counter)
    for row in rows:
        found[row.step][duties.state_of(row, announcement, over=over)] += row.n
    return {step: dict(found[step]) for step in sorted(found)}


def climbers(
    hand: Hand,
    announcement: Announcement,
    *,
    rung: int | None = None,
    unmet: bool = False,
    after: int = 0,
    limit: int = PAGE,
    kinds: Mapping[str, AddressKind] = NO_KINDS,
) -> Sequence[Climber]:
    """The next duties of an announcement after a duty's id, each with its ladder; empty at the end.

    `rung`: only those who stand there; `unmet` and `kinds` as for `reached`.
    """
    among = () if rung is None else (_highest() == rung,)
    page = reached(hand, announcement, after=after, limit=limit, unmet=unmet, among=among, kinds=kinds)
    ids = [one.duty for one in page]
    opened = _opened(hand, ids)
    said = _said(hand, ids)
    return [_climber(announcement, one, opened[one.duty], *said[one.duty]) for one in page]


def climber(
    hand: Hand, announcement: Announcement, duty: int, *, kinds: Mapping[str, AddressKind] = NO_KINDS
) -> Climber | None:
    """One duty with its ladder; None where the announcement has no such duty."""
    found = climbers(hand, announcement, after=duty - 1, limit=1, kinds=kinds)
    return found[0] if found and found[0].duty == duty else None


def _highest() -> ColumnElement[int]:
    """The step on which a duty stands."""
    steps = select(func.max(t.rung.c.step)).where(t.rung.c.duty_id == t.duty.c.id).correlate(t.duty)
    return func.coalesce(steps.scalar_subquery(), 0)


def _climber(
    announcement: Announcement,
    one: Told,
    opened: Mapping[int, tuple[datetime, Climbed]],
    group: str,
    seen_at: datetime | None,
) -> Climber:
    states: dict[str, set[State]] = defaultdict(set)
    for way in one.ways:
        states[way.channel].add(way.state)
    planned = announcement.fanned_out_at is not None
    rungs = []
    for place, step in enumerate(announcement.ways):
        # A correction goes where the wrong text went, and what is said again may go by all ways, whatever has opened.
        went = any(name in states for name in step.channels)
        is_open = planned if place == 0 else place in opened or went
        at, why = opened.get(place, (announcement.fanned_out_at if place == 0 else None, None))
        ways = {name: outcome(states[name], opened=is_open) for name in step.channels}
        rungs.append(Rung(place, " and ".join(step.channels), ways, at, why))
    sheet = len(announcement.ways)
    if sheet in opened:
        rungs.append(Rung(sheet, SHEET, {SHEET: Outcome.ON_SHEET}, *opened[sheet], sheet=True))
    else:
        rungs.append(Rung(sheet, SHEET, {SHEET: Outcome.CLOSED}, None, None, sheet=True))
    rung = max(opened, default=0)
    return Climber(
        one.duty, one.person, one.name, group, one.state, rung, tuple(rungs), seen_at, one.why, one
    )


def _opened(hand: Hand, ids: Sequence[int]) -> Mapping[int, Mapping[int, tuple[datetime, Climbed]]]:
    rows = hand.connection.execute(
        select(t.rung).where(text(hand.dialect.any_of("rung.duty_id", "duties"))).order_by(t.rung.c.step),
        {"duties": hand.dialect.ids(ids)},
    )
    found: dict[int, dict[int, tuple[datetime, Climbed]]] = defaultdict(dict)
    for row in rows:
        found[row.duty_id][row.step] = (row.opened_at, Climbed(row.code))
    return found


def _said(hand: Hand, ids: Sequence[int]) -> Mapping[int, tuple[str, datetime | None]]:
    rows = hand.connection.execute(
        select(t.duty.c.id, group_of().label("place"), t.duty.c.acknowledged_at)
        .join(t.person, t.person.c.id == t.duty.c.person_id)
        .where(text(hand.dialect.any_of("duty.id", "duties"))),
        {"duties": hand.dialect.ids(ids)},
    )
    return {row.id: (row.place, row.acknowledged_at) for row in rows}
