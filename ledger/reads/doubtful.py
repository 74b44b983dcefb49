"""The office's list of doubtful addresses: failing, bounced, shared by many, not confirmed for a year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    true,
    union,
)

from broker.address import AddressKind, mask
from broker.delivery import REACHED, Event, Evidence, State
from broker.office.doubtful import CONFIRMED_FOR, Doubt, DoubtfulAddress, Holder
from ledger import tables as t
from ledger.hand import Hand

PAGE = 1_000
_REACHED = [state.value for state in REACHED]
_FAILED = [State.REJECTED.value, State.EXHAUSTED.value]
_MOST_PUPILS = 10  # of one holder: who holds more is an institution


def doubtful(
    hand: Hand,
    *,
    doubts: Collection[Doubt] = tuple(Doubt),
    after: int = 0,
    limit: int = PAGE,
    lately: int | None = None,
    only: int | None = None,
    held: bool = False,
) -> Sequence[DoubtfulAddress]:
    """The next addresses with one of these doubts, in the order of their ids; empty at the end.

    Only those of people who are at the school. A refusal counts against the address when others got the same
    announcement by the same way, or nobody else was to: what everybody was refused was the text or the account.

    `lately`: what became of messages is looked up among so many of the newest alone, for a page must not wait until
    all that were ever sent have been gone through. `only` is one address; `held`: also one
    without a doubt.
    """
    maybe = None
    if only is not None:
        maybe = hand.dialect.apart(select(t.address.c.id).where(t.address.c.id == only), "maybe")
    elif lately is not None:
        maybe = hand.dialect.apart(_may_be(hand, doubts, after, limit, lately), "maybe")
    last = _last_delivery(lately, maybe).cte("last")
    found = {doubt: _is(doubt, hand).label(doubt.value) for doubt in Doubt}
    wanted = true() if held else or_(false(), *(found[doubt].element for doubt in doubts))
    query = (
        select(t.address, t.delivery.c.why.label("said"), *found.values())
        .outerjoin(last, last.c.address_id == t.address.c.id)
        .outerjoin(t.delivery, and_(t.delivery.c.id == last.c.delivery_id, *_among(lately)))
        .where(t.address.c.id > after, wanted, _is_held())
        .order_by(t.address.c.id)
        .limit(limit)
    )
    if maybe is not None:
        query = query.where(t.address.c.id.in_(select(maybe.c.id)))
    rows = hand.connection.execute(query).all()
    holders = _holders(hand, [row.id for row in rows])
    return [_told(row, holders) for row in rows]


def _is(doubt: Doubt, hand: Hand) -> ColumnElement[bool]:
    confirmed = t.address.c.confirmed_at
    since = and_(t.delivery.c.changed_at > confirmed, t.delivery.c.state.in_(_FAILED), not_(_opted_out()))
    match doubt:
        case Doubt.BOUNCED:
            return or_(and_(since, _came_back()), _is_marked())
        case Doubt.FAILING:
            return and_(since, not_(_came_back()), _alone_in_failing())
        case Doubt.SHARED:
            return and_(t.address.c.doubtful)
    return confirmed < hand.now - CONFIRMED_FOR


def _last_delivery(lately: int | None, maybe: FromClause | None) -> Select[Any]:
    """SELECT address_id, delivery_id: the newest that came to an end with the provider."""
    d = t.delivery.c
    query = select(d.address_id, func.max(d.id).label("delivery_id")).where(
        d.state.in_([*_REACHED, *_FAILED]), d.address_id.is_not(None)
    )
    if maybe is not None:
        query = query.where(*_among(lately), d.address_id.in_(select(maybe.c.id)))
    return query.group_by(d.address_id)


def _among(lately: int | None) -> Sequence[ColumnElement[bool]]:
    if lately is None:
        return ()
    newest = t.delivery.alias("newest")
    return (t.delivery.c.id > select(func.max(newest.c.id)).scalar_subquery() - lately,)


def _may_be(hand: Hand, doubts: Collection[Doubt], after: int, limit: int, lately: int) -> Select[tuple[int]]:
    """SELECT id: what few addresses these doubts can be about, told by an index; the rest need not be judged."""
    failed = select(t.delivery.c.address_id).where(t.delivery.c.state.in_(_FAILED), *_among(lately))
    marked = select(t.address.c.id).join(t.bounced, t.bounced.c.hash == t.address.c.hash)
    found: list[Select[Any]] = []
    for doubt in doubts:
        if doubt in {Doubt.FAILING, Doubt.BOUNCED}:
            found.append(failed)
        else:
            plain = select(t.address.c.id).where(_is(doubt, hand), t.address.c.id > after, _is_held())
            found.append(select(plain.order_by(t.address.c.id).limit(limit).subquery().c.id))
    if Doubt.BOUNCED in doubts:
        found.append(marked)
    every = union(*found).subquery("every")
    return select(every.c[0].label("id"))


def _came_back() -> ColumnElement[bool]:
    """The provider took it, and told later that it did not arrive."""
    return exists().where(
        t.attempt.c.delivery_id == t.delivery.c.id,
        t.attempt.c.evidence == Evidence.BOUNCED.value,
        func.coalesce(t.attempt.c.outcome, "")
        != Event.REJECT.value,  # empty: nobody heard, until it came back
    )


def _alone_in_failing() -> ColumnElement[bool]:
    other = t.delivery.alias("other")
    same = and_(
        other.c.announcement_id == t.delivery.c.announcement_id,
        other.c.channel == t.delivery.c.channel,
        other.c.id != t.delivery.c.id,
    )
    return or_(exists().where(same, other.c.state.in_(_REACHED)), not_(exists().where(same)))


def _is_marked() -> ColumnElement[bool]:
    """It gets nothing more for what came back, however long ago that was."""
    return exists().where(t.bounced.c.hash == t.address.c.hash)


def _opted_out() -> ColumnElement[bool]:
    """Who asked for no more is no doubt about a number."""
    return exists().where(
        t.suppression.c.hash == t.address.c.hash, t.suppression.c.channel == t.delivery.c.channel
    )


def _is_held() -> ColumnElement[bool]:
    return exists().where(
        t.person_address.c.address_id == t.address.c.id,
        t.person.c.id == t.person_address.c.person_id,
        t.person.c.active,
    )


def _holders(hand: Hand, addresses: Sequence[int]) -> Mapping[int, Sequence[Holder]]:
    if not addresses:
        return {}
    held = (
        select(t.person_address.c.address_id, t.person)
        .join(t.person, t.person.c.id == t.person_address.c.person_id)
        .where(t.person.c.active, t.person_address.c.address_id.in_(addresses))
        .order_by(t.person_address.c.address_id, t.person.c.id)
    )
    rows = hand.connection.execute(held).all()
    pupils = _pupils_of(hand, sorted({row.id for row in rows}))
    found: defaultdict[int, list[Holder]] = defaultdict(list)
    for row in rows:
        found[row.address_id].append(Holder(row.source_id, _name(row), tuple(pupils[row.id][:_MOST_PUPILS])))
    return found


def _pupils_of(hand: Hand, guardians: Sequence[int]) -> Mapping[int, Sequence[str]]:
    query = (
        select(t.guardianship.c.guardian_id, t.person)
        .join(t.person, t.person.c.id == t.guardianship.c.pupil_id)
        .where(t.guardianship.c.guardian_id.in_(guardians), t.person.c.active)
        .order_by(t.person.c.id)
    )
    found: defaultdict[int, list[str]] = defaultdict(list)
    for row in hand.connection.execute(query):
        found[row.guardian_id].append(" ".join(filter(None, (_name(row), row.form and f"({row.form})"))))
    return found


def _name(row: Any) -> str:
    return f"{row.preferred_name or row.given_name} {row.family_name}".strip()


def _told(row: Any, holders: Mapping[int, Sequence[Holder]]) -> DoubtfulAddress:
    kind = AddressKind(row.kind)
    theirs = tuple(doubt for doubt in Doubt if getattr(row, doubt.value))
    told = {Doubt.FAILING, Doubt.BOUNCED} & set(theirs)
    return DoubtfulAddress(
        row.id,
        kind,
        mask(kind, row.value),
        theirs,
        tuple(holders.get(row.id, ())),
        row.confirmed_at,
        (row.said or "") if told else "",
    )
