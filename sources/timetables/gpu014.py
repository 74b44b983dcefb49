"""Untis GPU014.TXT, the substitutions: no headers, 21 fields by place, of which later Untis versions add some.

The reason for an absence (field 16) is never read into anything, nor is the absent teacher's name told; the text
(field 17) is whatever somebody typed, and stays out too. The flags (18) are numbered differently by
different versions, so the type (20) alone says what becomes of a lesson.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date

from broker.diary.timetable import ChangeKind, TimetableChange
from broker.diary.timetable_words import clean
from sources.timetables.errors import refuse
from sources.timetables.text import decoded, rows

DATE, PERIOD, LESSON, TEACHER, NEW_TEACHER = 1, 2, 4, 5, 6
SUBJECT, NEW_SUBJECT, ROOM, NEW_ROOM = 7, 9, 11, 12
CLASSES, NEW_CLASSES, TYPE, CHANGED = 14, 18, 19, 20
LONGEST_TYPE = 1
FEWEST = CLASSES + 1  # fields: a row that ends before its classes was cut off
BREAK_DUTY = "B"
TYPES = {
    "T": ChangeKind.MOVED_HERE,
    "F": ChangeKind.MOVED_AWAY,
    "W": ChangeKind.EXCHANGE,
    "S": ChangeKind.SUPERVISION,
    "A": ChangeKind.SPECIAL,
    "C": ChangeKind.CANCELLED,
    "L": ChangeKind.RELEASE,
    "P": ChangeKind.COVER,
    "R": ChangeKind.ROOM,
    "~": ChangeKind.EXCHANGE,
    "E": ChangeKind.EXAM,
    "": ChangeKind.COVER,
}
_STAMP = re.compile(r"(?:\d{8,14})?", re.ASCII)  # when it was last changed
_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_YEARS = range(2000, 2100)


def read(data: bytes, *, encoding: str = "", delimiter: str = "") -> tuple[list[TimetableChange], int]:
    """The changes that are about a class, and how many rows there are. Raises TimetableRefused."""
    changes: list[TimetableChange] = []
    count = fields = 0
    for number, cells in rows(decoded(data, encoding), delimiter):
        count += 1
        fields = fields or len(cells)
        _must_be_whole(number, cells, fields)
        changes += _changes(number, cells)
    return changes, count


def _must_be_whole(number: int, cells: Sequence[str], wanted: int) -> None:
    """Every field in its place: in a row with one too few the reason of an absence would be read as a class."""
    if len(cells) < max(FEWEST, wanted):
        least = max(FEWEST, wanted)
        message = f"this row has {len(cells)} fields; {least} are wanted: it was cut off, or is no GPU014"
        refuse("missing_fields", f"row {number}", message, "export it again")
    moved = len(cells) > wanted or len(_cell(cells, TYPE)) > LONGEST_TYPE
    if moved or not _STAMP.fullmatch(_cell(cells, CHANGED)):
        message = "its last fields are not where Untis writes them: one is missing, or one too many"
        refuse("fields_moved", f"row {number}", message, "export it again; is a delimiter in a text?")


def _changes(number: int, cells: Sequence[str]) -> Iterator[TimetableChange]:
    day = _day(number, cells[DATE])
    letter = _cell(cells, TYPE).upper()[:1]
    classes = _classes(_cell(cells, NEW_CLASSES)) or _classes(cells[CLASSES])
    if letter == BREAK_DUTY or not classes:
        return
    kind = TYPES.get(letter, ChangeKind.OTHER)
    if letter == "S" and cells[NEW_SUBJECT]:
        kind = ChangeKind.COVER
    yield TimetableChange(
        day=day,
        period=clean(cells[PERIOD]),
        classes=classes,
        kind=kind,
        subject=clean(cells[SUBJECT]),
        new_subject=clean(cells[NEW_SUBJECT]),
        room=clean(cells[ROOM]),
        new_room=clean(cells[NEW_ROOM]),
        teacher=clean(cells[TEACHER]),
        new_teacher=clean(cells[NEW_TEACHER]),
        number=clean(cells[LESSON]),
    )


def _day(number: int, written: str) -> date:
    found = _DAY.fullmatch(written)
    if found is not None and int(found[1]) in _YEARS:
        with suppress(ValueError):
            return date(int(found[1]), int(found[2]), int(found[3]))
    return refuse(
        "bad_date", f"row {number} field 2", "this is no day as Untis writes it", "such as 20261124"
    )


def _classes(written: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for each in written.split("~") if (name := clean(each))))


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place] if place < len(cells) else ""
