"""Who was erased is not brought back by the next roster: known again by keyed hashes of what it calls them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from broker.audience import fold
from broker.ports import Signer
from broker.privacy.known import MARK
from broker.privacy.strike import whole_names
from broker.rosters.roster import Roster, RosterProblem
from ledger.hand import Hand
from ledger.privacy.renaming import group_known_as
from ledger.tables import erased, people_group

DERIVED = "guardian~"  # how ids begin that were made up for guardians to whom a report gives none


def barred_hash(signer: Signer, source_id: str) -> bytes:
    """What an erased person is known again by."""
    return hashlib.sha256(signer.sign("erased", source_id).encode()).digest()


def derived_hash(signer: Signer, name: str, pupil: str) -> bytes:
    """The same for a guardian to whom a report gives no id: by name, and by the id of a pupil."""
    return barred_hash(signer, f"{fold(name)}\0{pupil}")


def bar(hand: Hand, person: int, source_id: str, names: Sequence[str], pupils: Sequence[str]) -> None:
    """Keep the hashes of one person."""
    hashes = {barred_hash(hand.signer, source_id)}
    if source_id.startswith(DERIVED):
        hashes |= {derived_hash(hand.signer, name, pupil) for pupil in pupils for name in names}
    _keep(hand, person, hashes)


def _keep(hand: Hand, person: int, hashes: Collection[bytes]) -> None:
    run = hand.connection.execute
    known = {
        bytes(one) for one in run(select(erased.c.hash).where(erased.c.hash.in_(list(hashes)))).scalars()
    }
    if rows := [{"hash": each, "person_id": person, "at": hand.now} for each in sorted(set(hashes) - known)]:
        run(insert(erased), rows)


def bar_words(hand: Hand, person: int, hashes: Collection[bytes]) -> None:
    """Keep the hashes of words out of which one person was struck, and which another system may tell again."""
    _keep(hand, person, set(hashes))


def readmit(hand: Hand, source_id: str) -> int | None:
    """Let whoever is barred by this id come back: every hash of theirs goes."""
    run = hand.connection.execute
    wanted = select(erased.c.person_id).where(erased.c.hash == barred_hash(hand.signer, source_id))
    person: int | None = run(wanted).scalar_one_or_none()
    if person is not None:
        run(delete(erased).where(erased.c.person_id == person))
    return person


def stamp(connection: Connection) -> tuple[int, datetime | None, int]:
    """What differs as soon as somebody is barred or readmitted, or struck out of a roster's group."""
    row = connection.execute(select(func.count(), func.max(erased.c.at))).one()
    struck = select(func.count()).where(people_group.c.source_id.startswith(MARK))
    return row[0], row[1], connection.execute(struck).scalar_one()


def without_barred(connection: Connection, signer: Signer, roster: Roster) -> Roster:
    """The roster without those who were erased, each told as a problem by the id that the file itself gives."""
    barred = {bytes(one) for one in connection.execute(select(erased.c.hash)).scalars()}
    if not barred:
        return roster
    pupils: dict[str, list[str]] = defaultdict(list)
    for tie in roster.guardianships:
        pupils[tie.guardian].append(tie.pupil)
    gone = set()
    for one in roster.people:
        hashes = {barred_hash(signer, one.source_id)}
        if one.source_id.startswith(DERIVED):
            names = whole_names(one.given_name, one.family_name, one.preferred_name)
            hashes |= {derived_hash(signer, name, pupil) for pupil in pupils[one.source_id] for name in names}
        if hashes & barred:
            gone.add(one.source_id)
    if not gone:
        return roster
    return replace(
        roster,
        people=tuple(one for one in roster.people if one.source_id not in gone),
        guardianships=tuple(g for g in roster.guardianships if not {g.guardian, g.pupil} & gone),
        memberships=tuple(m for m in roster.memberships if m.person not in gone),
        problems=(*roster.problems, *(_problem(one) for one in sorted(gone))),
    )


def with_struck_groups(connection: Connection, signer: Signer, roster: Roster) -> Roster:
    """The roster with the groups that were called after somebody who was erased as they are called since."""
    of_rosters = select(people_group.c.source_id, people_group.c.name).where(
        people_group.c.source_id.startswith(MARK)
    )
    struck = {row.source_id: row.name for row in connection.execute(of_rosters)}
    if not struck:
        return roster
    known = {one.source_id: group_known_as(signer, one.source_id, one.name) for one in roster.groups}
    again = {told: digest for told, digest in known.items() if digest in struck}
    groups = tuple(
        replace(one, source_id=again[one.source_id], name=struck[again[one.source_id]])
        if one.source_id in again
        else one
        for one in roster.groups
    )
    memberships = tuple(
        replace(one, group=again[one.group]) if one.group in again else one for one in roster.memberships
    )
    problems = tuple(_still_called(struck[again[one]]) for one in sorted(again))
    return replace(roster, groups=groups, memberships=memberships, problems=(*roster.problems, *problems))


def _still_called(name: str) -> RosterProblem:
    message = (
        f"The group {name!r} is called after somebody who was erased. It keeps the name that it has here; rename it"
        " in the school's own system."
    )
    return RosterProblem("", 0, "name", "group_of_erased", message)


def _problem(source_id: str) -> RosterProblem:
    message = (
        f"{source_id} was erased, and stays out. If they are to come back, say so first:"
        f" carillon people readmit {source_id}"
    )
    return RosterProblem("", 0, "", "erased", message)
