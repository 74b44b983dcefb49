"""A cell becomes a value, or stands in the problems: one bad number must not keep five hundred people out."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from functools import lru_cache

from broker.address import BadAddress, parse_email, parse_mobile
from broker.rosters.roster import RosterProblem
from sources.rosters.table import Row

LONGEST_NAME = 100  # characters
MOST_MARKS = 4  # real scripts stack two or three combining marks on one letter

_ZERO_WIDTH_JOINERS = "\u200c\u200d"  # they belong to the spelling of Persian and Indian names
_HARMLESS = "\u00ad\u200b\u2060\ufeff"  # pasted along with a name, seen by nobody
_LANGUAGE = re.compile(r"\A[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*\Z")
_YEAR = re.compile(r"\A(?:year|yr|y)?\s*0*(\d{1,2})\Z", re.IGNORECASE)
_RECEPTION = {"r", "reception", "kg", "year r", "yr r"}
_TWO_PEOPLE = re.compile(r"\s(?:&|\+|and|und|et)\s|\w\s*[&/]\s*\w", re.IGNORECASE)
_TRUTH = dict.fromkeys(("true", "t", "yes", "y", "1", "x", "✓"), True)
_TRUTH |= dict.fromkeys(("false", "f", "no", "n", "0"), False)
_SCIENTIFIC = re.compile(r"\A\d(?:[.,]\d+)?E\+\d+\Z", re.IGNORECASE)  # what Excel makes of form 7E1


class Values:
    """Reads cells; what it cannot read it drops and notes. A blank cell is no problem: None, or empty."""

    def __init__(self, *, region: str, today: date) -> None:
        self.today = today
        self.problems: list[RosterProblem] = []
        self._region = region

    def note(self, row: Row, column: str, code: str, message: str) -> None:
        """Put one problem down; the message must not repeat the value."""
        self.problems.append(RosterProblem(row.file, row.number, row.label(column), code, message))

    def mobile(self, row: Row, column: str) -> str | None:
        """A mobile number in E.164."""
        if not (raw := row[column]):
            return None
        try:
            return parse_mobile(raw, self._region)
        except BadAddress as fault:
            self._note_address(row, column, fault)
            return None

    def mobile_of(self, row: Row, *columns: str) -> str | None:
        """The first of several columns that holds a mobile number; the same cell again is not told twice."""
        tried: set[str] = set()
        for column in columns:
            if row[column] not in tried and (mobile := self.mobile(row, column)) is not None:
                return mobile
            tried.add(row[column])
        return None

    def email(self, row: Row, column: str) -> str | None:
        """An email in its one spelling."""
        if not (raw := row[column]):
            return None
        try:
            return parse_email(raw)
        except BadAddress as fault:
            self._note_address(row, column, fault)
            return None

    def name(self, row: Row, column: str) -> str:
        """A name or title on one line, NFC, without characters that hide or pile up."""
        return self._cleaned(row, column, row[column])

    def given_name(self, row: Row, column: str) -> str:
        """A given name; that it is two people's is told, for one of them will not be written to."""
        name = self.name(row, column)
        if _TWO_PEOPLE.search(name):
            self.note(row, column, "two_people", "This names two people: give each of them a row.")
        return name

    def names(self, row: Row, column: str, separator: str) -> list[str]:
        """The names of a cell that lists several, in order, each once."""
        return [name for raw in listed(row[column], separator) if (name := self._cleaned(row, column, raw))]

    def _cleaned(self, row: Row, column: str, raw: str) -> str:
        text, odd = _clean(raw)
        if odd:
            self.note(row, column, "odd_characters", "Characters that cannot be shown were taken out.")
        if len(text) > LONGEST_NAME:
            self.note(row, column, "too_long", f"More than {LONGEST_NAME} characters: the rest was cut off.")
            text = text[:LONGEST_NAME].rstrip()
        if _garbled(text):
            self.note(row, column, "garbled", "These letters were saved in one encoding and read in another.")
        if text.startswith("="):
            self.note(row, column, "formula", "This begins like a formula; it is kept as text.")
        if _SCIENTIFIC.match(text):
            self.note(row, column, "spreadsheet_damaged", "A spreadsheet has turned this into a number.")
            return ""
        return text

    def day(self, row: Row, column: str) -> date | None:
        """A day, as 2026-09-01 or, as English spreadsheets make of it, 01/09/2026."""
        if not (raw := row[column]):
            return None
        found = _day(raw, self._region != "US")
        if found is None:
            self.note(row, column, "bad_date", "This is not a date; it is written as 2026-09-01.")
        return found

    def birthday(self, row: Row, column: str) -> date | None:
        """A day of birth, which is none in the future."""
        born = self.day(row, column)
        if born is not None and born > self.today:
            self.note(row, column, "bad_date", "This day of birth is in the future.")
            return None
        return born

    def flag(self, row: Row, column: str, *, default: bool) -> bool:
        """True or false, as OneRoster and spreadsheets write it."""
        if (found := truth(row[column])) is not None or not row[column]:
            return default if found is None else found
        self.note(
            row, column, "not_true_or_false", f"Neither true nor false; read as {str(default).lower()}."
        )
        return default

    def answer(self, row: Row, column: str) -> bool | None:
        """True, false, or that the file does not say."""
        if row[column] and truth(row[column]) is None:
            self.note(row, column, "not_true_or_false", "Neither true nor false; not taken.")
        return truth(row[column])

    def language(self, row: Row, column: str) -> str:
        """A BCP 47 tag, or empty."""
        raw = row[column]
        if raw and not _LANGUAGE.match(raw):
            self.note(row, column, "unknown_language", "This is not a language tag, such as en, pl or pt-BR.")
            return ""
        return raw

    def _note_address(self, row: Row, column: str, fault: BadAddress) -> None:
        problem = fault.problem
        self.note(row, column, problem.code, f"{problem.message} {problem.hint}".strip())


def truth(cell: str) -> bool | None:
    """What a cell answers, as systems and spreadsheets write it; None for nothing, or for something else."""
    return _TRUTH.get(cell.casefold())


def listed(cell: str, separator: str) -> list[str]:
    """The parts of a cell that lists several, in order, each once."""
    return list(dict.fromkeys(part for piece in cell.split(separator) if (part := piece.strip())))


def year_of(raw: str) -> str | None:
    """`7` from 7, 07, Y7, Year 7; `R` from R and Reception; anything else as it is; None from nothing."""
    text = raw.strip()
    if (number := _YEAR.match(text)) is not None:
        return number.group(1)
    return "R" if text.casefold() in _RECEPTION else text or None


def year_name(year: str) -> str:
    """What the group of a year is called."""
    return "Reception" if year == "R" else f"Year {year}"


@lru_cache(maxsize=8_192)  # 400,000 enrolments share a few hundred days: one object for each
def _day(raw: str, day_first: bool) -> date | None:
    try:
        return date.fromisoformat(raw[:10])  # the rest is a time of day, which OneRoster allows
    except ValueError:
        pass
    try:
        # In the United States 01/09 is another day, so nothing is guessed there.
        return datetime.strptime(raw, "%d/%m/%Y").date() if day_first else None  # noqa: DTZ007
    except ValueError:
        return None


def _clean(raw: str) -> tuple[str, bool]:
    """The text in one line, and whether something had to be taken out of it."""
    if raw.isascii() and raw.isprintable():
        return " ".join(raw.split()), False
    kept: list[str] = []
    odd, marks = False, 0
    for character in unicodedata.normalize("NFC", raw):
        category = unicodedata.category(character)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if character.isspace():
            kept.append(" ")
        elif character in _HARMLESS:
            continue
        elif marks > MOST_MARKS or (category[0] == "C" and character not in _ZERO_WIDTH_JOINERS):
            odd = True
        else:
            kept.append(character)
    return " ".join("".join(kept).split()), odd


def _garbled(text: str) -> bool:
    """Whether UTF-8 was once read as Windows-1252 ("ZoÃ«"), or letters were lost for good on the way."""
    if text.isascii():
        return False
    try:
        return text.encode("cp1252").decode("utf-8") != text
    except UnicodeError:
        return "\ufffd" in text
