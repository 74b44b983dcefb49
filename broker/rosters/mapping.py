"""A mapping: which column of a school's own report holds what.

Schools design their reports themselves, so headers differ from school to school and repeat within one report: three
contacts make three columns "Mobile". A column is found by its header, by which of several of that header it is, or
by its position; whichever way, what stood there when the mapping was made must still stand there when it is used. A
report whose columns have moved is refused: one column to the left, and every text goes to somebody else's number. Of
one without headers only the count of its columns can be compared.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, NoReturn

from broker.errors import BadMapping, Problem
from broker.rosters.roster import Role

MOST_GUARDIANS = 9
MOST_HEADER_ROWS = 30
NO_HEADERS = 0  # of the rows, the one that holds the headers
LONGEST_NAME = 63

PERSON = (
    *("id", "name", "given_name", "family_name", "preferred_name", "mobile", "phone", "email"),
    *("year", "form", "classes", "groups", "born", "language"),
)
GUARDIAN = (
    *("id", "name", "given_name", "family_name", "mobile", "phone", "email", "language"),
    *("priority", "parental_responsibility", "lives_with", "blocked"),
)
FIELDS = (*PERSON, *(f"guardian{n}.{field}" for n in range(1, MOST_GUARDIANS + 1) for field in GUARDIAN))

_NAME = re.compile(r"\A[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\Z")
_POSITION = re.compile(r"\A@(?:([A-Za-z]{1,3})|([1-9]\d{0,3}))\Z")
_NTH = re.compile(r"\A(.+)#([1-9]\d?)\Z", re.DOTALL)
_SECRET = re.compile(r"pass\s*(?:word|code)|kennwort|passwort|mot de passe|\bpin\b", re.IGNORECASE)


class Rows(StrEnum):
    """Who a row of the report is about; a pupil's row may hold guardians in further columns."""

    PUPILS = "pupils"
    STAFF = "staff"


class Encoding(StrEnum):
    """How the report's letters are saved. Said, never guessed: a wrong guess shows on a parent's telephone."""

    UTF_8 = "utf-8"
    WINDOWS_1252 = "windows-1252"


@dataclass(frozen=True, slots=True)
class Column:
    """One column, as it stood in the report that the mapping was made on."""

    header: str
    at: int  # from 0
    nth: int = 1
    of: int = 1
    by_position: bool = False

    @property
    def told(self) -> str:
        """How a person would point at it."""
        if self.by_position:
            return f"column {letter(self.at)} ({self.header})" if self.header else f"column {letter(self.at)}"
        return f"{self.header} ({self.nth} of {self.of})" if self.of > 1 else self.header


@dataclass(frozen=True, slots=True)
class ReportMapping:
    """A report's reading, under a name: for each field of ours, one column of theirs."""

    name: str
    rows: Rows
    columns: Mapping[str, Column]
    header_row: int = 1  # reports may begin with a title, or have no headers at all
    encoding: Encoding = Encoding.UTF_8
    width: int = 0  # how many columns a report without headers has

    @property
    def guardians(self) -> Sequence[int]:
        """Which guardians a row has columns for, in order."""
        return sorted({int(field[8]) for field in self.columns if field.startswith("guardian")})

    @property
    def speaks_for(self) -> frozenset[Role]:
        """Of whom the report has everybody: who of them is not in it has left, and all others stay as they are."""
        if self.rows is Rows.STAFF:
            return frozenset({Role.STAFF})
        return frozenset({Role.PUPIL, Role.GUARDIAN} if self.guardians else {Role.PUPIL})

    def as_json(self) -> str:
        """What the ledger keeps."""
        return json.dumps(asdict(self))

    @classmethod
    def of_json(cls, body: str) -> ReportMapping:
        """A mapping as the ledger kept it."""
        told: dict[str, Any] = json.loads(body)
        columns = {field: Column(**column) for field, column in told["columns"].items()}
        return cls(
            told["name"],
            Rows(told["rows"]),
            columns,
            told["header_row"],
            Encoding(told["encoding"]),
            told.get("width", 0),
        )


def make(
    name: str,
    headers: Sequence[str],
    wanted: Mapping[str, str],
    *,
    rows: Rows = Rows.PUPILS,
    header_row: int = 1,
    encoding: Encoding = Encoding.UTF_8,
) -> ReportMapping:
    """A mapping of `wanted` (field → "Header", "Header#2" or "@G") on a report with these headers, "" for each of none.

    Raises BadMapping: a field or column that is not there, a header that stands there several times, what a row
    needs and nothing holds.
    """
    if len(name) > LONGEST_NAME or not _NAME.match(name):
        _refuse("bad_name", "name", "a mapping's name is made of a-z, 0-9 and -", "such as sims-contacts")
    in_order = sorted(wanted.items(), key=lambda one: FIELDS.index(one[0]) if one[0] in FIELDS else 0)
    columns = {field: _column(field, told, headers) for field, told in in_order}
    _check_fields(columns, rows)
    width = len(headers) if header_row == NO_HEADERS else 0
    return ReportMapping(name, rows, columns, header_row, encoding, width)


def places(mapping: ReportMapping, headers: Sequence[str]) -> Mapping[str, int]:
    """Where each field stands in a report with these headers. Raises BadMapping when the columns have moved."""
    if mapping.header_row == NO_HEADERS and len(headers) != mapping.width:
        first = next(iter(mapping.columns))
        _moved(first, f"the report had {mapping.width} columns and has {len(headers)}")
    found = {field: _place(field, column, headers) for field, column in mapping.columns.items()}
    # Repeated headers belong to what stands around them: among themselves they must stand as they stood.
    repeated = [field for field, column in mapping.columns.items() if column.of > 1]
    as_it_was = sorted(repeated, key=lambda field: mapping.columns[field].at)
    for before, after in pairwise(as_it_was):
        if found[before] > found[after]:
            _moved(after, "repeated headers do not stand in the order in which they stood")
    return found


def said(headers: Sequence[str]) -> Sequence[str]:
    """How each column is pointed at when a mapping is made: by its header alone, or by which of several it is."""
    several, seen = Counter(map(fold_header, headers)), Counter[str]()
    named = []
    for at, header in enumerate(headers):
        folded = fold_header(header)
        seen[folded] += 1
        which = f"{header}#{seen[folded]}" if several[folded] > 1 else header
        named.append(which if header else f"@{letter(at)}")
    return named


def letter(at: int) -> str:
    """A column's letter, as spreadsheets show it: 0 is A, 26 is AA."""
    letters, rest = "", at + 1
    while rest:
        rest, digit = divmod(rest - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def fold_header(header: str) -> str:
    """Headers are compared without case and with single spaces."""
    return _tidy(header).casefold()


def is_secret(header: str) -> bool:
    """Whether a column holds passwords, which are never read."""
    return _SECRET.search(header) is not None


def _tidy(header: str) -> str:
    return " ".join(header.split())


# --- how a column is named, and found again ------------------------------------------------------------------


def _column(field: str, told: str, headers: Sequence[str]) -> Column:
    if field not in FIELDS:
        close = [known for known in (*PERSON, *(f"guardian1.{f}" for f in GUARDIAN)) if known.endswith(field)]
        hint = f"did you mean {close[0]}?" if close else f"fields: {', '.join(PERSON)}; guardian1.mobile …"
        _refuse("unknown_field", field, "this is no field of a person or of a guardian", hint)
    column = _pointed_at(field, told.strip(), headers)
    if is_secret(column.header):
        _refuse("password_column", field, "this column holds a password, which is never read", "take it out")
    return column


def _pointed_at(field: str, told: str, headers: Sequence[str]) -> Column:
    if found := _POSITION.match(told):
        at = int(found[2]) - 1 if found[2] else _index(found[1])
        if at >= len(headers):
            last = f"its last column is {letter(len(headers) - 1)}"
            _refuse("unknown_column", field, "the report has no such column", last)
        return Column(_tidy(headers[at]), at, by_position=True)
    standing = _standing(told, headers)
    if len(standing) == 1:
        return Column(_tidy(headers[standing[0]]), standing[0])
    if standing:
        several = " and ".join(letter(at) for at in standing)
        hint = f"say {told}#1, {told}#2 …, or @{letter(standing[0])}"
        _refuse("repeated_header", field, f"this header stands over columns {several}", hint)
    if (found := _NTH.match(told)) and (standing := _standing(found[1], headers)):
        nth = int(found[2])
        if nth <= len(standing):
            return Column(_tidy(headers[standing[0]]), standing[nth - 1], nth, len(standing))
    hint = "see: carillon people mapping columns REPORT"
    if not any(headers):
        hint = "without headers a column is named by its place, such as @B"
    raise BadMapping(Problem("unknown_column", field, "the report has no such header", hint))


def _place(field: str, column: Column, headers: Sequence[str]) -> int:
    if column.by_position:
        found = headers[column.at] if column.at < len(headers) else None
        if found is None or fold_header(found) != fold_header(column.header):
            _moved(field, f"column {letter(column.at)} does not have the header that it had")
        return column.at
    standing = _standing(column.header, headers)
    if len(standing) != column.of:
        _moved(
            field, f"this header stood there {_times(column.of)} and now stands there {_times(len(standing))}"
        )
    return standing[column.nth - 1]


def _standing(header: str, headers: Sequence[str]) -> list[int]:
    wanted = fold_header(header)
    return [at for at, one in enumerate(headers) if wanted and fold_header(one) == wanted]


def _check_fields(columns: Mapping[str, Column], rows: Rows) -> None:
    if "id" not in columns:
        hint = "one column must hold what never changes: an admission number, a staff code"
        _refuse("missing_field", "id", "nothing says which column tells people apart", hint)
    if rows is Rows.STAFF and (beyond := [field for field in columns if field.startswith("guardian")]):
        _refuse("unknown_field", beyond[0], "only a report about pupils has guardians", "leave it out")
    _check_named("", columns, needed=rows is Rows.STAFF)
    for n in sorted({field.split(".")[0] for field in columns if "." in field}):
        _check_named(f"{n}.", columns, needed=f"{n}.id" not in columns)


def _check_named(prefix: str, columns: Mapping[str, Column], *, needed: bool) -> None:
    parts = {f"{prefix}given_name", f"{prefix}family_name"} & columns.keys()
    if f"{prefix}name" in columns and parts:
        _refuse("name_twice", f"{prefix}name", "a name is one column or two, not both", "leave one out")
    if needed and not parts and f"{prefix}name" not in columns:
        hint = "the whole name in one column, or given_name and family_name"
        _refuse("missing_field", f"{prefix}name", "no column holds the name", hint)


def _index(letters: str) -> int:
    at = 0
    for one in letters.upper():
        at = at * 26 + ord(one) - ord("A") + 1
    return at - 1


def _times(count: int) -> str:
    return {0: "nowhere", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _moved(field: str, message: str) -> NoReturn:
    hint = "look at the report, and make the mapping again with --replace"
    raise BadMapping(Problem("columns_moved", field, message, hint))


def _refuse(code: str, field: str, message: str, hint: str) -> NoReturn:
    raise BadMapping(Problem(code, field, message, hint))
