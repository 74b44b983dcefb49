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
    """What each column looks like by its header. Once a contact has begun, a number belongs to that contact."""
    found: list[str] = []
    contact = 0
    for header in headers:
        folded = fold_header(header)
        numbered = _CONTACT.match(folded) if rows is Rows.PUPILS else None
        if numbered:
            contact, guess = _of_contact(numbered, contact)
        else:
            known = _KNOWN.get(folded, "")
            theirs = f"guardian{contact}.{known}"
            is_theirs = (
                0 < contact <= CONTACTS and known in GUARDIAN and known != "id" and theirs not in found
            )
            guess = theirs if is_theirs else known
            guess = guess if not contact or is_theirs or known not in GUARDIAN else ""
        found.append(guess if guess not in found else "")
    return found


def _of_contact(header: re.Match[str], contact: int) -> tuple[int, str]:
    """ "Contact 2: mobile", or one of several called "Contact": whose it is now, and what it holds."""
    known = _KNOWN.get(header[2], "name" if header[2] in {"", "name"} else "")
    if header[1]:
        contact = int(header[1])
    elif known == "name":
        contact += 1
    good = known in GUARDIAN and 1 <= contact <= CONTACTS
    return contact, f"guardian{contact}.{known}" if good else ""
