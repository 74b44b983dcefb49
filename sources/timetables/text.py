"""The rows of a timetable's file: bounded, decoded as it was saved, split as its system splits."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from sources.calendars.limits import CalendarUnreadable
from sources.calendars.structure import refuse_page
from sources.timetables.errors import TimetableRefused, refuse

MOST_BYTES = 16 * 1024 * 1024  # a school year of changes has two
MOST_ROWS = 100_000
LONGEST_CELL = 4_000
DELIMITERS = ",;\t|"
SAMPLE = 20  # rows that say which delimiter it is
AUTO = ""


def decoded(data: bytes, encoding: str = AUTO) -> str:
    """The text. Untis writes as its machine does: UTF-8 where it can be, else ISO-8859-1 as Windows has it."""
    if len(data) > MOST_BYTES:
        refuse(
            "too_large",
            "file",
            f"this is larger than {MOST_BYTES:,} bytes",
            "check that it is the right file",
        )
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return _as(data, "utf-16")
    if b"\0" in data:
        refuse("nul", "file", "there is a NUL character: the file is damaged", "export it again")
    if encoding:
        return _as(data, "utf-8-sig" if encoding.casefold() in {"utf-8", "utf8"} else encoding)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def rows(text: str, delimiter: str = AUTO) -> Iterator[tuple[int, list[str]]]:
    """(number, cells) of each row that is not empty, stripped; the first is row 1. Raises TimetableRefused."""
    try:
        refuse_page(text)
    except CalendarUnreadable as page:
        raise TimetableRefused(page.problem) from None
    found = delimiter or _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=found, strict=False, skipinitialspace=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if number > MOST_ROWS:
                refuse("too_many_rows", f"row {number}", "more rows than any school has", "export fewer days")
            if any(len(cell) > LONGEST_CELL for cell in cells):
                refuse(
                    "huge_cell",
                    f"row {number}",
                    "a cell is very long: a quotation mark is open",
                    "export again",
                )
            if any(cell.strip() for cell in cells):
                yield number, [cell.strip() for cell in cells]
    except csv.Error:
        refuse("bad_csv", f"row {number + 1}", "this row cannot be read", "look at it in a text editor")


def _delimiter(text: str) -> str:
    lines: Sequence[str] = text[:65_536].splitlines()[:SAMPLE]
    return max(DELIMITERS, key=lambda sign: sum(line.count(sign) for line in lines))


def _as(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        refuse(
            "wrong_encoding", "file", f"its letters are not saved as {encoding}", "name the right encoding"
        )
