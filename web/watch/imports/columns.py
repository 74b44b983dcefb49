"""The columns of a school's own report: what they may hold, in plain words, and what each looks like it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from broker.errors import Problem
from broker.rosters.mapping import (
    GUARDIAN,
    PERSON,
    Encoding,
    ReportMapping,
    Rows,
    fold_header,
    is_secret,
    said,
)
from broker.rosters.staged import StagedFile
from config.import_kinds import laid_out
from sources import rosters
from sources.rosters import RosterRefused

CONTACTS = 4  # whose columns are offered; a report that has more was mapped at the command line
SAMPLES = 2  # rows that show what a column holds
MOST_COLUMNS = 120  # of a report that is mapped on a page: more is a whole database
PERSONS: Mapping[str, str] = {
    "id": "Id that never changes (admission number, staff code)",
    "name": "Whole name",
    "given_name": "First name",
    "family_name": "Family name",
    "preferred_name": "Name that is used",
    "mobile": "Mobile number",
    "phone": "Any telephone (used where no mobile stands)",
    "email": "Email",
    "year": "Year",
    "form": "Form",
    "classes": "Classes, with ; between",
    "groups": "Clubs and groups, with ; between",
    "born": "Day of birth",
    "language": "Language",
}
CONTACTS_FIELDS: Mapping[str, str] = {
    "id": "id",
    "name": "whole name",
    "given_name": "first name",
    "family_name": "family name",
    "mobile": "mobile number",
    "phone": "any telephone",
    "email": "email",
    "language": "language",
    "priority": "order to ask in",
    "parental_responsibility": "parental responsibility (yes or no)",
    "lives_with": "lives with the pupil (yes or no)",
    "blocked": "must hear nothing (yes or no)",
}
# What schools' own systems call these columns; anything else is for a person to say.
_KNOWN: Mapping[str, str] = {
    **dict.fromkeys(("id", "adno", "admission number", "admission no", "upn", "staff code", "code"), "id"),
    **dict.fromkeys(("forename", "first name", "given name", "legal forename"), "given_name"),
    **dict.fromkeys(("surname", "last name", "family name", "legal surname"), "family_name"),
    **dict.fromkeys(("preferred forename", "preferred name", "known as"), "preferred_name"),
    **dict.fromkeys(("name", "full name"), "name"),
    **dict.fromkeys(("mobile", "mobile number", "mobile phone"), "mobile"),
    **dict.fromkeys(("email", "e-mail", "email address", "primary email"), "email"),
    **dict.fromkeys(("telephone", "phone", "home telephone"), "phone"),
    **dict.fromkeys(("year", "year group", "nc year"), "year"),
    **dict.fromkeys(("form", "reg", "reg group", "registration group", "tutor group"), "form"),
    **dict.fromkeys(("dob", "date of birth"), "born"),
    **dict.fromkeys(("contact", "contact name", "guardian", "parent"), "guardian.name"),
}
_CONTACT = re.compile(r"\A(?:contact|guardian|parent)\s*(\d)?\s*[:.-]?\s*(.*)\Z")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a report: how it is pointed at, how its first rows look, and what it may hold."""

    told: str
    header: str
    samples: Sequence[str] = field(repr=False)
    guess: str = ""
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """How the file is laid out: where its headers are, how its letters are saved, whom a row is about."""

    header_row: int = 1
    encoding: Encoding = Encoding.UTF_8
    rows: Rows = Rows.PUPILS


def columns_of(file: StagedFile, layout: Layout) -> tuple[Sequence[Column], Problem | None]:
    """The columns of a report; none and why where it cannot be read so."""
    with laid_out([file]) as paths:
        try:
            headers = rosters.headers(paths[0], header_row=layout.header_row, encoding=layout.encoding)
            rows = rosters.samples(
                paths[0], header_row=layout.header_row, encoding=layout.encoding, most=SAMPLES
            )
        except RosterRefused as refused:
            return (), refused.problem
    if len(headers) > MOST_COLUMNS:
        hint = "let the report print only what is needed"
        message = f"this report has more than {MOST_COLUMNS} columns"
        return (), Problem("too_many_columns", "columns", message, hint)
    guesses = _guessed(headers, layout.rows)
    return [
        Column(told, header, [row[at] for row in rows], guesses[at], is_secret(header))
        for at, (told, header) in enumerate(zip(said(headers), headers, strict=True))
    ], None


def offered(rows: Rows, mapping: ReportMapping | None = None) -> Sequence[tuple[str, Mapping[str, str]]]:
    """What a column may be said to hold: groups of fields and their words."""
    found: list[tuple[str, Mapping[str, str]]] = [
        ("The member of staff" if rows is Rows.STAFF else "The pupil", {one: PERSONS[one] for one in PERSON})
    ]
    if rows is Rows.PUPILS:
        most = max([CONTACTS, *(mapping.guardians if mapping else ())])
        found += [
            (
                f"Contact {n}",
                {f"guardian{n}.{one}": f"Contact {n}: {CONTACTS_FIELDS[one]}" for one in GUARDIAN},
            )
            for n in range(1, most + 1)
        ]
    return found


def _guessed(headers: Sequence[str], rows: Rows) -> Sequence[str]:
    """What each column looks like by its header; each field once, a header that comes again is the next contact's."""
    taken: set[str] = set()
    found = []
    for header in headers:
        guess = next((one for one in _candidates(fold_header(header), rows) if one not in taken), "")
        taken.add(guess)
        found.append(guess)
    return found


def _candidates(header: str, rows: Rows) -> Sequence[str]:
    contact = _CONTACT.match(header)
    if contact and (contact[1] or contact[2]) and rows is Rows.PUPILS:
        known = _KNOWN.get(contact[2], "name" if not contact[2] else "").removeprefix("guardian.")
        if known not in GUARDIAN:
            return ()
        numbers = [int(contact[1])] if contact[1] else range(1, CONTACTS + 1)
        return [f"guardian{n}.{known}" for n in numbers if 1 <= n <= CONTACTS]
    known = _KNOWN.get(header, "")
    if known.startswith("guardian.") or (known in GUARDIAN and known not in {"id", "name"}):
        bare = known.removeprefix("guardian.")
        own = [] if known.startswith("guardian.") else [known]
        contacts = [f"guardian{n}.{bare}" for n in range(1, CONTACTS + 1)] if rows is Rows.PUPILS else []
        return [*own, *contacts]
    return [known] if known in PERSON else []
