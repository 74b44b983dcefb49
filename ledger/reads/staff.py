"""Everybody who may act: their roles, and what they sign in by, as far as an admin has to know it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from broker.audience import fold
from broker.authority.passwords import NEED_SECOND
from broker.authority.signin import CLOCKS
from broker.ports.approvals import OperatorRole
from ledger import tables as t
from ledger.hand import Hand

MOST = 500  # operators that a page lists: no school has as many


@dataclass(frozen=True, slots=True)
class Member:
    """One of them. `second`: since when a second step is asked for; `elsewhere`: the providers that know them."""

    id: int
    name: str
    roles: frozenset[OperatorRole]
    department: str | None
    added_at: datetime
    added_by: str
    password_at: datetime | None
    second_at: datetime | None
    elsewhere: tuple[str, ...]
    sessions: int
    invited_until: datetime | None

    @property
    def needs_second(self) -> bool:
        """Whether their role wants a second step that they have not set up."""
        return self.second_at is None and bool(self.roles & NEED_SECOND)


def staff(hand: Hand, department: str | None = None) -> Sequence[Member]:
    """Everybody, by name; of one department, where one is named."""
    o, p = t.operator.c, t.proof.c
    query = (
        select(o.id, o.name, o.added_at, o.added_by, t.department.c.slug, p.password_at, p.second_at)
        .outerjoin(t.department, t.department.c.id == o.department_id)
        .outerjoin(t.proof, p.operator_id == o.id)
        .where(o.removed_at.is_(None))
        .order_by(o.folded_name)
        .limit(MOST)
    )
    if department is not None:
        query = query.where(t.department.c.slug == department)
    rows = hand.connection.execute(query).all()
    roles, elsewhere, open_, invited = _roles(hand), _elsewhere(hand), _open(hand), _invited(hand)
    return [
        Member(
            row.id,
            row.name,
            frozenset(roles.get(row.id, ())),
            row.slug,
            row.added_at,
            row.added_by,
            row.password_at,
            row.second_at,
            tuple(elsewhere.get(row.id, ())),
            open_[fold(row.name)],
            invited.get(fold(row.name)),
        )
        for row in rows
    ]


def _roles(hand: Hand) -> Mapping[int, Sequence[OperatorRole]]:
    found: dict[int, list[OperatorRole]] = {}
    for row in hand.connection.execute(select(t.operator_role)):
        found.setdefault(row.operator_id, []).append(OperatorRole(row.role))
    return found


def _elsewhere(hand: Hand) -> Mapping[int, Sequence[str]]:
    i = t.identity.c
    query = select(i.operator_id, i.provider).distinct().order_by(i.operator_id, i.provider)
    found: dict[int, list[str]] = {}
    for row in hand.connection.execute(query):
        found.setdefault(row.operator_id, []).append(row.provider)
    return found


def _open(hand: Hand) -> Counter[str]:
    """Sessions by operator that have not ended; one left unused for long ends when it is next used."""
    s = t.session.c
    alive = (s.ended_at.is_(None), s.expires_at > hand.now, s.began_at <= hand.now + CLOCKS)
    query = select(s.operator, func.count().label("n")).where(*alive).group_by(s.operator)
    found: Counter[str] = Counter()
    for row in hand.connection.execute(query):
        found[fold(row.operator)] += row.n
    return found


def _invited(hand: Hand) -> Mapping[str, datetime]:
    """Until when somebody may still choose a password by a link that was made for them."""
    link = t.sign_in_link.c
    usable = (link.invites.is_(True), link.used_at.is_(None), link.expires_at > hand.now)
    query = select(link.operator, func.max(link.expires_at).label("until")).where(*usable)
    return {fold(row.operator): row.until for row in hand.connection.execute(query.group_by(link.operator))}


def called(hand: Hand) -> Mapping[int, str]:
    """Number → name of everybody who may act, by name."""
    o = t.operator.c
    rows = hand.connection.execute(
        select(o.id, o.name).where(o.removed_at.is_(None)).order_by(o.folded_name)
    ).all()
    return {row.id: row.name for row in rows}


def name_of(hand: Hand, number: int) -> str | None:
    """The name of one of them, also of somebody who was taken away; None where nobody has the number."""
    o = t.operator.c
    return hand.connection.execute(select(o.name).where(o.id == number)).scalar_one_or_none()


def numbered(hand: Hand, name: str) -> int | None:
    """The number of whoever has this name, however it is typed."""
    o = t.operator.c
    query = select(o.id).where(o.folded_name == fold(" ".join(name.split())), o.removed_at.is_(None))
    return hand.connection.execute(query).scalar_one_or_none()
