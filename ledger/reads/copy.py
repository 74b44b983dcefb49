"""A person's copy: everything that the ledger holds of them, by the registry, and of nobody else (UK GDPR art. 15).

Other people's names and numbers are struck out of words. What nobody can find by a rule (a nickname, "her brother")
only a person can: whoever hands the copy over reads it first.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from broker.announcement import Part
from broker.audience import fold
from broker.delivery import State, describe
from broker.ports.privacy import Subject
from broker.privacy.strike import APOSTROPHES, HYPHENS, pattern, striker, whole_names
from ledger import tables as t
from ledger.hand import Hand
from ledger.privacy.registry import NOT_SHOWN, REGISTRY, TYPED, Kind
from ledger.privacy.subjects import chunks, where_theirs

MOST_MESSAGES = 10_000
ANOTHER = "another person"
_LONGEST_NAME = 5  # words
_EMAIL = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"(?<![\w-])\+?\d(?:[\s().-]*\d){8,14}(?!\w)")
_WORD = re.compile(rf"[\w{APOSTROPHES}{re.escape(HYPHENS)}]+")
_ALIKE = str.maketrans(dict.fromkeys(APOSTROPHES, "'") | dict.fromkeys(HYPHENS, "-"))
_SHARED = "from an address that others hold too"
_OWN = frozenset({"delivery", "guardianship"})  # told in words of their own below


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a copy: a title, and rows of what is held under it."""

    title: str
    rows: tuple[Mapping[str, Any], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Copy:
    """Everything of one person. `more` messages there are beyond those that are told."""

    name: str = field(repr=False)
    made_at: datetime
    sections: tuple[Section, ...]
    more: int


def copy(hand: Hand, subject: Subject) -> Copy:
    """Everything that the ledger holds of one person."""
    discreet = _discreet(hand, subject)
    sections = [
        Section(held.title, rows)
        for name, held in REGISTRY.items()
        if held.title and name not in _OWN and (rows := _rows(hand, name, subject, discreet))
    ]
    sections.insert(1, Section("Groups you are in", _groups(hand, subject)))
    sections.append(Section("Where you asked for no more", _opt_outs(hand, subject)))
    sections.append(
        Section("Where nothing more goes, because what was sent came back", _bounced(hand, subject))
    )
    sections.append(Section(REGISTRY["guardianship"].title, _ties(hand, subject)))
    messages = _messages(hand, subject, discreet)
    sections.append(Section(REGISTRY["delivery"].title, messages))
    one = hand.connection.execute(select(t.person).where(t.person.c.id == subject.person)).one()
    name = f"{one.preferred_name or one.given_name} {one.family_name}".strip()
    full = tuple(section for section in sections if section.rows)
    return Copy(name, hand.now, full, max(0, len(subject.deliveries) - MOST_MESSAGES))


def _rows(
    hand: Hand, name: str, subject: Subject, discreet: Callable[[str], str]
) -> tuple[Mapping[str, Any], ...]:
    held, table = REGISTRY[name], t.metadata.tables[name]
    shown = [column for column, kind in held.columns.items() if kind not in NOT_SHOWN]
    found: list[Mapping[str, Any]] = []
    for where, values in where_theirs(hand, name, held.found_by, subject):
        query = select(*(table.c[column] for column in shown)).where(where)
        if table is t.answer:  # whoever else holds the address may have written it
            query = query.add_columns(table.c.sender_hash.in_(subject.shared_hashes).label(_SHARED))
        for row in hand.connection.execute(query, values):
            told = {
                _label(column): _plain(value, held.columns.get(column, Kind.NOTHING), discreet)
                for column, value in row._mapping.items()
                if value not in (None, "") and (column != _SHARED or value)
            }
            found.append(told)
    return tuple(found)


def _groups(hand: Hand, subject: Subject) -> tuple[Mapping[str, Any], ...]:
    rows = hand.connection.execute(
        select(t.people_group.c.name, t.membership.c.role, t.membership.c.begins_on, t.membership.c.ends_on)
        .join(t.membership, t.membership.c.group_id == t.people_group.c.id)
        .where(t.membership.c.person_id == subject.person)
        .order_by(t.people_group.c.folded_name)
    )
    return tuple({_label(k): _bare(v) for k, v in row._mapping.items() if v is not None} for row in rows)


def _opt_outs(hand: Hand, subject: Subject) -> tuple[Mapping[str, Any], ...]:
    """Of every address of theirs; without what was typed to it, for who shares the address may have asked."""
    stops = t.suppression.c
    rows = hand.connection.execute(
        select(t.address.c.value, stops.channel, stops.source, stops.at)
        .join(t.address, t.address.c.hash == stops.hash)
        .where(t.address.c.id.in_(subject.addresses))
        .order_by(t.address.c.id, stops.channel)
    )
    return tuple(
        {
            "to": row.value,
            "by": row.channel,
            "how it came": row.source.partition(":")[0],
            "at": _bare(row.at),
        }
        for row in rows
    )


def _bounced(hand: Hand, subject: Subject) -> tuple[Mapping[str, Any], ...]:
    """By the keyed hash, as such a mark is kept."""
    marks = t.bounced.c
    rows = hand.connection.execute(
        select(t.address.c.value, marks.channel, marks.code, marks.at)
        .join(t.address, t.address.c.hash == marks.hash)
        .where(t.address.c.id.in_(subject.addresses))
        .order_by(t.address.c.id, marks.channel)
    )
    return tuple({"to": row.value, "by": row.channel, "code": row.code, "at": _bare(row.at)} for row in rows)


def _ties(hand: Hand, subject: Subject) -> tuple[Mapping[str, Any], ...]:
    """That there is somebody, and not who."""
    g = t.guardianship.c
    rows = hand.connection.execute(
        select(t.guardianship).where((g.guardian_id == subject.person) | (g.pupil_id == subject.person))
    )
    return tuple(
        {
            "relation": "you look after a pupil"
            if row.guardian_id == subject.person
            else "a guardian of yours",
            **{
                _label(name): _bare(row._mapping[name])
                for name in ("priority", "parental_responsibility", "lives_with", "blocked")
                if row._mapping[name] is not None
            },
        }
        for row in rows
    )


def _messages(hand: Hand, subject: Subject, discreet: Callable[[str], str]) -> tuple[Mapping[str, Any], ...]:
    d, a = t.delivery.c, t.announcement.c
    own = set(subject.addresses) | set(subject.alone)
    query = (
        select(
            d.id, d.announcement_id, d.channel, d.state, d.address_id, d.changed_at, a.purpose, a.accepted_at
        )
        .add_columns(t.address.c.value)
        .join(t.announcement, a.id == d.announcement_id)
        .outerjoin(t.address, t.address.c.id == d.address_id)
    )
    rows = [
        row
        for some in chunks(subject.deliveries[:MOST_MESSAGES])
        for row in hand.connection.execute(
            query.where(text(hand.dialect.any_of("delivery.id", "ids"))), {"ids": hand.dialect.ids(some)}
        )
    ]
    words = _wordings(hand, {row.announcement_id for row in rows})
    return tuple(
        {
            "announced": _bare(row.accepted_at),
            "by": row.channel,
            "to": row.value if row.address_id in own else "somebody who looks after you",
            "what became of it": describe(State(row.state)),
            "when": _bare(row.changed_at),
            "purpose": row.purpose,
            **{name: discreet(said) for name, said in words[row.announcement_id].items()},
        }
        for row in sorted(rows, key=lambda row: row.id)
    )


def _wordings(hand: Hand, announcements: Iterable[int]) -> Mapping[int, Mapping[str, str]]:
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for some in chunks(sorted(announcements)):
        for row in hand.connection.execute(
            select(t.content).where(t.content.c.announcement_id.in_(list(some)))
        ):
            part = {Part.TITLE: "title", Part.SHORT: "short wording", Part.LONG: "long wording"}[
                Part(row.part)
            ]
            found[row.announcement_id][f"{part} {row.language}".strip()] = row.text
    return found


def _discreet(hand: Hand, subject: Subject) -> Callable[[str], str]:
    """Strikes others out of words: their whole names, and every number and email that is not the person's own."""
    others = _names_of_others(hand, subject)
    values = hand.connection.execute(
        select(t.address.c.kind, t.address.c.value).where(t.address.c.id.in_(subject.addresses))
    ).all()
    own = pattern((), [(row.kind, row.value) for row in values] + list(subject.values))
    hide = striker(_EMAIL, "an email"), striker(_NUMBER, "a number")

    def discreet(words: str) -> str:
        said = _without(words, others)
        for strike in hide:
            said = own_kept(said, strike)
        return said

    def own_kept(words: str, strike: Callable[[str], str]) -> str:
        pieces, at = [], 0
        for found in own.finditer(words):
            pieces += [strike(words[at : found.start()]), found.group()]
            at = found.end()
        return "".join([*pieces, strike(words[at:])])

    return discreet


def _names_of_others(hand: Hand, subject: Subject) -> frozenset[str]:
    own = {_folded(name) for name in subject.named}
    p = t.person.c
    rows = hand.connection.execute(
        select(p.given_name, p.family_name, p.preferred_name).where(p.id != subject.person)
    )
    named = {_folded(name) for row in rows for name in whole_names(*row) if len(name.split()) > 1}
    return frozenset(named - own)


def _folded(name: str) -> str:
    """A name as it is compared, however a telephone types it."""
    return fold(unicodedata.normalize("NFC", name).translate(_ALIKE))


def _without(words: str, names: frozenset[str]) -> str:
    """A walk over runs of words, for a school's names are too many for one expression."""
    words = unicodedata.normalize("NFC", words)
    found = list(_WORD.finditer(words))
    pieces, at, place = [], 0, 0
    while place < len(found):
        for length in range(min(_LONGEST_NAME, len(found) - place), 1, -1):
            first, last = found[place], found[place + length - 1]
            run = [one.group().removesuffix("'s").removesuffix("’s") for one in found[place : place + length]]
            if _folded(" ".join(run)) in names:
                pieces += [words[at : first.start()], ANOTHER]
                at = last.end()
                place += length
                break
        else:
            place += 1
    return "".join([*pieces, words[at:]])


def _plain(value: Any, kind: Kind, discreet: Callable[[str], str]) -> Any:
    return discreet(value) if kind in TYPED and isinstance(value, str) else _bare(value)


def _bare(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _label(column: str) -> str:
    return column.replace("_", " ")


__all__: Sequence[str] = ["Copy", "Section", "copy"]
