"""What was imported lately, by whom: as the record has it, whichever door it came by."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from broker.rosters.roster import GroupKind
from ledger import tables as t
from ledger.hand import Hand

# The record is long: looked through by its newest entries alone, in the order of its key.
LOOKED_AT = 20_000
KINDS: Mapping[str, str] = {
    "people.imported": "People",
    "terms.brought": "Term dates",
}


@dataclass(frozen=True, slots=True)
class Imported:
    """One import: when, by whom, of what, and what it came to."""

    at: datetime
    who: str
    what: str
    source: str
    counts: Mapping[str, Any]


def kept_groups(hand: Hand) -> Sequence[str]:
    """The groups kept by hand that have members of their own, by name."""
    g = t.people_group.c
    own = (g.active, g.kind == GroupKind.KEPT.value, g.expression.is_(None))
    return hand.connection.execute(select(g.name).where(*own).order_by(g.folded_name)).scalars().all()


def imported(hand: Hand, *, limit: int = 10) -> Sequence[Imported]:
    """The newest first."""
    e = t.record_entry.c
    newest = select(e.id).order_by(e.id.desc()).offset(LOOKED_AT).limit(1).scalar_subquery()
    rows = hand.connection.execute(
        select(e.at, e.kind, e.body)
        .where(e.kind.in_(sorted(KINDS)), (e.id > newest) | newest.is_(None))
        .order_by(e.id.desc())
        .limit(limit)
    )
    found = []
    for row in rows:
        body = json.loads(row.body)
        actor, facts = body["actor"], body["facts"]
        who = actor.get("on_behalf_of") or actor["id"]
        people = facts.get("people")
        counts = people if isinstance(people, dict) else {}
        found.append(Imported(row.at, who, KINDS[row.kind], str(facts.get("source", "")), counts))
    return found
