"""Consent as the office looks at it: what was said last first; and how many said yes or no to what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select

from broker.announcement import Purpose
from ledger import tables as t
from ledger.hand import Hand
from ledger.office.reaches import called

PAGE = 50


@dataclass(frozen=True, slots=True)
class Word:
    """One yes or no; `by` is the guardian who said it for a pupil, "" for the person's own. `stands`: none is newer."""

    id: int
    person: UUID
    name: str = field(repr=False)
    channel: str
    purpose: Purpose
    given: bool
    said_at: datetime
    by: str = field(repr=False)
    source: str
    evidence: str = field(repr=False)
    kept_by: str
    kept_at: datetime
    stands: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How many people's last word to something is yes, and no."""

    channel: str
    purpose: Purpose
    yes: int
    no: int


def words(
    hand: Hand,
    *,
    person: int | None = None,
    channel: str = "",
    given: bool | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> tuple[Sequence[Word], int | None]:
    """The newest words that were kept, and the number before which the next page begins; None at the end."""
    e = t.consent_entry.c
    query = _words().order_by(e.id.desc()).limit(limit + 1)
    if person is not None:
        query = query.where(e.person_id == person)
    if channel:
        query = query.where(e.channel == channel)
    if given is not None:
        query = query.where(e.given.is_(given))
    if before is not None:
        query = query.where(e.id < before)
    rows = hand.connection.execute(query).all()
    shown = [_word(row) for row in rows[:limit]]
    return shown, shown[-1].id if len(rows) > limit else None


def standing(hand: Hand) -> Sequence[Standing]:
    """What stands, counted by channel and purpose."""
    c = t.consent.c
    rows = hand.connection.execute(
        select(c.channel, c.purpose, c.given, func.count().label("n"))
        .group_by(c.channel, c.purpose, c.given)
        .order_by(c.purpose, c.channel)
    )
    found: dict[tuple[str, str], dict[bool, int]] = {}
    for row in rows:
        found.setdefault((row.channel, row.purpose), {})[bool(row.given)] = row.n
    return [
        Standing(channel, Purpose(purpose), said.get(True, 0), said.get(False, 0))
        for (channel, purpose), said in found.items()
    ]


def _words() -> Select[Any]:
    e, spoke = t.consent_entry.c, t.person.alias("spoke")
    newer = t.consent_entry.alias("newer")
    overtaken = select(newer.c.id).where(
        newer.c.person_id == e.person_id,
        newer.c.channel == e.channel,
        newer.c.purpose == e.purpose,
        or_(newer.c.said_at > e.said_at, and_(newer.c.said_at == e.said_at, newer.c.id > e.id)),
    )
    by = func.trim(func.coalesce(spoke.c.preferred_name, spoke.c.given_name) + " " + spoke.c.family_name)
    return (
        select(
            t.consent_entry, t.person.c.public_id, called().label("name"), by.label("spoke"),
            overtaken.exists().label("overtaken"),
        )
        .join(t.person, t.person.c.id == e.person_id)
        .outerjoin(spoke, spoke.c.id == e.guardian_id)
    )  # fmt: skip


def _word(row: Any) -> Word:
    return Word(
        row.id, row.public_id, row.name, row.channel, Purpose(row.purpose), row.given, row.said_at,
        row.spoke or "", row.source, row.evidence, row.actor_id, row.at, not row.overtaken,
    )  # fmt: skip
