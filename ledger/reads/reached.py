"""Who got it, by which way, and who did not, and why. Names stand here: it is shown to those who answer for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, or_, select, text

from broker.address import AddressKind, mask
from broker.announcement import Announcement
from broker.delivery import REACHED, State, describe
from broker.duty import DutyState, Unreached
from broker.office.reach import in_one, nothing_there
from ledger import tables as t
from ledger.hand import Hand
from ledger.office.reaches import Reaches
from ledger.reads import duties

PAGE = 1_000
STRETCH = 2_500  # duties
NO_KINDS: Mapping[str, AddressKind] = {}


@dataclass(frozen=True, slots=True)
class Way:
    """One delivery that covers somebody. `address` is masked; `why` is a sentence, empty when all went well."""

    delivery: int
    channel: str
    address: str
    state: State
    why: str


@dataclass(frozen=True, slots=True)
class Told:
    """One person a duty is about, and how it stands. `why` says what stands in the way of an unmet one."""

    duty: int
    person: UUID
    name: str = field(repr=False)
    state: DutyState
    ways: tuple[Way, ...]
    why: str


def reached(
    hand: Hand,
    announcement: Announcement,
    *,
    after: int = 0,
    limit: int = PAGE,
    unmet: bool = False,
    among: Sequence[ColumnElement[bool]] = (),
    kinds: Mapping[str, AddressKind] = NO_KINDS,
) -> Sequence[Told]:
    """The next duties of an announcement after a duty's id, in the order of ids; empty at the end.

    None of what is for anybody to read: it was not meant to reach one person more than another.

    `unmet`: only those whom nothing reached yet; `among`: only duties of which this holds. `kinds` is what the
    personal ways go to (`broker.office.reach.kinds_of`): with it, who has no address is told of by each way, and
    whether something unusable stands there.
    """
    if duties.is_for_anybody(hand, announcement):
        return []
    each = duties.facts(announcement.id).where(t.duty.c.id > after, *among).order_by(t.duty.c.id).limit(limit)
    return _those(hand, announcement, _rows(hand, each, unmet=unmet, order="duty_id"), kinds)


def reached_in_order(
    hand: Hand,
    announcement: Announcement,
    *,
    after: int = 0,
    limit: int = PAGE,
    unmet: bool = False,
    only: DutyState | None = None,
    kinds: Mapping[str, AddressKind] = NO_KINDS,
) -> tuple[Sequence[Told], int | None]:
    """The same in the order in which its people are kept, and where the next page begins; None at the end.

    That order has an index, so no page costs more than another. Of the unmet, and of those in `only` one state, a
    stretch is looked through at a time: a page may be short, or empty, and yet have a next.
    """
    if duties.is_for_anybody(hand, announcement):
        return [], None
    met = only is DutyState.MET
    unmet = unmet or (only is not None and not met)
    d, look = t.duty.c, STRETCH if unmet or met else limit
    theirs = (d.announcement_id == announcement.id, d.person_id > after)
    ahead = hand.connection.execute(select(d.person_id).where(*theirs).order_by(d.person_id).limit(look))
    people = ahead.scalars().all()
    if not people:
        return [], None
    each = duties.facts(announcement.id).where(d.person_id > after, d.person_id <= people[-1])
    rows = _rows(hand, each.order_by(d.person_id).limit(limit), unmet=unmet, met=met, order="person_id")
    if len(rows) == limit:
        more = rows[-1].person_id if rows[-1].person_id < people[-1] or len(people) == look else None
    else:
        more = people[-1] if len(people) == look else None
    found = _those(hand, announcement, rows, kinds)
    return [one for one in found if only in (None, one.state)], more


def unmet_in_order(
    hand: Hand,
    announcement: Announcement,
    *,
    after: int = 0,
    limit: int = PAGE,
    only: DutyState | None = None,
    kinds: Mapping[str, AddressKind] = NO_KINDS,
) -> tuple[Sequence[Told], int | None]:
    """The unmet alone, and where the next page begins: found however few they are among however many.

    Each duty before the last of a page is looked up once, so of a school of fifty thousand where hardly anybody is left
    it takes a moment; `reached_in_order` never does, and has pages with nobody on them. Of `only` one state a page may
    be short.
    """
    if duties.is_for_anybody(hand, announcement):
        return [], None
    d = t.duty.c
    told_by = (
        select(t.delivery_covers.c.duty_id)
        .join(t.delivery, t.delivery.c.id == t.delivery_covers.c.delivery_id)
        .where(
            t.delivery_covers.c.duty_id == d.id,
            ~t.delivery_covers.c.dropped,
            t.delivery.c.address_id.is_not(None),
            t.delivery.c.state.in_([state.value for state in REACHED]),
        )
        .correlate(t.duty)
    )
    theirs = d.announcement_id == announcement.id, d.person_id > after, d.acknowledged_at.is_(None)
    ahead = select(d.person_id).where(*theirs, ~told_by.exists()).order_by(d.person_id).limit(limit + 1)
    people = hand.connection.execute(ahead).scalars().all()
    if not people:
        return [], None
    each = duties.facts(announcement.id).where(d.person_id.in_(people[:limit]))
    rows = _rows(hand, each, unmet=True, order="person_id")
    found = _those(hand, announcement, rows, kinds)
    more = people[limit - 1] if len(people) > limit else None
    return [one for one in found if only in (None, one.state)], more


def _rows(hand: Hand, each: Select[Any], *, unmet: bool, order: str, met: bool = False) -> Sequence[Row[Any]]:
    if unmet:
        each = each.where(t.duty.c.acknowledged_at.is_(None)).having(~duties.was_reached())
    if met:
        each = each.having(or_(t.duty.c.acknowledged_at.is_not(None), duties.was_reached()))
    facts = each.subquery("facts")
    name = func.coalesce(t.person.c.preferred_name, t.person.c.given_name)
    return hand.connection.execute(
        select(facts, t.person.c.public_id, name.label("given"), t.person.c.family_name)
        .join(t.person, t.person.c.id == facts.c.person_id)
        .order_by(facts.c[order])
    ).all()


def _those(
    hand: Hand, announcement: Announcement, rows: Sequence[Row[Any]], kinds: Mapping[str, AddressKind]
) -> Sequence[Told]:
    if not rows:
        return []
    ways = _ways(hand, [row.duty_id for row in rows])
    over = duties.is_over(hand, announcement)
    exact = _exact(hand, announcement, rows, kinds) if kinds else {}
    return [
        _told(row, duties.state_of(row, announcement, over=over), tuple(ways[row.duty_id]), exact)
        for row in rows
    ]


def _exact(
    hand: Hand, announcement: Announcement, rows: Sequence[Any], kinds: Mapping[str, AddressKind]
) -> Mapping[UUID, str]:
    bare = [row.person_id for row in rows if row.unreached == Unreached.NO_ADDRESS.code]
    return {
        one.public_id: in_one((name, nothing_there(one, kind)) for name, kind in kinds.items())
        for one in (Reaches(hand).lacking(announcement.people, bare) if bare else ())
    }


def _ways(hand: Hand, wanted: Sequence[int]) -> defaultdict[int, list[Way]]:
    # By their ids and not by the range between: the unmet few of a large school lie far apart. Of whichever
    # announcement: one that says it again covers the duties of the first.
    rows = hand.connection.execute(
        select(t.delivery_covers.c.duty_id, t.delivery, t.address.c.kind, t.address.c.value)
        .join(t.delivery_covers, t.delivery_covers.c.delivery_id == t.delivery.c.id)
        .join(t.address, t.address.c.id == t.delivery.c.address_id)
        .where(
            text(hand.dialect.any_of("delivery_covers.duty_id", "duties")),
            ~t.delivery_covers.c.dropped,
        )
        .order_by(t.delivery.c.id),
        {"duties": hand.dialect.ids(wanted)},
    )
    found: defaultdict[int, list[Way]] = defaultdict(list)
    for row in rows:
        masked = mask(AddressKind(row.kind), row.value)
        found[row.duty_id].append(Way(row.id, row.channel, masked, State(row.state), row.why))
    return found


def _told(row: Any, state: DutyState, ways: tuple[Way, ...], exact: Mapping[UUID, str]) -> Told:
    name = f"{row.given} {row.family_name}".strip()
    why = _why(row, state, ways)
    if state is not DutyState.MET:
        why = exact.get(row.public_id, why)
    return Told(row.duty_id, row.public_id, name, state, ways, why)


def _why(row: Any, state: DutyState, ways: tuple[Way, ...]) -> str:
    if state is DutyState.MET:
        return "" if any(way.state in REACHED for way in ways) else "acknowledged"
    if row.unreached:
        return Unreached.of(row.unreached).value
    sayings = dict.fromkeys(f"{way.channel}: {way.why or describe(way.state)}" for way in ways)
    if sayings:
        return "; ".join(sayings)
    return "not planned yet" if state is DutyState.OPEN else "nothing is left to try"
