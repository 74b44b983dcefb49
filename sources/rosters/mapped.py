"""A school's own report, read through a mapping: a row a pupil with the guardians in further columns, or a row a
member of staff.

A pupil may stand in many rows (one for each contact, or for each class): what the rows share is taken once. A report
that holds no ids of guardians is common; then those of one name who share a number or an email are one person, whose
id is made up here and who is found again in the ledger by name and pupils.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from broker.address import AddressKind, mask
from broker.rosters.mapping import NO_HEADERS, PERSON, Encoding, ReportMapping, Rows, is_secret, places
from broker.rosters.roster import GroupKind, Role, Roster, RosterPerson
from sources.rosters import full_names
from sources.rosters.archive import open_one
from sources.rosters.contacts import Contact, Contacts
from sources.rosters.gathering import UNRANKED, Gathering
from sources.rosters.limits import LIMITS, Limits
from sources.rosters.progress import Tell, nothing_to_collect, quiet
from sources.rosters.table import Row, Shape, Table
from sources.rosters.values import Values, truth, year_of

SEPARATOR = ";"
MOST_RANKS = 99
FEWEST_DIGITS = 7  # of a telephone number
LONGEST_SHOWN = 40


class Report(NamedTuple):
    """A file, and how it is read."""

    path: Path
    mapping: ReportMapping


def read(
    reports: Sequence[Report], *, region: str, today: date, limits: Limits = LIMITS, tell: Tell = quiet
) -> Roster:
    """The roster of one or several reports; `tell` hears how far each has come. It speaks for whom its mappings do.

    Raises `RosterRefused` for a fault of a file and `BadMapping` where a report's columns have moved.
    """
    values = Values(region=region, today=today)
    reader = Reader(" + ".join(report.mapping.name for report in reports), values, limits)
    for report in reports:
        reader.begin(report.mapping)
        with nothing_to_collect(), open_report(report, limits, tell) as table:
            for row in table:
                reader.take(table, row, report.mapping)
    return reader.roster()


class Shown(NamedTuple):
    """One row of a report, as it was understood; addresses are masked, and None is one that cannot be used."""

    number: int
    cells: Mapping[str, str | None]


def preview(
    report: Report, *, region: str, today: date, most: int, limits: Limits = LIMITS
) -> Sequence[Shown]:
    """The first rows of a report, field by field. Raises as `read` does."""
    values = Values(region=region, today=today)
    with open_report(report, limits) as table:
        return [
            Shown(row.number, {field: _shown(values, row, field) for field in report.mapping.columns})
            for row in islice(table, most)
        ]


def headers(path: Path, *, header_row: int = 1, encoding: Encoding = Encoding.UTF_8) -> Sequence[str]:
    """What stands over the columns of a report; "" over each where there are no headers. Raises `RosterRefused`."""
    with _opened(path, header_row, encoding) as table:
        return table.headers


def first_row(path: Path, *, encoding: Encoding = Encoding.UTF_8) -> Sequence[str]:
    """What a report without headers begins with, to tell its columns by; what may be an address or a day is hidden."""
    with _opened(path, NO_HEADERS, encoding) as table:
        return [_discreet(" ".join(cell.split())) for cell in table.first_row or ()]


def samples(
    path: Path, *, header_row: int = 1, encoding: Encoding = Encoding.UTF_8, most: int
) -> Sequence[Sequence[str]]:
    """What the first rows hold, column by column, to tell the columns by.

    What may be an address or a day is hidden, and what stands under a password's header. Raises `RosterRefused`.
    """
    found = headers(path, header_row=header_row, encoding=encoding)
    columns = tuple(str(at) for at in range(len(found)))
    hidden = [is_secret(header) for header in found]
    shape = Shape((), columns, header_row, encoding, lambda _: range(len(columns)))
    with open_one(path, LIMITS) as stream:
        rows = islice(Table(path.name, stream, LIMITS, shape), most)
        return [
            [
                "•••" if secret else _discreet(" ".join(cell.split()))
                for secret, cell in zip(hidden, row.cells(columns), strict=True)
            ]
            for row in rows
        ]


@contextmanager
def _opened(path: Path, header_row: int, encoding: Encoding) -> Iterator[Table]:
    shape = Shape(header_row=header_row, encoding=encoding, mapped=lambda _: ())
    with open_one(path, LIMITS) as stream:
        yield Table(path.name, stream, LIMITS, shape)


def _discreet(cell: str) -> str:
    return "•••" if "@" in cell or sum(map(str.isdigit, cell)) >= FEWEST_DIGITS else cell[:LONGEST_SHOWN]


def _shown(values: Values, row: Row, field: str) -> str | None:
    match field.rpartition(".")[2]:
        case "mobile" | "phone":
            mobile = values.mobile(row, field)
            return mobile and mask(AddressKind.MOBILE, mobile) if row[field] else ""
        case "email":
            email = values.email(row, field)
            return email and mask(AddressKind.EMAIL, email) if row[field] else ""
    return values.name(row, field)


@contextmanager
def open_report(report: Report, limits: Limits, tell: Tell = quiet) -> Iterator[Table]:
    """The table of a report, with our fields for its columns."""
    mapping = report.mapping
    fields = tuple(dict.fromkeys((*PERSON, *mapping.columns)))

    def found(headers: Sequence[str]) -> Sequence[int]:
        at = places(mapping, headers)
        return [at.get(field, -1) for field in fields]

    labels = {field: column.told for field, column in mapping.columns.items()}
    shape = Shape((), fields, mapping.header_row, mapping.encoding, found, labels)
    with open_one(report.path, limits, tell) as stream:
        yield Table(report.path.name, stream, limits, shape)


class Reader:
    """Takes row after row; `roster` is what they came to."""

    def __init__(self, source: str, values: Values, limits: Limits = LIMITS) -> None:
        self.values = values
        self.gathering = Gathering(source, values, limits)
        self.contacts = Contacts(values, self.gathering)
        self._speaks_for: set[Role] = set()
        self._seen: dict[str, tuple[str, ...]] = {}  # each person's own cells, as they stood first

    def begin(self, mapping: ReportMapping) -> None:
        """Another report, whose rows come next."""
        self._speaks_for |= mapping.speaks_for

    def take(self, table: Table, row: Row, mapping: ReportMapping) -> None:
        """One row: its person once, its groups, and the guardians in it."""
        if not row["id"]:
            table.refuse_row(
                "missing_id",
                "This row has no id, so nobody knows whom it is about.",
                "Let the report repeat the id on every row, and leave totals out.",
            )
        staff = mapping.rows is Rows.STAFF
        source_id = f"staff:{row['id']}" if staff else row["id"]
        named = "name" in mapping.columns or not {"given_name", "family_name"}.isdisjoint(mapping.columns)
        person = self._person(table, row, source_id, staff=staff) if named else None
        person = person or self.gathering.people.get(source_id)
        if person is None:
            self.values.note(row, "id", "missing_person", "No report before this one has a pupil of this id.")
            return
        self._join(row, person)
        for n in mapping.guardians:
            self._contact(row, person, n, mapping)

    def roster(self) -> Roster:
        """The whole; guardians who were told without an id get theirs now."""
        derived = self.contacts.settle()
        return self.gathering.roster(derived=derived, speaks_for=frozenset(self._speaks_for))

    def _person(self, table: Table, row: Row, source_id: str, *, staff: bool) -> RosterPerson | None:
        """Somebody who is new here; None for another row of somebody who is known."""
        cells = row.cells(OWN)
        first = self._seen.setdefault(source_id, cells)
        if first is not cells:
            self._compare(table, row, first, cells)
            return None
        values = self.values
        given, family = self._names(row, "")
        mobile = values.mobile_of(row, "mobile", "phone")
        email = values.email(row, "email")
        person = RosterPerson(
            source_id,
            frozenset({Role.STAFF if staff else Role.PUPIL}),
            given,
            family,
            preferred_name=values.name(row, "preferred_name") or None,
            mobiles=(mobile,) if mobile else (),
            emails=(email,) if email else (),
            year=None if staff else year_of(values.name(row, "year")),
            form=None if staff else values.name(row, "form") or None,
            born=values.birthday(row, "born"),
            language=values.language(row, "language"),
            mobile_refused=mobile is None and bool(row["mobile"] or row["phone"]),
            email_refused=email is None and bool(row["email"]),
        )
        if not (given or family):
            values.note(row, "name" if row["name"] else "given_name", "no_name", "This person has no name.")
        self.gathering.add(person, row)
        return person

    def _compare(self, table: Table, row: Row, first: tuple[str, ...], cells: tuple[str, ...]) -> None:
        """Two people under one id refuse the file; anything else that differs is told, and the first row counts."""
        for field, one, other in zip(OWN, first, cells, strict=True):
            if other and one and one != other:
                if field in NAMES:
                    hint = "One id must be one person's in the whole report."
                    table.refuse_row("duplicate_id", "This id is another person's in a row above.", hint)
                message = "Another row says something else here; the first one counts."
                self.values.note(row, field, "contradiction", message)

    def _names(self, row: Row, prefix: str) -> tuple[str, str]:
        values, whole = self.values, f"{prefix}name"
        if row.has(whole) and row[whole]:
            return full_names.split(values.given_name(row, whole))
        given, family = f"{prefix}given_name", f"{prefix}family_name"
        return (
            values.given_name(row, given) if row.has(given) else "",
            values.name(row, family) if row.has(family) else "",
        )

    def _join(self, row: Row, person: RosterPerson) -> None:
        values, gathering = self.values, self.gathering
        role = Role.STAFF if Role.STAFF in person.roles else Role.PUPIL
        year, form = year_of(values.name(row, "year")), values.name(row, "form")
        if role is Role.PUPIL:  # what another row contradicts is told, and the first one counts
            year, form = person.year, person.form or ""
        if year:
            gathering.year(person, year, role)
        if form:
            gathering.form(person, form, role)
        for field, kind in (("classes", GroupKind.CLASS), ("groups", GroupKind.CLUB)):
            for name in values.names(row, field, SEPARATOR):
                group = gathering.group(f"{kind.value}:{name.casefold()}", name, kind, apart=kind.value)
                gathering.member(group, person, role)

    def _contact(self, row: Row, pupil: RosterPerson, n: int, mapping: ReportMapping) -> None:
        prefix = f"guardian{n}."
        fields = [field for field in mapping.columns if field.startswith(prefix)]
        cells = row.cells(fields)
        if not any(cells) or self.contacts.knows(pupil.source_id, cells):
            return
        values = self.values
        cell = {field.removeprefix(prefix): value for field, value in zip(fields, cells, strict=True)}
        given, family = self._names(row, prefix)
        if not (given or family or cell.get("id")):
            values.note(row, fields[0], "no_name", "This guardian has neither a name nor an id; left out.")
            return
        mobile = values.mobile_of(row, *(f"{prefix}{f}" for f in ("mobile", "phone") if f in cell))
        email = values.email(row, f"{prefix}email") if "email" in cell else None
        self.contacts.add(
            Contact(
                source_id=f"guardian:{cell['id']}" if cell.get("id") else "",
                pupil=pupil.source_id,
                given_name=given,
                family_name=family,
                mobile=mobile,
                email=email,
                mobile_refused=mobile is None and bool(cell.get("mobile") or cell.get("phone")),
                email_refused=email is None and bool(cell.get("email")),
                language=values.language(row, f"{prefix}language") if "language" in cell else "",
                rank=self._rank(row, f"{prefix}priority") if "priority" in cell else UNRANKED,
                parental_responsibility=self._answer(row, prefix, "parental_responsibility", cell),
                lives_with=self._answer(row, prefix, "lives_with", cell),
                blocked=self._blocked(row, f"{prefix}blocked") if "blocked" in cell else None,
            ),
            row,
        )

    def _answer(self, row: Row, prefix: str, field: str, cell: dict[str, str]) -> bool | None:
        return self.values.answer(row, f"{prefix}{field}") if field in cell else None

    def _rank(self, row: Row, field: str) -> int:
        raw = row[field]
        if raw.isascii() and raw.isdigit() and 1 <= int(raw[:4]) <= MOST_RANKS:
            return int(raw)
        if raw:
            self.values.note(row, field, "bad_priority", f"A priority is a number from 1 to {MOST_RANKS}.")
        return UNRANKED

    def _blocked(self, row: Row, field: str) -> bool | None:
        """A block that cannot be read refuses the file: dropped, it would let messages through."""
        if row[field] and truth(row[field]) is None:
            row.refuse(
                "unreadable_block",
                field,
                "This cell should say yes or no: whether this guardian is blocked from this pupil.",
                "Write yes or no: a block is never guessed at, and never dropped.",
            )
        return truth(row[field])


NAMES = ("name", "given_name", "family_name")
OWN = (*NAMES, "preferred_name", "mobile", "phone", "email", "year", "form", "born", "language")
