"""What was imported lately, by whom: as the record has it, whichever door it came by."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from broker.rosters.roster import GroupKind
from ledger import tables as t
from ledger.hand import Hand

# The record is long: looked through by its newest entries alone, in the order of its key.
LOOKED_AT = 20_000
# Of these, so many: most changes of a group and most words of consent are kept by hand, and are no import.
MOST_READ = 200
LONGEST_SOURCE = 60


@dataclass(frozen=True, slots=True)
class Imported:
    """One import: when, by whom, of what, and what it came to, as numbers with their words. `group`: whose list."""

    at: datetime
    who: str
    what: str
    source: str
    came_to: Sequence[tuple[int, str]]
    group: int | None = None


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
        .where(e.kind.in_(sorted(TOLD)), (e.id > newest) | newest.is_(None))
        .order_by(e.id.desc())
        .limit(MOST_READ)
    )
    found: list[Imported] = []
    for row in rows:
        body = json.loads(row.body)
        actor = body["actor"]
        told = TOLD[row.kind](row.at, actor.get("on_behalf_of") or actor["id"], body["facts"])
        if told is not None:
            found.append(told)
        if len(found) == limit:
            break
    return _named(hand, found)


def _named(hand: Hand, found: Sequence[Imported]) -> Sequence[Imported]:
    """With the groups as they are called now."""
    ids = {one.group for one in found if one.group is not None}
    if not ids:
        return found
    g = t.people_group.c
    rows = hand.connection.execute(select(g.id, g.name).where(g.id.in_(ids)))
    names = {row.id: row.name for row in rows}
    return [
        replace(one, what=f"{one.what} of {names[one.group]}") if one.group in names else one for one in found
    ]


# --- what an entry tells ---------------------------------------------------------------------------------------------

Facts = Mapping[str, Any]
PEOPLE = (("new", "new"), ("changed", "changed"), ("leaving", "left"))


def _people(at: datetime, who: str, facts: Facts) -> Imported:
    counts = facts.get("people")
    came_to = [(int(counts.get(key, 0)), word) for key, word in PEOPLE] if isinstance(counts, dict) else ()
    return Imported(at, who, "People", str(facts.get("source", "")), came_to)


def _terms(at: datetime, who: str, facts: Facts) -> Imported:
    return Imported(at, who, "Term dates", str(facts.get("source", "")), ())


def _list(at: datetime, who: str, facts: Facts) -> Imported | None:
    if not facts.get("listed"):
        return None
    came_to = ((int(facts["added"]), "joined"), (int(facts["removed"]), "left"))
    return Imported(at, who, "Members", "", came_to, int(facts["group"]))


def _sheet(at: datetime, who: str, facts: Facts) -> Imported | None:
    if not facts.get("sheet"):
        return None
    given = [bool(one[3]) for one in facts["said"]]
    source = ", ".join(map(str, facts.get("sources", ())))[:LONGEST_SOURCE]
    return Imported(at, who, "Consent", source, ((sum(given), "yes"), (len(given) - sum(given), "no")))


TOLD: Mapping[str, Callable[[datetime, str, Facts], Imported | None]] = {
    "people.imported": _people,
    "terms.brought": _terms,
    "group.members_changed": _list,
    "consent.kept": _sheet,
}
