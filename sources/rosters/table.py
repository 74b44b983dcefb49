"""One CSV file, read strictly and in bounded memory: a fault of its structure refuses the whole roster.

Tolerated, because spreadsheets do it and nothing is lost: a BOM, semicolons or tabs between cells, empty
rows, empty cells cut off at a row's end. Not guessed at: an encoding. Windows-1252 for what is really Polish
would go unnoticed until a name is wrong on a parent's telephone.
"""

from __future__ import annotations

import csv
import difflib
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, NoReturn

from broker.rosters.mapping import NO_HEADERS, Encoding
from sources.rosters.archive import refuse_damaged_zip
from sources.rosters.errors import refuse
from sources.rosters.limits import Limits
from sources.rosters.progress import Files

Match = Callable[[Sequence[str]], Sequence[int]]  # headers → where each wanted column stands
NO_LABELS: Mapping[str, str] = {}

_DELIMITERS = ",;\t"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_CODECS = {Encoding.UTF_8: "utf-8-sig", Encoding.WINDOWS_1252: "cp1252"}
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError)


class Row:
    """One row: its wanted cells by column name, stripped; a column the file does not have reads as empty."""

    __slots__ = ("_cells", "_labels", "_places", "file", "number")

    def __init__(
        self,
        file: str,
        number: int,
        cells: Sequence[str],
        places: Mapping[str, int],
        labels: Mapping[str, str] = NO_LABELS,
    ) -> None:
        self.file = file
        self.number = number
        self._cells = cells
        self._places = places
        self._labels = labels

    def __getitem__(self, column: str) -> str:
        return self._cells[self._places[column]]

    def label(self, column: str) -> str:
        """What the file itself calls this column, for whoever has to mend it."""
        return self._labels.get(column, column)

    def has(self, column: str) -> bool:
        """Whether this column was asked for at all."""
        return column in self._places

    def refuse(self, code: str, column: str, message: str, hint: str) -> NoReturn:
        """Refuse the whole roster for what a cell of this row holds."""
        refuse(code, f"{self.file}:{self.number} {self.label(column)}", message, hint)

    def cells(self, columns: Iterable[str]) -> tuple[str, ...]:
        """Several cells at once."""
        return tuple(self._cells[self._places[column]] for column in columns)


_MISSING = "The first row must hold the names of the columns; their order does not matter."


@dataclass(frozen=True, slots=True)
class Shape:
    """What is wanted of a table and how it is laid out. `mapped` finds the columns where their headers are not ours."""

    required: Sequence[str] = ()
    optional: Sequence[str] = ()
    header_row: int = 1  # or NO_HEADERS: then the first row is one like the others
    encoding: Encoding = Encoding.UTF_8
    mapped: Match | None = None
    labels: Mapping[str, str] = field(default_factory=dict)  # what the file calls the wanted columns
    missing: str = _MISSING  # what to do about a column that is not there

    @property
    def wanted(self) -> tuple[str, ...]:
        """Every column that is read."""
        return (*self.required, *self.optional)


class Table:
    """An iterator over the rows of one CSV. Only wanted columns are kept: a password stays in the file.

    `number` of a row is what a spreadsheet shows: the headers are row 1, and empty rows count. Raises
    `RosterRefused` from the constructor (encoding, headers) and while it is iterated (structure).
    """

    def __init__(self, file: str, stream: IO[bytes], limits: Limits, shape: Shape) -> None:
        self.file = file
        self._limits = limits
        self._shape = shape
        self._number = max(shape.header_row - 1, 0)
        buffered = _without_bom(file, stream, shape.encoding)
        self._text = io.TextIOWrapper(buffered, encoding=_CODECS[shape.encoding], newline="")
        self._lines = self._bounded_lines()
        first = self._header_line(max(shape.header_row, 1))
        delimiter = max(_DELIMITERS, key=first.count)
        self._reader = csv.reader(_then(first, self._lines), delimiter=delimiter, strict=True)
        cells = self._next_cells() or []
        self.first_row = cells if shape.header_row == NO_HEADERS else None
        self.headers = tuple(header.strip() if self.first_row is None else "" for header in cells)
        self.wanted = shape.wanted
        self.width = len(self.headers)
        self.unknown: tuple[str, ...] = ()  # headers that nothing here reads
        self._picks = shape.mapped(self.headers) if shape.mapped else self._match(shape.required)
        self._places = {column: place for place, column in enumerate(self.wanted)}

    def _header_line(self, header_row: int) -> str:
        """The line of the headers; a report may have a title above it."""
        found = ""
        for _ in range(header_row):
            try:
                line = next(self._lines, None)
            except UnicodeDecodeError:
                self._refuse_encoding()
            if line is None:
                refuse("empty_file", self.file, "This file is empty.", "Export it again.")
            found = line
        return found

    def __iter__(self) -> Iterator[Row]:
        picks, places, width, file = self._picks, self._places, self.width, self.file
        labels = self._shape.labels
        next_cells, first_row = self._next_cells, self.first_row
        while (cells := first_row or next_cells()) is not None:
            first_row = None
            count = len(cells)
            if count > width and any(cells[width:]):
                self._refuse(
                    "ragged_row",
                    "This row has more cells than the first row: they may stand in the wrong columns.",
                    "Put quotation marks around a cell that holds a comma, then export again.",
                )
            picked = [cells[at].strip() if 0 <= at < count else "" for at in picks]
            if any(picked) or any(cells):
                yield Row(file, self._number, picked, places, labels)

    def has(self, column: str) -> bool:
        """Whether the file has this wanted column at all."""
        return self._picks[self._places[column]] >= 0

    def close_match(self, header: str) -> str | None:
        """The wanted column that an unknown header may be meant for."""
        keys = {_key(column): column for column in self.wanted}
        found = difflib.get_close_matches(_key(header), keys, n=1, cutoff=0.75)
        return keys[found[0]] if found else None

    def refuse_row(self, code: str, message: str, hint: str) -> NoReturn:
        """Refuse the whole roster for what the row read last holds."""
        self._refuse(code, message, hint)

    def _match(self, required: Sequence[str]) -> Sequence[int]:
        """Where each wanted column stands, -1 for one that is not there: by name, never by position."""
        at: dict[str, int] = {}
        for place, header in enumerate(self.headers):
            key = _key(header)
            if key and key in at:
                self._refuse("duplicate_header", "Two columns have the same header.", "Keep one of them.")
            at[key] = place
        missing = [column for column in required if _key(column) not in at]
        if missing:
            self._refuse(
                "missing_header",
                f"These columns are missing: {', '.join(missing)}.",
                self._shape.missing,
            )
        known = {_key(column) for column in self.wanted}
        self.unknown = tuple(h for h in self.headers if _key(h) and _key(h) not in known)
        return [at.get(_key(column), -1) for column in self.wanted]

    def _next_cells(self) -> list[str] | None:
        try:
            cells = next(self._reader, None)
        except UnicodeDecodeError:
            self._refuse_encoding()
        except csv.Error as fault:
            self._refuse_csv(str(fault))
        if cells is None:
            return None
        self._number += 1
        if self._number > self._limits.rows:
            self._refuse(
                "too_many_rows",
                "This file has more rows than any school's.",
                "Check that it is the right file.",
            )
        limit = self._limits.cell
        if sum(map(len, cells)) > limit and max(map(len, cells)) > limit:
            self._refuse_huge_cell()
        return cells

    def _refuse_encoding(self) -> NoReturn:
        if self._shape.encoding is Encoding.UTF_8:
            refuse("not_utf8", self.file, "This file's letters are not saved as UTF-8.", _SAVE_AS_UTF8)
        refuse(
            "wrong_encoding",
            self.file,
            f"This file's letters are not saved as {self._shape.encoding.value}.",
            "Make the mapping again with the encoding that the report is saved in.",
        )

    def _refuse_csv(self, fault: str) -> NoReturn:
        if "field larger" in fault:
            self._refuse_huge_cell(ahead=1)
        if "unexpected end" in fault:
            self._refuse(
                "unterminated_quote",
                "A quotation mark opens a cell here and is never closed.",
                "Look at this row in a text editor, and export again.",
                ahead=1,
            )
        self._refuse(
            "stray_quote",
            "A quotation mark stands in the middle of a cell here.",
            "Inside a quoted cell a quotation mark is written twice; export again rather than edit by hand.",
            ahead=1,
        )

    def _bounded_lines(self) -> Iterator[str]:
        limit = self._limits.line
        while line := self._text.readline(limit):
            if len(line) == limit and line[-1] not in "\r\n":
                self._refuse_huge_cell(ahead=1)
            if "\0" in line:
                self._refuse(
                    "nul",
                    "There is a NUL character here: the file is damaged, or saved as UTF-16.",
                    _SAVE_AS_UTF8,
                    ahead=1,
                )
            yield line

    def _refuse(self, code: str, message: str, hint: str, *, ahead: int = 0) -> NoReturn:
        refuse(code, f"{self.file}:{max(self._number + ahead, 1)}", message, hint)

    def _refuse_huge_cell(self, *, ahead: int = 0) -> NoReturn:
        self._refuse(
            "huge_cell",
            "A cell here is longer than any spreadsheet allows, or its closing quotation mark is missing.",
            "Look at this row in a text editor.",
            ahead=ahead,
        )


@contextmanager
def open_table(
    files: Files, name: str, *, required: Sequence[str], optional: Sequence[str] = (), missing: str = ""
) -> Iterator[Table]:
    """The table of one file, which is closed again on leaving. `missing` is what to do about a missing column."""
    shape = Shape(required, optional, missing=missing or _MISSING)
    try:
        with files.open(name) as stream:
            yield Table(files.called(name), stream, files.limits, shape)
    except _DAMAGE:  # a zip tells it only while it is unpacked
        refuse_damaged_zip(name)


_SAVE_AS_UTF8 = "Open it in the spreadsheet and choose Save As, then “CSV UTF-8 (Comma delimited)”."


def _key(header: str) -> str:
    """`Given name`, `given_name` and `givenName` are one header."""
    return "".join(character for character in header.casefold() if character not in " _-\t\u00a0")


def _then(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _without_bom(file: str, stream: IO[bytes], encoding: Encoding) -> io.BufferedReader[Any]:
    buffered = io.BufferedReader(stream)  # type: ignore[type-var]
    head = buffered.peek(3)[:3]
    if head[:2] in _UTF16_BOMS:
        refuse("utf16", file, "This file is saved as UTF-16 (“Unicode text”).", _SAVE_AS_UTF8)
    if head == b"\xef\xbb\xbf" and encoding is not Encoding.UTF_8:
        refuse(
            "wrong_encoding",
            file,
            f"This file says itself that it is saved as UTF-8, not as {encoding.value}.",
            "Make the mapping again without --encoding.",
        )
    return buffered
