"""Looking into the record: by announcement, delivery, person, actor, kind and time; a page at a time.

The database narrows by what it has an index of, the rest is read and left out here; one call reads a bounded stretch,
so that a rare word in a long record costs several short looks and never one long one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, select

from broker.address import AddressKind, mask
from ledger import tables as t
from ledger.reads.explained import explained

MOST = 200  # entries a page
READ = 200_000  # entries that one call reads at the most
MOST_LISTED = 50  # things that one entry lists, as far as they are shown
_EMAIL = re.compile(r"[^\s@<>\"',;:()]+@[^\s@<>\"',;:()]+\.[^\s@<>\"',;:()]+")
_NUMBER = re.compile(r"(?<![\w+-])\+?\d(?:[ ()-]?\d){8,14}(?![\w-])")
_LISTS = ("tries", "moves", "verdicts", "absent", "deliveries")
_PEOPLE = ("person", "pupil", "guardian", "whom")


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; whatever is None does not matter. `kind` is a whole kind or its beginning, `account`."""

    announcements: frozenset[int] | None = None
    deliveries: frozenset[int] | None = None
    person: int | None = None
    actor: str | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def within(self, deliveries: frozenset[int], announcements: frozenset[int]) -> Sought:
        """The same, of these deliveries and announcements alone."""
        fewer = deliveries if self.deliveries is None else deliveries & self.deliveries
        about = announcements if self.announcements is None else announcements & self.announcements
        return replace(self, deliveries=fewer, announcements=about)


@dataclass(frozen=True, slots=True)
class Found:
    """One entry, as it may be shown: addresses masked, and of a list only what was looked for."""

    id: int
    at: str
    kind: str
    actor: Mapping[str, Any]
    announcement: UUID | None
    facts: Mapping[str, Any] = field(repr=False)
    explained: Sequence[
        int
    ] = ()  # attempts that the keys of those concerned show to be what they are said to be


@dataclass(frozen=True, slots=True)
class Page:
    """What a call found, the newest first; `before` goes on where it ended, None at the beginning of the record."""

    entries: Sequence[Found]
    before: int | None


def search(connection: Connection, sought: Sought, *, before: int | None = None, limit: int = 50) -> Page:
    """The newest entries that fit, before the entry with this id."""
    found: list[Found] = []
    read, last = 0, None
    e = t.record_entry.c
    statement = _narrowed(sought).order_by(e.id.desc()).limit(READ)
    if before is not None:
        statement = statement.where(e.id < before)
    for row in connection.execute(statement.execution_options(yield_per=500)):
        read, last = read + 1, row.id
        body = json.loads(row.body)
        facts = _fitting(sought, body)
        if facts is not None:
            found.append(Found(row.id, body["at"], body["kind"], body["actor"], row.public_id, _shown(facts)))
            if len(found) == min(limit, MOST):
                break
    else:
        if read < READ:
            last = None
    if sought.deliveries is not None:
        found = _with_keys(connection, found)
    return Page(found, last)


def _with_keys(connection: Connection, found: Sequence[Found]) -> list[Found]:
    """The same, with what the keys explain of it: for where single deliveries were asked for."""
    tries = {one[1]: one[4] for each in found for one in each.facts.get("tries", ()) if isinstance(one, list)}
    shown = explained(connection, tries) if tries else ()
    return [
        replace(each, explained=[one[1] for one in each.facts.get("tries", ()) if one[1] in shown])
        for each in found
    ]


def announcement_of(connection: Connection, delivery: int) -> frozenset[int]:
    """Which announcement a delivery is of; none where it is not there."""
    found = connection.execute(
        select(t.delivery.c.announcement_id).where(t.delivery.c.id == delivery)
    ).scalars()
    return frozenset(found)


def deliveries_of(connection: Connection, person: int) -> tuple[frozenset[int], frozenset[int]]:
    """(deliveries, announcements) that told of somebody, or went to an address of theirs about a child of theirs."""
    d, c, u = t.delivery.c, t.delivery_covers.c, t.duty.c
    covering = (
        select(d.id, d.announcement_id)
        .join(t.delivery_covers, c.delivery_id == d.id)
        .join(t.duty, u.id == c.duty_id)
    )
    own = covering.where(u.person_id == person)
    ward = select(t.guardianship.c.pupil_id).where(t.guardianship.c.guardian_id == person)
    theirs = select(t.person_address.c.address_id).where(t.person_address.c.person_id == person)
    cared_for = covering.where(u.person_id.in_(ward), d.address_id.in_(theirs))
    rows = [*connection.execute(own), *connection.execute(cared_for)]
    return frozenset(row.id for row in rows), frozenset(row.announcement_id for row in rows)


def masked(words: str) -> str:
    """Words that somebody typed, with whatever looks like an address in them masked."""
    words = _EMAIL.sub(lambda found: mask(AddressKind.EMAIL, found[0]), words)
    return _NUMBER.sub(lambda found: mask(AddressKind.MOBILE, re.sub(r"[ ()-]", "", found[0])), words)


def _narrowed(sought: Sought) -> Select[Any]:
    e = t.record_entry.c
    statement = select(e.id, e.body, t.announcement.c.public_id).outerjoin(
        t.announcement, t.announcement.c.id == e.announcement_id
    )
    if sought.announcements is not None:
        about = e.announcement_id.in_(sorted(sought.announcements))
        # Of somebody: what is about no announcement may name them too.
        statement = statement.where(about if sought.person is None else about | e.announcement_id.is_(None))
    if sought.kind is not None:
        whole = e.kind == sought.kind
        statement = statement.where(whole | e.kind.startswith(f"{sought.kind}.", autoescape=True))
    if sought.since is not None:
        statement = statement.where(e.at >= sought.since)
    if sought.until is not None:
        statement = statement.where(e.at < sought.until)
    return statement


def _fitting(sought: Sought, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The facts of an entry that fits, of its lists only what was asked for; None for one that does not."""
    actor: Mapping[str, Any] = body["actor"]
    facts: Mapping[str, Any] = body["facts"]
    if sought.actor is not None and sought.actor not in (
        actor["id"],
        actor["on_behalf_of"],
        actor.get("token"),
    ):
        return None
    if sought.deliveries is None and sought.person is None:
        return facts
    wanted = sought.deliveries or frozenset()
    about = sought.person is not None and any(facts.get(name) == sought.person for name in _PEOPLE)
    if about or facts.get("delivery") in wanted:
        return facts
    listed = {
        name: [one for one in facts[name] if _number(one) in wanted] for name in _LISTS if name in facts
    }
    return {**facts, **listed} if any(listed.values()) else None


def _number(one: Any) -> Any:
    return one[0] if isinstance(one, list) else one


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {name: _shown(each) for name, each in value.items()}
    if isinstance(value, list):
        cut = [_shown(each) for each in value[:MOST_LISTED]]
        return [*cut, f"… and {len(value) - MOST_LISTED} more"] if len(value) > MOST_LISTED else cut
    return value
