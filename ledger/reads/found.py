"""What a search shows: people with whom they belong to, announcements with how they stand, groups; a page of each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
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
from ledger.reads.group_pages import GroupLine, group_lines
from ledger.reads.status import standing_of
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


@dataclass(frozen=True, slots=True)
class Groups:
    """How many groups were found, and some of them."""

    count: int
    shown: Sequence[GroupLine]


_words_of_group = lru_cache(maxsize=8_192)(finding.folded)  # of the names of a large school's groups


def people(hand: Hand, typed: str, *, after: int = 0, region: str) -> People:
    """Who is called so, by family name; or who holds the number or email that was typed."""
    words = finding.words_of(typed)
    holders = _holders(hand, typed, region)
    if holders is not None:
        return People(len(holders), _people(hand, _rows(hand, holders[after : after + finding.PAGE])))
    ids, rows = _called(hand, words, after) if words else ((), ())
    return People(len(ids), _people(hand, rows))


def announcements(hand: Hand, typed: str, *, after: int = 0, department: str | None) -> Announcements:
    """What says so, the newest first; of one department alone, where one is named."""
    words = finding.words_of(typed)
    if not words:
        return Announcements(0, ())
    ids = finding.announcements(hand, words, owner=department)
    shown = ids[after : after + finding.PAGE]
    says = finding.words_of_announcements(hand, shown) if shown else {}
    if not all(finding.has_all(says.get(one, ""), words) for one in shown):
        ids = finding.announcements(hand, words, owner=department, anew=True)
        shown = ids[after : after + finding.PAGE]
    return Announcements(len(ids), _announcements(hand, shown))


def groups(hand: Hand, typed: str, *, after: int = 0, department: str | None) -> Groups:
    """Which groups are called so, as a school lists them; with a department, its own and the school's."""
    words = finding.words_of(typed)
    if not words:
        return Groups(0, ())
    lines = group_lines(hand, department=department)
    called = [one for one in lines if finding.has_all(_words_of_group(one.name), words)]
    return Groups(len(called), called[after : after + finding.PAGE])


def _called(hand: Hand, words: Sequence[str], after: int) -> tuple[Sequence[int], Sequence[Row[Any]]]:
    """Everybody who is called so, and the page of them; once more where the ledger says otherwise by now."""
    ids = finding.people(hand, words)
    rows = _rows(hand, ids[after : after + finding.PAGE])
    if len(rows) < len(ids[after : after + finding.PAGE]) or not all(_is_called(row, words) for row in rows):
        ids = finding.people(hand, words, anew=True)
        rows = _rows(hand, ids[after : after + finding.PAGE])
    return ids, rows


def _is_called(row: Row[Any], words: Sequence[str]) -> bool:
    theirs = finding.words_of_person(
        row.given_name, row.family_name, row.preferred_name, row.form, row.source_id
    )
    return finding.has_all(theirs, words)


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


def _rows(hand: Hand, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """These people, those who are at the school, in this order."""
    if not ids:
        return ()
    rows = hand.connection.execute(select(t.person).where(t.person.c.id.in_(ids), t.person.c.active))
    return finding.in_order({row.id: row for row in rows}, ids)


def _people(hand: Hand, rows: Sequence[Row[Any]]) -> Sequence[Person]:
    if not any(row.is_guardian for row in rows):
        return [Person(person_row(row)) for row in rows]
    g, child = t.guardianship.c, t.person.alias("child")
    name = func.coalesce(child.c.preferred_name, child.c.given_name) + " " + child.c.family_name
    ties = hand.connection.execute(
        select(g.guardian_id, name)
        .join(child, child.c.id == g.pupil_id)
        .where(g.guardian_id.in_([row.id for row in rows]), child.c.active, ~g.blocked)
        .order_by(g.guardian_id, name)
    )
    children: dict[int, list[str]] = {}
    for guardian, called in ties:
        children.setdefault(guardian, []).append(called)
    return [Person(person_row(row), children.get(row.id, ())[:MOST_CHILDREN]) for row in rows]


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
    tallies, settled = standing_of(hand, [one for _, one in said])
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
