"""OneRoster 1.1 and 1.2 CSV: what a school's information system exports.

Columns are found by name and files by what is there; only manifest.csv is mandatory. The version decides
nothing: 1.1 keeps a user's role in users.csv, 1.2 in roles.csv, and both are read wherever they stand.
Usernames, passwords, userProfiles.csv and all of demographics.csv but the birthday are never taken out of the
files.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from broker.rosters.roster import GroupKind, Role, Roster, RosterPerson, RosterTerm, TermKind
from sources.rosters.errors import refuse
from sources.rosters.gathering import Gathering
from sources.rosters.progress import Files
from sources.rosters.table import Row, Table, open_table
from sources.rosters.values import Values, listed, year_of

MANIFEST = "manifest.csv"
SEPARATOR = ","

_ROLES = {
    "student": Role.PUPIL,
    **dict.fromkeys(("parent", "guardian", "relative"), Role.GUARDIAN),
    **dict.fromkeys(("teacher", "administrator", "aide", "proctor", "counselor", "principal"), Role.STAFF),
    **dict.fromkeys(("districtadministrator", "siteadministrator", "systemadministrator"), Role.STAFF),
}
_SESSIONS = {kind.value.replace("_", ""): kind for kind in TermKind}  # the standard writes schoolYear
_GONE = {"tobedeleted", "inactive"}
_NEEDED = {"users.csv", "roles.csv", "classes.csv", "enrollments.csv"}  # promised and not there: refused


def read(files: Files, *, region: str, today: date) -> Roster:
    """The roster of a OneRoster export. Raises `RosterRefused`."""
    values = Values(region=region, today=today)
    manifest = _Manifest.of(files, values)
    return _Reader(files, manifest, values).read()


class _Manifest(NamedTuple):
    version: str
    absent: frozenset[str]

    @classmethod
    def of(cls, files: Files, values: Values) -> _Manifest:
        version, absent, told = "", set(), False
        with open_table(files, MANIFEST, required=("propertyName", "value")) as table:
            for row in table:
                name, value = row["propertyName"].casefold(), row["value"].casefold()
                if name == "oneroster.version":
                    version = value[:10]
                if not name.startswith("file."):
                    continue
                file = f"{name.removeprefix('file.')}.csv"
                if value == "absent":
                    absent.add(file)
                elif file in _NEEDED and file not in files:
                    table.refuse_row(
                        "missing_file", f"The manifest names {file}, which is not there.", "Export it again."
                    )
                if value == "delta" and not told:
                    told = True
                    values.note(
                        row, "value", "delta", "These are changes only; they were read as the whole school."
                    )
        if not version.startswith("1."):
            refuse(
                "unknown_version",
                MANIFEST,
                "The manifest does not say that this is OneRoster 1.1 or 1.2.",
                "Choose OneRoster 1.1 or 1.2 CSV when you export.",
            )
        return cls(version, frozenset(absent))


class _Period(NamedTuple):
    begins_on: date | None = None
    ends_on: date | None = None


class _Reader:
    """Goes through the files in the order in which they refer to each other."""

    def __init__(self, files: Files, manifest: _Manifest, values: Values) -> None:
        self._files = files
        self._manifest = manifest
        self._values = values
        self._gathering = Gathering(f"oneroster {manifest.version}", values, files.limits)
        self._departments: dict[str, str] = {}  # orgs of type department: id → name
        self._courses: dict[str, tuple[str, str | None]] = {}  # id → title, department
        self._sessions: dict[str, _Period] = {}
        self._terms: list[RosterTerm] = []
        self._periods: dict[str, _Period] = {}  # of each class, by its terms
        self._roles: dict[str, set[Role]] = {}  # from roles.csv
        self._born: dict[str, date] = {}
        self._gone: set[str] = set()  # users and classes that are there and no longer count
        self._agents: list[tuple[str, Row]] = []
        self._forms: dict[str, set[str]] = {}  # pupil → forms of today

    def read(self) -> Roster:
        self._read_orgs()
        self._read_courses()
        self._read_sessions()
        self._read_classes()
        self._read_roles()
        self._read_birthdays()
        self._read_users()
        self._read_enrolments()
        self._link_guardians()
        self._place_pupils()
        return self._gathering.roster(tuple(self._terms) if self._has("academicsessions.csv") else None)

    def _has(self, name: str) -> bool:
        return name in self._files and name not in self._manifest.absent

    def _rows(
        self, name: str, *, required: tuple[str, ...], optional: tuple[str, ...] = ()
    ) -> Iterable[tuple[Table, Row]]:
        if not self._has(name):
            return
        with open_table(self._files, name, required=required, optional=optional) as table:
            for row in table:
                yield table, row

    def _read_orgs(self) -> None:
        schools = 0
        for _, row in self._rows("orgs.csv", required=("sourcedId",), optional=("status", "name", "type")):
            kind = row["type"].casefold()
            if kind == "department":
                self._departments[row["sourcedId"]] = self._values.name(row, "name")
            schools += kind == "school" and not _is_gone(row)
            if schools == 2 and kind == "school":
                self._values.note(
                    row, "type", "several_schools", "A ledger is one school; all were read as one."
                )

    def _read_courses(self) -> None:
        for _, row in self._rows("courses.csv", required=("sourcedId",), optional=("title", "orgSourcedId")):
            self._courses[row["sourcedId"]] = (
                self._values.name(row, "title"),
                self._departments.get(row["orgSourcedId"]),
            )

    def _read_sessions(self) -> None:
        for table, row in self._rows(
            "academicsessions.csv",
            required=("sourcedId",),
            optional=("status", "title", "type", "startDate", "endDate", "parentSourcedId", "schoolYear"),
        ):
            session = row["sourcedId"]
            self._check_id(table, session, seen=session in self._sessions)
            period = _Period(self._values.day(row, "startDate"), self._values.day(row, "endDate"))
            if self._is_reversed(row, "endDate", period):
                period = _Period()
            self._sessions[session] = period
            if not _is_gone(row) and period.begins_on and period.ends_on:
                self._note_term(row, period.begins_on, period.ends_on)

    def _note_term(self, row: Row, begins_on: date, ends_on: date) -> None:
        """Put a session with both of its days into the term calendar."""
        kind = _SESSIONS.get(row["type"].casefold())
        if kind is None:
            self._values.note(row, "type", "unknown_term", "OneRoster has no such kind of academic session.")
            return
        name = self._values.name(row, "title") or self._values.name(row, "schoolYear") or row["sourcedId"]
        self._terms.append(
            RosterTerm(row["sourcedId"], name, kind, begins_on, ends_on, row["parentSourcedId"] or None)
        )

    def _read_classes(self) -> None:
        optional = (
            "status",
            "title",
            "courseSourcedId",
            "classCode",
            "classType",
            "schoolSourcedId",
            "termSourcedIds",
        )
        for table, row in self._rows("classes.csv", required=("sourcedId",), optional=optional):
            class_id = row["sourcedId"]
            group_id = f"class:{class_id}"
            self._check_id(
                table, class_id, seen=self._gathering.has_group(group_id) or group_id in self._gone
            )
            if _is_gone(row):
                self._gone.add(group_id)
                continue
            title, department = self._courses.get(row["courseSourcedId"], ("", None))
            code = self._values.name(row, "classCode")
            self._gathering.group(
                group_id,
                self._values.name(row, "title") or title or code or class_id,
                GroupKind.FORM if row["classType"].casefold() == "homeroom" else GroupKind.CLASS,
                department=department or self._departments.get(row["schoolSourcedId"]),
                apart=code,
            )
            self._periods[group_id] = self._period_of(row)

    def _period_of(self, row: Row) -> _Period:
        """From the first day of a class's terms to the last; an unknown term leaves that open."""
        terms = [self._sessions.get(term, _Period()) for term in listed(row["termSourcedIds"], SEPARATOR)]
        begins = [term.begins_on for term in terms]
        ends = [term.ends_on for term in terms]
        return _Period(
            min((day for day in begins if day), default=None) if all(begins) else None,
            max((day for day in ends if day), default=None) if all(ends) else None,
        )

    def _read_roles(self) -> None:
        optional = ("status", "beginDate", "endDate")
        for _, row in self._rows("roles.csv", required=("userSourcedId", "role"), optional=optional):
            if _is_gone(row):
                continue
            period = _Period(self._values.day(row, "beginDate"), self._values.day(row, "endDate"))
            if self._is_reversed(row, "endDate", period) or not _covers(period, self._values.today):
                continue
            if (role := self._role(row)) is not None:
                self._roles.setdefault(row["userSourcedId"], set()).add(role)

    def _read_birthdays(self) -> None:
        for _, row in self._rows("demographics.csv", required=("sourcedId",), optional=("birthDate",)):
            if (born := self._values.birthday(row, "birthDate")) is not None:
                self._born[row["sourcedId"]] = born

    def _read_users(self) -> None:
        required = ("sourcedId", "givenName", "familyName")
        optional = (
            *("status", "enabledUser", "role", "grades", "preferredGivenName", "preferredFamilyName"),
            *("email", "sms", "phone", "agentSourcedIds"),
        )
        for table, row in self._rows("users.csv", required=required, optional=optional):
            user = row["sourcedId"]
            self._check_id(table, user, seen=user in self._gathering.people or f"user:{user}" in self._gone)
            if _is_gone(row) or not self._values.flag(row, "enabledUser", default=True):
                self._gone.add(f"user:{user}")
                continue
            self._gathering.add(self._person(row), row)
            if row["agentSourcedIds"]:
                self._agents.append((user, row))

    def _person(self, row: Row) -> RosterPerson:
        values, user = self._values, row["sourcedId"]
        roles = frozenset(self._roles.get(user, set()) | {role for role in [self._role(row)] if role})
        # `phone` may be any telephone, so it is asked only where `sms` gives no number to text.
        mobile = values.mobile_of(row, "sms", "phone")
        email = values.email(row, "email")
        person = RosterPerson(
            user,
            roles,
            values.given_name(row, "givenName"),
            values.name(row, "preferredFamilyName") or values.name(row, "familyName"),
            preferred_name=values.name(row, "preferredGivenName") or None,
            mobiles=(mobile,) if mobile else (),
            emails=(email,) if email else (),
            year=self._year(row) if Role.PUPIL in roles else None,
            born=self._born.get(user),
            mobile_refused=mobile is None and bool(row["sms"] or row["phone"]),
            email_refused=email is None and bool(row["email"]),
        )
        if not roles:
            values.note(row, "role", "no_role", "Without a role of today nobody is reached.")
        if not (person.given_name or person.family_name):
            values.note(row, "givenName", "no_name", "This person has no name.")
        return person

    def _year(self, row: Row) -> str | None:
        grades = self._values.names(row, "grades", SEPARATOR)
        if len(grades) > 1:
            self._values.note(row, "grades", "several_years", "A pupil is in one year only; none was taken.")
            return None
        return year_of(grades[0]) if grades else None

    def _role(self, row: Row) -> Role | None:
        word = row["role"].casefold()
        if word and word not in _ROLES:
            self._values.note(row, "role", "unknown_role", "OneRoster has no such role.")
        return _ROLES.get(word)

    def _read_enrolments(self) -> None:
        required = ("classSourcedId", "userSourcedId", "role")
        optional = ("status", "beginDate", "endDate")
        for _, row in self._rows("enrollments.csv", required=required, optional=optional):
            group = f"class:{row['classSourcedId']}"
            if _is_gone(row) or not self._joins(row, group):
                continue
            person = self._gathering.people[row["userSourcedId"]]
            whole = self._periods[group]
            period = _Period(
                self._values.day(row, "beginDate") or whole.begins_on,
                self._values.day(row, "endDate") or whole.ends_on,
            )
            role = self._role(row)
            if role is None or self._is_reversed(row, "endDate", period):
                continue
            self._gathering.member(group, person, role, period.begins_on, period.ends_on)
            if role is Role.PUPIL and _covers(period, self._values.today):
                self._note_form(person, group)

    def _joins(self, row: Row, group: str) -> bool:
        """Whether both ends of an enrolment are there; what was left out on purpose is no problem."""
        user = row["userSourcedId"]
        if not self._gathering.has_group(group):
            if group not in self._gone:
                self._values.note(row, "classSourcedId", "missing_class", "This class is not in classes.csv.")
            return False
        if user not in self._gathering.people:
            if f"user:{user}" not in self._gone:
                self._values.note(row, "userSourcedId", "missing_person", "This user is not in users.csv.")
            return False
        return True

    def _note_form(self, person: RosterPerson, group: str) -> None:
        if (form := self._gathering.form_name(group)) is not None:
            self._forms.setdefault(person.source_id, set()).add(form)

    def _link_guardians(self) -> None:
        """Join by agentSourcedIds, from either side. A pupil's own row tells the order to ask in."""
        people = self._gathering.people
        for user, row in sorted(self._agents, key=lambda held: Role.PUPIL not in people[held[0]].roles):
            for agent in listed(row["agentSourcedIds"], SEPARATOR):
                if f"user:{agent}" not in self._gone:
                    self._link(people[user], people.get(agent), row)

    def _link(self, user: RosterPerson, agent: RosterPerson | None, row: Row) -> None:
        """A guardian is one by role: a tutor or a brother may be somebody's agent too."""
        others = agent.roles if agent is not None else frozenset()
        if agent is not None and Role.PUPIL in user.roles and Role.GUARDIAN in others:
            self._gathering.guardian(agent, user, blocked=None)
        elif agent is not None and Role.GUARDIAN in user.roles and Role.PUPIL in others:
            self._gathering.guardian(user, agent, blocked=None)
        elif Role.GUARDIAN in user.roles:
            code = "guardian_of_nobody" if agent is None else "not_a_pupil"
            self._values.note(row, "agentSourcedIds", code, "An id here belongs to no pupil of this roster.")
        elif Role.PUPIL in user.roles:
            code = "missing_guardian" if agent is None else "not_a_guardian"
            self._values.note(
                row, "agentSourcedIds", code, "An id here belongs to no guardian of this roster."
            )

    def _place_pupils(self) -> None:
        for person in list(self._gathering.people.values()):
            if person.year is not None:
                self._gathering.year(person, person.year, Role.PUPIL)
            if len(forms := self._forms.get(person.source_id, set())) == 1:
                self._gathering.people[person.source_id] = replace(person, form=next(iter(forms)))

    def _check_id(self, table: Table, source_id: str, *, seen: bool) -> None:
        if not source_id:
            table.refuse_row("missing_id", "This row has no sourcedId.", "Export it again.")
        if seen:
            table.refuse_row("duplicate_id", "This sourcedId stands in the file twice.", "Export it again.")

    def _is_reversed(self, row: Row, column: str, period: _Period) -> bool:
        if period.begins_on is None or period.ends_on is None or period.begins_on <= period.ends_on:
            return False
        self._values.note(row, column, "dates_reversed", "This ends before it begins.")
        return True


def _is_gone(row: Row) -> bool:
    return bool(status := row["status"]) and status.casefold() in _GONE


def _covers(period: _Period, day: date) -> bool:
    return (period.begins_on or day) <= day <= (period.ends_on or day)
