"""The reach statement of an announcement that was sent: the same as before sending, from its duties.

And how many messages each family has had lately, whatever they were about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, and_, func, select, text

from broker.address import AddressKind
from broker.announcement import Announcement
from broker.delivery import REACHED
from broker.duty import DutyState
from broker.office.reach import Statement, Untold, Way
from broker.rosters.roster import as_listed
from ledger import tables as t
from ledger.hand import Hand
from ledger.office.reaches import called, group_of
from ledger.reads import duties
from ledger.reads.reached import PAGE, Told, reached

WEEK = timedelta(days=7)
_WENT = t.delivery.c.state.in_([state.value for state in REACHED])


def after(hand: Hand, announcement: Announcement, kinds: Mapping[str, AddressKind]) -> Statement:
    """Who was told and who was not, by what the ledger knows now. `kinds`: what its personal ways go to."""
    people = hand.connection.execute(
        select(func.count()).where(t.duty.c.announcement_id == announcement.id)
    ).scalar_one()
    went = {row.channel: Way(row.addresses, row.people) for row in _went(hand, announcement.id)}
    channels = [name for step in announcement.ways for name in step.channels]
    public = _public(hand, announcement.id)
    # Who is not untold was told: weighing every duty a second time, to count them, costs as much as all the rest.
    untold = [*_untold(hand, announcement, kinds)]
    for_anybody = not untold and duties.is_for_anybody(hand, announcement)
    return Statement(
        people=people,
        reached=0 if for_anybody else people - len(untold),
        ways={name: went.get(name, Way(0, 0)) for name in channels if name not in public},
        public=tuple(name for name in channels if name in public),
        untold=sorted((one for one, _ in untold), key=lambda one: (as_listed(one.group), one.name)),
        open=sum(state is DutyState.OPEN for _, state in untold),
        for_anybody=for_anybody,
    )


def _went(hand: Hand, announcement: int) -> Iterable[_Went]:
    rows = hand.connection.execute(
        select(
            t.delivery.c.channel,
            func.count(t.delivery.c.id.distinct()),
            func.count(t.delivery_covers.c.duty_id.distinct()),
        )
        .join(
            t.delivery_covers,
            and_(t.delivery_covers.c.delivery_id == t.delivery.c.id, ~t.delivery_covers.c.dropped),
        )
        .where(t.delivery.c.announcement_id == announcement, t.delivery.c.address_id.is_not(None), _WENT)
        .group_by(t.delivery.c.channel)
    )
    return [_Went(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class _Went:
    channel: str
    addresses: int
    people: int


def _public(hand: Hand, announcement: int) -> frozenset[str]:
    """The ways that spoke to everybody."""
    query = select(t.delivery.c.channel).where(
        t.delivery.c.announcement_id == announcement, t.delivery.c.address_id.is_(None)
    )
    return frozenset(hand.connection.execute(query).scalars())


def _untold(
    hand: Hand, announcement: Announcement, kinds: Mapping[str, AddressKind]
) -> Iterable[tuple[Untold, DutyState]]:
    after_duty = 0
    while page := reached(hand, announcement, after=after_duty, limit=PAGE, unmet=True, kinds=kinds):
        places = _places(hand, page)
        for one in page:
            yield Untold(one.person, one.name, places[one.duty], one.why), one.state
        if len(page) < PAGE:
            return  # one more question would weigh every duty again to find none
        after_duty = page[-1].duty


def _places(hand: Hand, page: Sequence[Told]) -> dict[int, str]:
    """Duty → where the person is found."""
    rows = hand.connection.execute(
        select(t.duty.c.id, group_of())
        .join(t.person, t.person.c.id == t.duty.c.person_id)
        .where(text(hand.dialect.any_of("duty.id", "duties"))),
        {"duties": hand.dialect.ids([one.duty for one in page])},
    )
    return {row[0]: row[1] for row in rows}


# --- a family's week ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FamilyWeek:
    """What one family had in the last seven days: its pupils by name, and how many messages."""

    pupils: str = field(repr=False)
    group: str
    messages: int


@dataclass(frozen=True, slots=True)
class Week:
    """How many messages families had in the last seven days; `families` are those that had any, the most first."""

    messages: int
    families: Sequence[FamilyWeek]


def week(hand: Hand, among: Select[Any] | None = None) -> Week:
    """Count what went to each family's addresses, about whomever; `among`: of families with one of these pupils alone.

    A family is the pupils whose first unblocked guardian is the same; its addresses are those of all their unblocked
    guardians and their own. One message to an address that two families hold counts for both.
    """
    went = (
        select(t.delivery.c.address_id, func.count().label("n"))
        .join(t.announcement, t.announcement.c.id == t.delivery.c.announcement_id)
        .where(t.announcement.c.due_at > hand.now - WEEK, t.delivery.c.address_id.is_not(None), _WENT)
        .group_by(t.delivery.c.address_id)
        .cte("went")
    )
    family = _families(among).cte("family")
    holder = select(family.c.family_id, family.c.pupil_id.label("holder_id")).union(
        select(family.c.family_id, t.guardianship.c.guardian_id)
        .join(t.guardianship, t.guardianship.c.pupil_id == family.c.pupil_id)
        .where(~t.guardianship.c.blocked)
    )
    held = holder.subquery("holder")
    addresses = (
        select(held.c.family_id, t.person_address.c.address_id)
        .distinct()
        .join(t.person_address, t.person_address.c.person_id == held.c.holder_id)
        .cte("addresses")
    )
    had = (
        select(addresses.c.family_id, func.sum(went.c.n).label("n"))
        .join(went, went.c.address_id == addresses.c.address_id)
        .group_by(addresses.c.family_id)
        .cte("had")
    )
    rows = hand.connection.execute(
        select(had.c.family_id, had.c.n, called(), group_of())
        .join(family, family.c.family_id == had.c.family_id)
        .join(t.person, t.person.c.id == family.c.pupil_id)
        .order_by(had.c.n.desc(), had.c.family_id, t.person.c.id)
    )
    found: dict[int, FamilyWeek] = {}
    for family_id, n, name, group in rows:
        known = found.get(family_id)
        pupils, groups = (f"{known.pupils}, {name}", f"{known.group}, {group}") if known else (name, group)
        found[family_id] = FamilyWeek(pupils, groups, int(n))
    sums = select(func.coalesce(func.sum(went.c.n), 0))
    if among is not None:
        sums = sums.where(went.c.address_id.in_(select(addresses.c.address_id)))
    total = hand.connection.execute(sums).scalar_one()
    return Week(int(total), list(found.values()))


def _families(among: Select[Any] | None) -> Select[Any]:
    place = func.row_number().over(
        partition_by=t.guardianship.c.pupil_id,
        order_by=(t.guardianship.c.priority, t.guardianship.c.guardian_id),
    )
    ranked = (
        select(t.guardianship.c.pupil_id, t.guardianship.c.guardian_id, place.label("place"))
        .join(t.person, t.person.c.id == t.guardianship.c.pupil_id)
        .where(~t.guardianship.c.blocked, t.person.c.active)
        .subquery("ranked")
    )
    families = select(ranked.c.pupil_id, ranked.c.guardian_id.label("family_id")).where(ranked.c.place == 1)
    if among is None:
        return families
    every, meant = families.subquery("every"), families.subquery("meant")
    theirs = select(meant.c.family_id).where(meant.c.pupil_id.in_(among))
    return select(every).where(every.c.family_id.in_(theirs))
