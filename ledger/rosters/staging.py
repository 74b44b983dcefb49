"""A roster laid beside the ledger: temporary tables that one connection sees, filled before the transaction begins.

Temporary on purpose: no lock, no journal, nothing to clean up after a crash, and two imports never meet in them.
People and groups are numbered here, so that 400,000 memberships are joined by small numbers instead of by text.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    not_,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError
from uuid6 import uuid7

from broker.address import AddressKind
from broker.audience import fold
from broker.moments import day_at
from broker.ports import Signer
from broker.rosters.roster import Role, Roster, RosterGroup, RosterProblem
from ledger.dialect import Dialect
from ledger.privacy.barred import stamp, with_struck_groups, without_barred
from ledger.rosters.parts import theirs_to_end
from ledger.rosters.people import keyed_hash
from ledger.rosters.periods import one_each
from ledger.rosters.recognise import recognised
from ledger.tables import Id, department, people_group, school

_TEMPORARY = ["TEMPORARY"]
_FOUND_LATER = {"person_id", "group_id", "term_id", "address_id"}  # when the transaction has begun
metadata = MetaData()

staged_person = Table(
    "staged_person",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("person_id", Id, index=True),  # who it is in the ledger, found when the transaction begins
    Column("source_id", Text, nullable=False, unique=True),
    Column("public_id", Uuid, nullable=False),
    Column("commitment_key", LargeBinary, nullable=False),
    Column("is_pupil", Boolean, nullable=False),
    Column("is_guardian", Boolean, nullable=False),
    Column("is_staff", Boolean, nullable=False),
    Column("given_name", Text, nullable=False),
    Column("family_name", Text, nullable=False),
    Column("preferred_name", Text),
    Column("year", Text),
    Column("form", Text),
    Column("born", Date),
    Column("language", Text, nullable=False),
    Column("mobile_refused", Boolean, nullable=False),
    Column("email_refused", Boolean, nullable=False),
    prefixes=_TEMPORARY,
)

staged_group = Table(
    "staged_group",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("group_id", Id, index=True),
    Column("source_id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("folded_name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("department_id", Id),
    prefixes=_TEMPORARY,
)

staged_membership = Table(
    "staged_membership",
    metadata,
    Column("group_n", Integer, primary_key=True, autoincrement=False),
    Column("person_n", Integer, primary_key=True, autoincrement=False),
    Column("role", Text, nullable=False),
    Column("begins_on", Date),
    Column("ends_on", Date),
    prefixes=_TEMPORARY,
)

staged_guardianship = Table(
    "staged_guardianship",
    metadata,
    Column("guardian_n", Integer, primary_key=True, autoincrement=False),
    Column("pupil_n", Integer, primary_key=True, autoincrement=False),
    Column("priority", SmallInteger, nullable=False),
    Column("parental_responsibility", Boolean),
    Column("lives_with", Boolean),
    Column("blocked", Boolean),
    prefixes=_TEMPORARY,
)

staged_address = Table(
    "staged_address",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("address_id", Id, index=True),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("commitment_key", LargeBinary, nullable=False),
    prefixes=_TEMPORARY,
)

staged_holding = Table(
    "staged_holding",
    metadata,
    Column("person_n", Integer, primary_key=True, autoincrement=False),
    Column("address_n", Integer, primary_key=True, autoincrement=False),
    Column("position", SmallInteger, nullable=False),
    prefixes=_TEMPORARY,
)

staged_term = Table(
    "staged_term",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("term_id", Id, index=True),
    Column("source_id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("begins_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("parent", Text),
    prefixes=_TEMPORARY,
)


@dataclass(frozen=True, slots=True)
class Staged:
    """What lies in the tables: where it came from, and every problem so far."""

    source: str
    problems: tuple[RosterProblem, ...]
    has_terms: bool  # whether the file speaks of terms at all: one that does not leaves them as they are
    speaks_for: frozenset[Role]
    barred: tuple[int, datetime | None, int]  # by what those were known who may not come back


@contextmanager
def staged(connection: Connection, dialect: Dialect, signer: Signer, roster: Roster) -> Iterator[Staged]:
    """Fill the staging tables in a transaction of their own; they are gone when the block ends."""
    try:
        with connection.begin():
            metadata.create_all(connection, checkfirst=False)
            barred = stamp(connection)  # before it is read: whoever is barred in between is noticed
            known = with_struck_groups(connection, signer, recognised(connection, roster))
            found = without_barred(connection, signer, known)
            groups, problems = _named_apart(connection, found)
            _load(connection, dialect, signer, replace(found, groups=groups))
        has_terms = found.terms is not None
        yield Staged(roster.source, found.problems + problems, has_terms, found.speaks_for, barred)
    finally:
        # The connection goes back to the pool. If it broke instead, the tables went with it.
        with suppress(DBAPIError), connection.begin():
            for table in metadata.tables:
                connection.execute(text(f"DROP TABLE IF EXISTS {table}"))


def _load(connection: Connection, dialect: Dialect, signer: Signer, roster: Roster) -> None:
    people = {person.source_id: n for n, person in enumerate(roster.people)}
    groups = {group.source_id: n for n, group in enumerate(roster.groups)}
    addresses: dict[bytes, tuple[int, AddressKind, str]] = {}
    filled: list[tuple[Table, Iterable[Sequence[Any]]]] = [
        (staged_person, _people(roster)),
        (staged_group, _groups(roster, _departments(connection))),
        (staged_term, _terms(roster)),
        (staged_membership, _memberships(roster, groups, people, _today(connection))),
        (staged_guardianship, _guardianships(roster, people)),
        (staged_holding, _holdings(roster, signer, addresses)),  # it finds the addresses on its way
        (staged_address, _addresses(addresses)),
    ]
    for table, records in filled:
        columns = [column.name for column in table.c if column.name not in _FOUND_LATER]
        dialect.load(connection, table.name, columns, records)
        connection.execute(text(f"ANALYZE {table.name}"))


def _today(connection: Connection) -> date:
    return day_at(datetime.now(UTC), connection.execute(select(school.c.zone)).scalar_one())


def _people(roster: Roster) -> Iterator[Sequence[Any]]:
    for n, person in enumerate(roster.people):
        yield (
            n,
            person.source_id,
            uuid7().hex,
            os.urandom(32),
            Role.PUPIL in person.roles,
            Role.GUARDIAN in person.roles,
            Role.STAFF in person.roles,
            person.given_name,
            person.family_name,
            person.preferred_name,
            person.year,
            person.form,
            _day(person.born),
            person.language,
            person.mobile_refused,
            person.email_refused,
        )


def _groups(roster: Roster, departments: Mapping[str, int]) -> Iterator[Sequence[Any]]:
    for n, group in enumerate(roster.groups):
        owner = departments.get(fold(group.department)) if group.department else None
        yield n, group.source_id, group.name, fold(group.name), group.kind.value, owner


def _terms(roster: Roster) -> Iterator[Sequence[Any]]:
    for n, term in enumerate(roster.terms or ()):
        days = term.begins_on.isoformat(), term.ends_on.isoformat()
        yield n, term.source_id, term.name, term.kind.value, *days, term.parent


def _memberships(
    roster: Roster, groups: Mapping[str, int], people: Mapping[str, int], today: date
) -> Iterator[Sequence[Any]]:
    for held in one_each(roster.memberships, today):
        yield (
            groups[held.group],
            people[held.person],
            held.role.value,
            _day(held.begins_on),
            _day(held.ends_on),
        )


def _guardianships(roster: Roster, people: Mapping[str, int]) -> Iterator[Sequence[Any]]:
    for held in roster.guardianships:
        yield (
            people[held.guardian],
            people[held.pupil],
            held.priority,
            held.parental_responsibility,
            held.lives_with,
            held.blocked,
        )


def _holdings(
    roster: Roster, signer: Signer, addresses: dict[bytes, tuple[int, AddressKind, str]]
) -> Iterator[Sequence[Any]]:
    """Who holds what, in the order of the file; two spellings of one mail address are one address."""
    for n, person in enumerate(roster.people):
        held: dict[int, int] = {}
        for kind, values in ((AddressKind.MOBILE, person.mobiles), (AddressKind.EMAIL, person.emails)):
            for position, value in enumerate(values, start=1):
                known = addresses.setdefault(keyed_hash(signer, kind, value), (len(addresses), kind, value))
                held.setdefault(known[0], position)
        for number, position in held.items():
            yield n, number, position


def _addresses(addresses: Mapping[bytes, tuple[int, AddressKind, str]]) -> Iterator[Sequence[Any]]:
    for keyed, (n, kind, value) in addresses.items():
        yield n, kind.value, value, keyed, os.urandom(32)


def _departments(connection: Connection) -> Mapping[str, int]:
    rows = connection.execute(select(department.c.id, department.c.slug, department.c.name))
    return {fold(word): row.id for row in rows for word in (row.slug, row.name)}


def _named_apart(
    connection: Connection, roster: Roster
) -> tuple[tuple[RosterGroup, ...], tuple[RosterProblem, ...]]:
    """No group takes the name of one that stays without being in the roster: whoever names it means that one."""
    told = {group.source_id for group in roster.groups}
    stays = select(people_group.c.folded_name, people_group.c.source_id).where(
        people_group.c.active, not_(theirs_to_end(roster.speaks_for))
    )
    taken = {row.folded_name for row in connection.execute(stays) if row.source_id not in told}
    named: list[RosterGroup] = []
    problems: list[RosterProblem] = []
    for group in roster.groups:
        name = group.name
        while fold(name) in taken:
            name = f"{name} ({group.source_id})"
        if name != group.name:
            message = "Another group has this name already, so this one goes by its name and its id."
            problems.append(RosterProblem("", 0, "name", "group_name_taken", message))
        taken.add(fold(name))
        named.append(replace(group, name=name))
    return tuple(named), tuple(problems)


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
