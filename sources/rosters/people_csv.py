"""people.csv: the simple way in, one row a person, for a school whose system exports no OneRoster."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from broker.rosters.roster import GroupKind, Role, Roster, RosterPerson
from sources.rosters.errors import refuse
from sources.rosters.gathering import Gathering
from sources.rosters.progress import Files
from sources.rosters.table import Row, Table, open_table
from sources.rosters.values import Values, listed, year_of

NAME = "people.csv"
REQUIRED = ("id", "role", "given_name", "family_name")
OPTIONAL = (
    "preferred_name",
    "mobile",
    "email",
    "year",
    "form",
    "groups",
    "guardian_of",
    "blocked_from",
    "responsible_for",
    "lives_with",
    "born",
    "language",
)
LINKS = ("guardian_of", "blocked_from", "responsible_for", "lives_with")
SEPARATOR = ";"

_MISSING = (
    "Name the columns so in the first row, or say how a report of your own is read with --mapping: see"
    " docs/recipes/a-report-of-your-own.md."
)
_ROLES = {
    "pupil": Role.PUPIL,
    "student": Role.PUPIL,
    "guardian": Role.GUARDIAN,
    "parent": Role.GUARDIAN,
    "carer": Role.GUARDIAN,
    "relative": Role.GUARDIAN,
    "staff": Role.STAFF,
    "teacher": Role.STAFF,
}


def read(files: Files, *, region: str, today: date) -> Roster:
    """The roster of a people.csv. Raises `RosterRefused`."""
    values = Values(region=region, today=today)
    gathering = Gathering(NAME, values, files.limits)
    links: list[Row] = []
    with open_table(files, NAME, required=REQUIRED, optional=OPTIONAL, missing=_MISSING) as table:
        _note_unknown_columns(table, values)
        # Only a file with the column can lift a block, by leaving a pupil out of it.
        said = {column: table.has(column) for column in ("blocked_from", "responsible_for", "lives_with")}
        for row in table:
            _read_person(table, row, values, gathering)
            if any(row.cells(LINKS)):
                links.append(row)
    for row in links:
        _link(row, values, gathering, said)
        _block(row, gathering)
    return gathering.roster()


def _note_unknown_columns(table: Table, values: Values) -> None:
    """A misspelt `mobil` would lose every number in silence."""
    for header in table.unknown:
        meant = table.close_match(header)
        advice = f" It may be meant for {meant}." if meant else ""
        values.note(
            Row(table.file, 1, (), {}), header[:40], "unknown_column", f"This column is not read.{advice}"
        )


def _read_person(table: Table, row: Row, values: Values, gathering: Gathering) -> None:
    source_id = row["id"]
    if not source_id:
        table.refuse_row("missing_id", "This row has no id.", "Give every person an id that never changes.")
    if source_id in gathering.people:
        table.refuse_row("duplicate_id", "This id stands in the file twice.", "Give everybody one row.")
    roles = _roles(row, values)
    is_pupil = Role.PUPIL in roles
    year, form = year_of(values.name(row, "year")), values.name(row, "form") or None
    mobile, email = values.mobile(row, "mobile"), values.email(row, "email")
    person = RosterPerson(
        source_id,
        roles,
        values.given_name(row, "given_name"),
        values.name(row, "family_name"),
        preferred_name=values.name(row, "preferred_name") or None,
        mobiles=(mobile,) if mobile else (),
        emails=(email,) if email else (),
        year=year if is_pupil else None,
        form=form if is_pupil else None,
        born=values.birthday(row, "born"),
        language=values.language(row, "language"),
        mobile_refused=bool(row["mobile"]) and mobile is None,
        email_refused=bool(row["email"]) and email is None,
    )
    if not (person.given_name or person.family_name):
        values.note(row, "given_name", "no_name", "This person has no name.")
    gathering.add(person, row)
    _join_groups(row, person, year, form, values, gathering)


def _roles(row: Row, values: Values) -> frozenset[Role]:
    roles: set[Role] = set()
    for word in listed(row["role"].casefold(), SEPARATOR):
        if (role := _ROLES.get(word)) is not None:
            roles.add(role)
        else:
            values.note(row, "role", "unknown_role", "This role is none of pupil, guardian and staff.")
    if not row["role"]:
        values.note(row, "role", "no_role", "Without a role (pupil, guardian, staff) nobody is reached.")
    return frozenset(roles)


def _join_groups(
    row: Row, person: RosterPerson, year: str | None, form: str | None, values: Values, gathering: Gathering
) -> None:
    # A pupil who also teaches the juniors is in 7B as a pupil.
    role = next((role for role in (Role.PUPIL, Role.STAFF, Role.GUARDIAN) if role in person.roles), None)
    if role is None:
        return
    if role is Role.GUARDIAN and (year or form):
        # Guardians are reached through their children: this would put them into a class.
        values.note(
            row, "year" if year else "form", "guardian_in_a_form", "A guardian is in no year and no form."
        )
        year = form = None
    if year:
        gathering.year(person, year, role)
    if form:
        gathering.form(person, form, role)
    for name in values.names(row, "groups", SEPARATOR):
        gathering.member(
            gathering.group(f"club:{name.casefold()}", name, GroupKind.CLUB, apart="club"), person, role
        )


def _link(row: Row, values: Values, gathering: Gathering, said: Mapping[str, bool]) -> None:
    person, column = gathering.people[row["id"]], "guardian_of"
    if row[column] and Role.GUARDIAN not in person.roles:
        values.note(row, column, "not_a_guardian", "Only a guardian by role can look after a pupil.")
        return
    theirs = listed(row[column], SEPARATOR)
    responsible, home = (listed(row[one], SEPARATOR) for one in ("responsible_for", "lives_with"))
    for other in theirs:
        pupil = gathering.people.get(other)
        if pupil is None:
            values.note(row, column, "guardian_of_nobody", "One of these ids is nobody's in this file.")
        elif Role.PUPIL not in pupil.roles:
            values.note(row, column, "not_a_pupil", "One of these ids belongs to somebody who is no pupil.")
        else:
            gathering.guardian(
                person,
                pupil,
                blocked=False if said["blocked_from"] else None,
                parental_responsibility=other in responsible if said["responsible_for"] else None,
                lives_with=other in home if said["lives_with"] else None,
            )
    for column, named in (("responsible_for", responsible), ("lives_with", home)):
        if not set(named) <= set(theirs):
            values.note(row, column, "not_their_guardian", "An id here is not among those of guardian_of.")


def _block(row: Row, gathering: Gathering) -> None:
    """A block that names nobody refuses the file: dropped, it would let messages through."""
    person = gathering.people[row["id"]]
    for other in listed(row["blocked_from"], SEPARATOR):
        pupil = gathering.people.get(other)
        if Role.GUARDIAN not in person.roles or pupil is None or Role.PUPIL not in pupil.roles:
            refuse(
                "unreadable_block",
                f"{row.file}:{row.number}",
                "This row's blocked_from does not join a guardian to a pupil of this file.",
                "Correct the ids in blocked_from, or the roles: a block is never dropped.",
            )
        gathering.guardian(person, pupil, blocked=True)
