"""What a search shows: people with whom they belong to, announcements with how they stand; a page of each at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from broker.address import AddressKind, BadAddress, parse_email, parse_mobile
from broker.announcement import Part, Stage, stage
from broker.ports.office import PersonRow
from ledger import tables as t
from ledger.announcements import announcement_of
from ledger.hand import Hand
from ledger.office.families import person_row
from ledger.reads import finding
from ledger.reads.status import settled_of, tallies_of
from ledger.rosters.people import keyed_hash

MOST_TITLE = 200
MOST_TYPED = 100  # signs of a search
AT_ONCE = 500  # numbers in one question
MOST_CHILDREN = 3  # named beside a guardian


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who was found; `of` names the children whom they look after."""

    person: PersonRow
    of: Sequence[str] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Said:
    """An announcement that was found."""

    id: UUID
    title: str
    department: str
    audience: str
    accepted_at: datetime
    stage: Stage
    settled: bool
    went_out: bool


@dataclass(frozen=True, slots=True)
class People:
    """How many people were found, and some of them."""

    count: int
    shown: Sequence[Person]


@dataclass(frozen=True, slots=True)
class Announcements:
    """How many announcements were found, and some of them."""

    count: int
    shown: Sequence[Said]


def people(hand: Hand, typed: str, *, after: int = 0, region: str) -> People:
    """Who is called so, by family name; or who holds the number or email that was typed."""
    words = finding.words_of(typed)
    holders = _holders(hand, typed, region)
    if holders is None:
        ids, shown = _looked_up(hand, words, after, finding.people, finding.people_entries)
    else:
        ids, shown = holders, holders[after : after + finding.PAGE]
    return People(len(ids), _people(hand, shown))


def announcements(hand: Hand, typed: str, *, after: int = 0, department: str | None) -> Announcements:
    """What says so, the newest first; of one department alone, where one is named."""
    words = finding.words_of(typed)
    owner = _number_of(hand, department)

    def look(hand: Hand, words: Sequence[str], *, anew: bool = False) -> Sequence[int]:
        return finding.announcements(hand, words, owner=owner, anew=anew)

    ids, shown = _looked_up(hand, words, after, look, finding.announcement_entries)
    return Announcements(len(ids), _announcements(hand, shown))


def _looked_up(
    hand: Hand,
    words: Sequence[str],
    after: int,
    look: Callable[..., Sequence[int]],
    entries: Callable[[Hand, Sequence[int]], Iterable[finding.Entry]],
) -> tuple[Sequence[int], Sequence[int]]:
    """Everything that was found, and the page of it; once more where the ledger says otherwise by now."""
    if not words:
        return (), ()
    ids = look(hand, words)
    if not finding.still(hand, ids[after : after + finding.PAGE], words, entries):
        ids = look(hand, words, anew=True)
    return ids, ids[after : after + finding.PAGE]


def _holders(hand: Hand, typed: str, region: str) -> Sequence[int] | None:
    """Who holds a number or email, by its keyed hash; None where it is neither."""
    try:
        if "@" in typed:
            kind, value = AddressKind.EMAIL, parse_email(typed)
        else:
            kind, value = AddressKind.MOBILE, parse_mobile(typed, region)
    except BadAddress:
        return None
    p = t.person.c
    query = (
        select(p.id)
        .join(t.person_address, t.person_address.c.person_id == p.id)
        .join(t.address, t.address.c.id == t.person_address.c.address_id)
        .where(t.address.c.hash == keyed_hash(hand.signer, kind, value), t.address.c.kind == kind.value)
        .where(p.active)
        .order_by(p.family_name, p.given_name, p.id)
    )
    return hand.connection.execute(query).scalars().all()


def _people(hand: Hand, ids: Sequence[int]) -> Sequence[Person]:
    if not ids:
        return ()
    rows = hand.connection.execute(select(t.person).where(t.person.c.id.in_(ids)))
    known = {row.id: person_row(row) for row in rows}
    g, child = t.guardianship.c, t.person.alias("child")
    name = func.coalesce(child.c.preferred_name, child.c.given_name) + " " + child.c.family_name
    ties = hand.connection.execute(
        select(g.guardian_id, name)
        .join(child, child.c.id == g.pupil_id)
        .where(g.guardian_id.in_(ids), child.c.active, ~g.blocked)
        .order_by(g.guardian_id, name)
    )
    children: dict[int, list[str]] = {}
    for guardian, called in ties:
        children.setdefault(guardian, []).append(called)
    found = {one: Person(person, children.get(one, ())[:MOST_CHILDREN]) for one, person in known.items()}
    return finding.in_order(found, ids)


def people_named(hand: Hand, ids: Collection[int]) -> Sequence[PersonRow]:
    """These people, by family name."""
    found: list[Row[Any]] = []
    wanted = sorted(ids)
    for at in range(0, len(wanted), AT_ONCE):
        some = select(t.person).where(t.person.c.id.in_(wanted[at : at + AT_ONCE]))
        found += hand.connection.execute(some).all()
    found.sort(key=lambda row: (row.family_name.casefold(), row.given_name.casefold(), row.id))
    return [person_row(row) for row in found]


def _announcements(hand: Hand, ids: Sequence[int]) -> Sequence[Said]:
    if not ids:
        return ()
    rows = hand.connection.execute(
        select(t.announcement, t.department.c.slug.label("department"), t.department.c.name.label("owner"))
        .join(t.department, t.department.c.id == t.announcement.c.department_id)
        .where(t.announcement.c.id.in_(ids))
    ).all()
    named = titles(hand, ids)
    said = [(row.owner, announcement_of(row)) for row in rows]
    tallies = tallies_of(hand, list(ids))
    settled = settled_of(hand, [(one, tallies.get(one.id, {})) for _, one in said])
    found = {
        one.id: Said(
            one.public_id,
            named.get(one.id, ""),
            owner,
            one.audience,
            one.accepted_at,
            stage(one, hand.now),
            one.id in settled,
            bool(tallies.get(one.id)),
        )
        for owner, one in said
    }
    return finding.in_order(found, ids)


def titles(hand: Hand, ids: Sequence[int]) -> dict[int, str]:
    """The title of each, or how its short text begins."""
    c = t.content.c
    rows = hand.connection.execute(
        select(c.announcement_id, c.part, func.substr(c.text, 1, MOST_TITLE))
        .where(c.announcement_id.in_(ids), c.part.in_([Part.TITLE.value, Part.SHORT.value]))
        .order_by(c.announcement_id, c.part == Part.TITLE.value, c.version, c.language.desc())
    )
    return {number: text for number, _, text in rows}  # the last of each is the one to show


def _number_of(hand: Hand, department: str | None) -> int | None:
    if department is None:
        return None
    query = select(t.department.c.id).where(t.department.c.slug == department)
    return int(hand.connection.execute(query).scalar_one_or_none() or -1)
