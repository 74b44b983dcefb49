"""A table of the school's own making: CSV with headers, of which the settings say what is what."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date

from broker.diary.timetable import ChangeKind, TimetableChange
from broker.diary.timetable_words import clean
from sources.timetables.errors import refuse
from sources.timetables.text import decoded, rows

NEEDED = ("day", "classes")
FIELDS = (
    *NEEDED, "period", "kind", "subject", "new_subject", "room", "new_room", "teacher", "new_teacher", "number",
)  # fmt: skip
_SPLIT = re.compile(r"[~;/|]|,\s*")
_DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})", re.ASCII)
_YEARS = range(2000, 2100)
_NONE: Mapping[str, str] = {}


def read(
    data: bytes,
    *,
    columns: Mapping[str, str] = _NONE,
    kinds: Mapping[str, str] = _NONE,
    encoding: str = "",
    delimiter: str = "",
) -> tuple[list[TimetableChange], int]:
    """The changes and how many rows there are. `columns`: our field → its header; `kinds`: their word → ours.

    Raises TimetableRefused.
    """
    table = rows(decoded(data, encoding), delimiter)
    headers = [_fold(cell) for _, cell_row in [next(table, (1, []))] for cell in cell_row]
    at = {name: place for name in FIELDS if (place := _place(headers, columns.get(name, name))) is not None}
    for name in NEEDED:
        if name not in at:
            message = f"there is no column {columns.get(name, name)}"
            hint = f"its headers stand in the first row; say which is {name} in the settings"
            refuse("missing_header", "row 1", message, hint)
    words = {_fold(theirs): kind for theirs, kind in kinds.items()}
    changes: list[TimetableChange] = []
    count = 0
    for number, cells in table:
        count += 1
        told = {name: cells[place] if place < len(cells) else "" for name, place in at.items()}
        classes = tuple(dict.fromkeys(each for one in _SPLIT.split(told["classes"]) if (each := clean(one))))
        kind = _fold(told.pop("kind", ""))
        day = _day(number, told.pop("day"))
        told.pop("classes")
        if classes:
            fields = {name: clean(value) for name, value in told.items()}
            fields.setdefault("period", "")
            changes.append(TimetableChange(day, classes=classes, kind=_kind(words.get(kind, kind)), **fields))
    return changes, count


def _place(headers: Sequence[str], header: str) -> int | None:
    wanted = _fold(header)
    return headers.index(wanted) if wanted in headers else None


def _kind(word: str) -> ChangeKind:
    return ChangeKind(word) if word in set(ChangeKind) else ChangeKind.OTHER


def _day(number: int, written: str) -> date:
    for pattern, order in ((_YEAR_FIRST, (1, 2, 3)), (_DAY_FIRST, (3, 2, 1))):
        if found := pattern.fullmatch(written):
            year, month, day = (int(found[place]) for place in order)
            with suppress(ValueError):
                return date(year if year in _YEARS else 0, month, day)
    return refuse("bad_date", f"row {number}", "this is no day", "write it as 2026-11-24 or 24/11/2026")


def _fold(text: str) -> str:
    return " ".join(text.replace("_", " ").casefold().split())
