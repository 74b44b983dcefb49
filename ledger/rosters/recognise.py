"""Who a guardian without an id is: found again in the ledger by name and by one pupil in common.

A report without ids of guardians gives no other hold. With ids made up anew at each import, every changed number would
make a new guardian, whom no block knows.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from broker.audience import fold
from broker.rosters.roster import Roster, RosterGuardianship, RosterProblem
from ledger.tables import guardianship, person


@dataclass(frozen=True, slots=True)
class _Known:
    """What the ledger holds of guardians whose ids were made up."""

    by_name: dict[tuple[str, str], str]  # of a pupil, a guardian of this name → the id
    blocked: dict[str, set[str]]  # pupil → guardians


def recognised(connection: Connection, roster: Roster) -> Roster:
    """The roster with made-up ids replaced by those that the ledger has for the same people.

    Where a blocked guardian of a pupil is not found again, a new one of that pupil may be the same person under
    another spelling: the link is left out and told, for nothing overrides a block.
    """
    if not roster.derived:
        return roster
    known = _known(connection)
    derived = [one for one in roster.people if one.source_id in roster.derived]
    names = {one.source_id: fold(f"{one.given_name} {one.family_name}") for one in derived}
    pupils: dict[str, list[str]] = defaultdict(list)
    for held in roster.guardianships:
        if held.guardian in names:
            pupils[held.guardian].append(held.pupil)
    ids: dict[str, str] = {}
    taken: set[str] = set()
    strangers: set[str] = set()
    for made_up, name in names.items():
        theirs = {found for pupil in pupils[made_up] if (found := known.by_name.get((pupil, name)))}
        if not theirs:
            strangers.add(made_up)
        if theirs := theirs - taken:
            ids[made_up] = made_up if made_up in theirs else min(theirs)
            taken.add(ids[made_up])
    for made_up in names.keys() - ids.keys():
        ids[made_up] = made_up
        while ids[made_up] in taken:  # who had it before goes by it still
            ids[made_up] += "~"
        taken.add(ids[made_up])
    kept, problems = _without_maybe_blocked(roster.guardianships, known, taken, strangers)
    return replace(
        roster,
        people=tuple(replace(p, source_id=ids.get(p.source_id, p.source_id)) for p in roster.people),
        guardianships=tuple(replace(g, guardian=ids.get(g.guardian, g.guardian)) for g in kept),
        problems=roster.problems + tuple(problems),
    )


def _known(connection: Connection) -> _Known:
    guardian, pupil = person.alias("guardian"), person.alias("pupil")
    query = (
        select(
            guardian.c.source_id,
            guardian.c.given_name,
            guardian.c.family_name,
            pupil.c.source_id.label("pupil"),
            guardianship.c.blocked,
        )
        .select_from(guardianship)
        .join(guardian, guardian.c.id == guardianship.c.guardian_id)
        .join(pupil, pupil.c.id == guardianship.c.pupil_id)
        .where(guardian.c.source_id.like("guardian~%"))
        .order_by(guardian.c.active, guardian.c.id.desc())  # the last one wins: who is here, and was first
    )
    by_name: dict[tuple[str, str], str] = {}
    blocked: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(query):
        by_name[row.pupil, fold(f"{row.given_name} {row.family_name}")] = row.source_id
        if row.blocked:
            blocked[row.pupil].add(row.source_id)
    return _Known(by_name, blocked)


def _without_maybe_blocked(
    links: tuple[RosterGuardianship, ...], known: _Known, here: set[str], strangers: set[str]
) -> tuple[list[RosterGuardianship], list[RosterProblem]]:
    kept, problems = [], []
    for link in links:
        if link.guardian in strangers and known.blocked.get(link.pupil, set()) - here:
            message = (
                f"Pupil {link.pupil}: a guardian who is blocked is not in this file and a new one is. They may be one"
                " person, so the new one was not joined to this pupil."
            )
            problems.append(RosterProblem("", 0, "", "maybe_blocked", message))
        else:
            kept.append(link)
    return kept, problems
