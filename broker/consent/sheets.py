"""Sheets of consent: many words at once, as a table with a row for each; all of it is read, or every fault told."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from broker.announcement import Purpose
from broker.consent.consents import ConsentRefused, Told
from broker.errors import Problem, RuleBroken

COLUMNS = ("person", "channel", "purpose", "given", "on", "source", "evidence", "by")
NEEDED = ("person", "channel", "given", "source")
MOST_SHEET = 8 * 1024 * 1024  # bytes: as many rows as may be kept at once, each as long as a form makes it
_TRUTH = {
    "yes": True,
    "y": True,
    "true": True,
    "1": True,
    "no": False,
    "n": False,
    "false": False,
    "0": False,
}


def rows_of(text: str) -> list[Told]:
    """The rows of a file. Raises ConsentRefused with every fault of their form, RuleBroken for what is no table."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        headers = [(name or "").strip().casefold() for name in reader.fieldnames or ()]
        _check(headers)
        reader.fieldnames = headers
        rows = [
            {name: (cell or "").strip() for name, cell in row.items() if isinstance(name, str)}
            for row in reader
        ]
    except csv.Error:
        hint = "save it as CSV with commas, in UTF-8"
        raise _bad("bad_file", "rows", "this is no CSV file that can be read", hint) from None
    problems, told = list[Problem](), list[Told]()
    for number, row in enumerate(rows, start=2):
        if not row["given"] and not row.get("on"):
            continue  # a line of a printed sheet that nobody filled in
        try:
            told.append(_told(row, f"row {number}"))
        except RuleBroken as odd:
            problems.append(replace(odd.problem, field=f"row {number}.{odd.problem.field}"))
    if problems:
        raise ConsentRefused(*problems)
    return told


def day_of(text: str, field: str = "on") -> date | None:
    """A day as typed; None for nothing. Raises RuleBroken."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise _bad("bad_date", field, "this is no day", "write it as 2026-09-03") from None


def _check(headers: Sequence[str]) -> None:
    if missing := [name for name in NEEDED if name not in headers]:
        hint = (
            f"columns: {', '.join(NEEDED)}; and {', '.join(name for name in COLUMNS if name not in NEEDED)}"
        )
        raise _bad("missing_column", missing[0], "this column is missing", hint)
    if len(set(headers)) < len(headers):
        raise _bad("column_twice", "rows", "a column stands there twice", "name each column once")
    if strange := [name for name in headers if name not in COLUMNS]:
        raise _bad(
            "unknown_column", strange[0][:40], "this column is not known", f"use: {', '.join(COLUMNS)}"
        )


def _told(row: dict[str, str], where: str) -> Told:
    given = _TRUTH.get(row["given"].casefold())
    if given is None:
        raise RuleBroken(Problem("bad_answer", "given", "this is neither yes nor no", "write yes or no"))
    purpose = row.get("purpose") or Purpose.PROMOTIONAL.value
    if purpose not in set(Purpose):
        raise RuleBroken(
            Problem("bad_purpose", "purpose", "this is no purpose", "write promotional or service")
        )
    try:
        day = day_of(row.get("on", ""))
    except RuleBroken as bad:
        raise RuleBroken(Problem(bad.problem.code, "on", bad.problem.message, bad.problem.hint)) from None
    if not row["person"]:
        raise RuleBroken(
            Problem("missing", "person", "nobody is named here", "the school's own id, or a whole name")
        )
    return Told(
        row["person"],
        row["channel"],
        given,
        row["source"],
        Purpose(purpose),
        day,
        row.get("evidence", ""),
        row.get("by", ""),
        where,
    )


def _bad(code: str, field: str, message: str, hint: str) -> RuleBroken:
    return RuleBroken(Problem(code, field, message, hint))
