"""Looking into the record: by announcement, delivery, person, actor, kind and time; a page at a time.

The database narrows by what it has an index of, the rest is read and left out here; one call reads a bounded stretch,
so that a rare word in a long record costs several short looks and never one long one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Connection, LargeBinary, Row, Select, case, cast, func, or_, select

from broker.address import AddressKind, mask
from ledger import tables as t
from ledger.reads.explained import explained

MOST = 200  # entries a page
BEGINNING = 1_500  # bytes of an entry in which it says who did it: four names of eighty letters, and more
READ = 200_000  # entries that one call reads at the most
# Numbers are given in the order of time, but for what a long transaction wrote: so far apart at the most.
OUT_OF_ORDER = timedelta(hours=1)
MOST_LISTED = 50  # things that one entry lists, as far as they are shown
UNREADABLE = "unreadable"  # the one fact of an entry that is not what Carillon wrote
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
    kinds: tuple[str, ...] = ()  # any of these, each whole or a beginning

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


def search(
    connection: Connection,
    sought: Sought,
    *,
    before: int | None = None,
    limit: int = 50,
    stretch: int | None = None,
) -> Page:
    """The newest entries that fit, before the entry with this id.

    `stretch`: look through so many entries at the most, whether they fit or not, and say where that ended.
    """
    found: list[Found] = []
    read, last = 0, None
    e = t.record_entry.c
    statement = _narrowed(sought).order_by(e.id.desc()).limit(READ)
    if before is not None:
        statement = statement.where(e.id < before)
    further = None
    if stretch is not None:
        first, last_id = _stretch(connection, sought, before, stretch)
        statement = statement.where(e.id >= first, e.id <= last_id)
        further = first if first > _since(connection, sought) else None
        if sought.actor is not None:
            theirs = _naming(connection, statement, sought.actor)
            most = min(limit, MOST)
            statement = statement.where(e.id.in_(theirs[:most]))
            further = theirs[most - 1] if len(theirs) > most else further
    with connection.execute(statement.execution_options(yield_per=500)) as rows:
        for row in rows:
            read, last = read + 1, row.id
            one = _found(sought, row)
            if one is not None:
                found.append(one)
                if len(found) == min(limit, MOST):
                    break
        else:
            if read < READ:
                last = further
    if sought.deliveries is not None:
        found = _with_keys(connection, found)
    return Page(found, last)


def _found(sought: Sought, row: Row[Any]) -> Found | None:
    try:
        body = json.loads(row.body)
        facts = _fitting(sought, body)
        if facts is None:
            return None
        return Found(row.id, body["at"], body["kind"], body["actor"], row.public_id, _shown(facts))
    except (
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ):  # somebody changed it: it is shown all the same
        nobody = {"kind": "system", "id": "", "department": None, "on_behalf_of": None}
        return Found(row.id, row.at.isoformat(), row.kind, nobody, row.public_id, {UNREADABLE: True})


def _naming(connection: Connection, narrowed: Select[Any], actor: str) -> Sequence[int]:
    """Those in whose beginning a name stands: who did it is told first, and an entry may be long. Newest first."""
    e = t.record_entry.c
    begins = func.substr(e.body, 1, BEGINNING, type_=LargeBinary)
    name = json.dumps(actor, ensure_ascii=False).encode()
    rows = connection.execute(
        narrowed.with_only_columns(e.id, begins.label("begins"), maintain_column_froms=True)
    )
    return [row.id for row in rows if name in bytes(row.begins)]


def _stretch(connection: Connection, sought: Sought, before: int | None, length: int) -> tuple[int, int]:
    """The first and the last number of the entries that one call looks through."""
    e = t.record_entry.c
    last = before - 1 if before is not None else connection.execute(select(func.max(e.id))).scalar_one() or 0
    if sought.until is not None:
        last = min(last, _number_at(connection, sought.until + OUT_OF_ORDER))
    return max(last - length + 1, _since(connection, sought)), last


def _since(connection: Connection, sought: Sought) -> int:
    """The number before which nothing is of that time."""
    return 1 if sought.since is None else _number_at(connection, sought.since - OUT_OF_ORDER)


def _number_at(connection: Connection, moment: datetime) -> int:
    """About which entry was written then, found by halves in one statement: there is no index of the times."""
    e = t.record_entry.c
    whole = select(
        cast(1, BigInteger).label("low"), cast(func.coalesce(func.max(e.id), 0) + 1, BigInteger).label("high")
    )
    span = whole.cte("span", recursive=True)
    middle = (span.c.low + span.c.high) // 2
    there = select(e.at).where(e.id >= middle).order_by(e.id).limit(1).correlate(span).scalar_subquery()
    earlier = there < moment
    halved = select(
        case((earlier, middle + 1), else_=span.c.low), case((earlier, span.c.high), else_=middle)
    ).where(span.c.low < span.c.high)
    halves = span.union_all(halved)
    return int(connection.execute(select(func.max(halves.c.low))).scalar_one())


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
    statement = select(e.id, e.at, e.kind, e.body, t.announcement.c.public_id).outerjoin(
        t.announcement, t.announcement.c.id == e.announcement_id
    )
    if sought.announcements is not None:
        about = e.announcement_id.in_(sorted(sought.announcements))
        # Of somebody: what is about no announcement may name them too.
        statement = statement.where(about if sought.person is None else about | e.announcement_id.is_(None))
    if sought.kind is not None:
        whole = e.kind == sought.kind
        statement = statement.where(whole | e.kind.startswith(f"{sought.kind}.", autoescape=True))
    if sought.kinds:
        any_of = ((e.kind == kind) | e.kind.startswith(f"{kind}.", autoescape=True) for kind in sought.kinds)
        statement = statement.where(or_(*any_of))
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
