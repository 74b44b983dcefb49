"""Whom an announcement would reach, before anything is written: per way how many, and by name who not and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, case, exists, func, literal, select, union_all

from broker.address import AddressKind
from broker.announcement import People, Purpose
from broker.audience import Audience
from broker.duty import Unreached
from ledger import tables as t
from ledger.audience import addresses_for, members, why_unreached
from ledger.hand import Hand

OPTED_OUT = "asked for no more messages"
NO_CONSENT = "no consent for promotional messages is on record"
NAMES = 500  # more are counted, not listed


@dataclass(frozen=True, slots=True)
class Reach:
    """One way: how many addresses it would use, how many people that tells, and how many said stop on it."""

    addresses: int
    people: int
    opted_out: int


@dataclass(frozen=True, slots=True)
class Unheard:
    """Somebody whom no way reaches."""

    name: str = field(repr=False)
    why: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The reach of an announcement: `people` duties, of which `unreached` have no way; the first are named."""

    people: int
    ways: Mapping[str, Reach]
    unreached: int
    named: Sequence[Unheard]


def preview(
    hand: Hand,
    audience: Audience,
    people: People,
    ways: Mapping[str, AddressKind],
    *,
    today: date,
    purpose: Purpose = Purpose.SERVICE,
) -> Preview:
    """`ways` are the direct channels it would go by, each with the kind of address it uses."""
    told = members(audience, people, today).cte("told")
    tries = _tries(told, people, ways, purpose).cte("tries")
    run = hand.connection.execute
    counted = run(select(func.count()).select_from(told)).scalar_one()
    allowed = and_(tries.c.opted_out == 0, tries.c.consented == 1)
    rows = run(
        select(
            tries.c.channel,
            func.count(case((allowed, tries.c.address_id)).distinct()).label("addresses"),
            func.count(case((allowed, tries.c.person_id)).distinct()).label("people"),
            func.count(case((tries.c.opted_out == 1, tries.c.address_id)).distinct()).label("opted_out"),
        ).group_by(tries.c.channel)
    )
    found = {row.channel: Reach(row.addresses, row.people, row.opted_out) for row in rows}
    lost = ~exists().where(tries.c.person_id == told.c.person_id, allowed)
    unreached = run(select(func.count()).select_from(told).where(lost)).scalar_one()
    return Preview(
        people=counted,
        ways={channel: found.get(channel, Reach(0, 0, 0)) for channel in ways},
        unreached=unreached,
        named=_names(hand, people, told, tries, lost) if unreached else (),
    )


def _tries(told: Any, people: People, ways: Mapping[str, AddressKind], purpose: Purpose) -> Any:
    """SELECT channel, person_id, address_id, opted_out, consented for each way there is to somebody."""
    reach = addresses_for(people).subquery("reach")
    each = [
        select(
            literal(channel).label("channel"),
            told.c.person_id,
            reach.c.address_id,
            _flag(_opted_out(channel)).label("opted_out"),
            _consented(channel, purpose).label("consented"),
        )
        .select_from(told)
        .join(reach, reach.c.person_id == told.c.person_id)
        .join(t.address, t.address.c.id == reach.c.address_id)
        .where(reach.c.kind == kind.value)
        for channel, kind in ways.items()
    ]
    if each:
        return union_all(*each) if len(each) > 1 else each[0]
    nothing = literal(None, t.Id)
    columns = [told.c.person_id, nothing.label("address_id")]
    flags = [literal(0).label("opted_out"), literal(0).label("consented")]
    return select(literal("").label("channel"), *columns, *flags).where(literal(1) == literal(0))


def _opted_out(channel: str) -> ColumnElement[bool]:
    return exists().where(t.suppression.c.hash == t.address.c.hash, t.suppression.c.channel == channel)


def _consented(channel: str, purpose: Purpose) -> ColumnElement[int]:
    """Every holder who was asked must have said yes, and one must have been asked (the dispatcher's own rule)."""
    if purpose is Purpose.SERVICE:
        return literal(1)
    given = (
        select(func.min(_flag(t.consent.c.given)))
        .join(t.person_address, t.person_address.c.person_id == t.consent.c.person_id)
        .where(
            t.person_address.c.address_id == t.address.c.id,
            t.consent.c.channel == channel,
            t.consent.c.purpose == purpose.value,
        )
        .correlate(t.address)
        .scalar_subquery()
    )
    return func.coalesce(given, 0, type_=Integer)


def _names(hand: Hand, people: People, told: Any, tries: Any, lost: ColumnElement[bool]) -> Sequence[Unheard]:
    tried = exists().where(tries.c.person_id == told.c.person_id)
    why = case(
        (tried.where(tries.c.opted_out == 1), literal("opted_out")),
        (tried, literal("no_consent")),
        else_=why_unreached(people, told.c.person_id),
    )
    name = func.coalesce(t.person.c.preferred_name, t.person.c.given_name)
    rows = hand.connection.execute(
        select(name.label("given"), t.person.c.family_name, why.label("why"))
        .select_from(told)
        .join(t.person, t.person.c.id == told.c.person_id)
        .where(lost)
        .order_by(t.person.c.family_name, name, t.person.c.id)
        .limit(NAMES)
    )
    return [Unheard(f"{row.given} {row.family_name}".strip(), _sentence(row.why)) for row in rows]


def _sentence(why: str) -> str:
    ours = {"opted_out": OPTED_OUT, "no_consent": NO_CONSENT}
    return ours[why] if why in ours else Unreached[why.upper()].value


def _flag(condition: Any) -> ColumnElement[int]:
    return case((condition, 1), else_=0)
