"""A small CSV table, bounded and strict: its columns by name, its rows by number."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from sources.calendars.limits import Limits, refuse
from sources.calendars.structure import refuse_page


def rows_of(
    data: bytes, *, required: Sequence[str], optional: Sequence[str], limits: Limits
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """(row as a spreadsheet counts, its cells by column). Raises CalendarUnreadable, from the first row on."""
    text = _text(data, limits)
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    number = 0
    try:
        headers = _headers(next(reader, []), required, optional)
        for number, cells in enumerate(reader, start=2):
            if number > limits.events + 1:
                refuse(
                    "too_many_rows", "file", f"it has more than {limits.events:,} rows", "keep a year of it"
                )
            if not any(cell.strip() for cell in cells):
                continue
            if any(cell.strip() for cell in cells[len(headers) :]):
                refuse(
                    "ragged_row", f"row {number}", "it has more cells than the first row", "check its commas"
                )
            padded = [*cells, *[""] * len(headers)]
            yield number, {name: padded[at].strip() for at, name in enumerate(headers) if name}
    except csv.Error:
        refuse(
            "bad_csv",
            f"row {number + 1}",
            "a quotation mark is never closed, or stands alone",
            "save it again",
        )


def _text(data: bytes, limits: Limits) -> str:
    if len(data) > limits.file_bytes:
        refuse("too_large", "file", f"this is larger than {limits.file_bytes:,} bytes", "keep a year of it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        refuse("not_utf8", "file", "this file's letters are not UTF-8", "save it as “CSV UTF-8”")
    if "\0" in text:
        refuse("nul", "file", "there is a NUL character in it: the file is damaged", "save it again")
    refuse_page(text)
    return text


def _headers(first: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> Sequence[str]:
    headers = [header.strip().casefold().replace(" ", "_") for header in first]
    if missing := [column for column in required if column not in headers]:
        refuse("missing_header", "row 1", f"these columns are missing: {', '.join(missing)}",
               f"the first row names {', '.join((*required, *optional))}")  # fmt: skip
    if len(set(filter(None, headers))) != len([*filter(None, headers)]):
        refuse("duplicate_header", "row 1", "two columns have the same name", "keep one of them")
    return headers
