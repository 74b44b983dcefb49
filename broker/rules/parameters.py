"""Parameters: what a school may set about a rule, how it is typed and read, and between which bounds.

A value is kept as it is typed, in one canonical way of writing it ("5 min", "sms mon-fri 07:00-20:00"), so that the
command, the ledger, the record and the docs all say the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from broker.errors import BrokerError, Problem, RuleRefused
from broker.rules.hours import Opening, openings_written, read_openings

LONGEST = 10_000  # characters of one value
MOST_WORDS = 1_000
LONGEST_WORD = 200
_UNITS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}
_LONGEST = 4_000 * _UNITS["d"]
DURATION_HINT = "write it as 90 s, 5 min, 2 h or 30 d; at most 4,000 d"
_DURATION = re.compile(r"(\d{1,9})\s*(s|min|h|d)", re.ASCII)
_COUNT = re.compile(r"-?\d{1,12}", re.ASCII)


class Kind(StrEnum):
    """What sort of value a parameter takes; each says how it is written."""

    DURATION = "duration"
    COUNT = "count"
    RATIO = "ratio"
    MONEY = "money"
    AMOUNTS = "amounts"
    WORDS = "words"
    YES_NO = "yes or no"
    WINDOWS = "windows"


Amounts = Mapping[str, Decimal]
Value = timedelta | int | Decimal | bool | tuple[str, ...] | tuple[Opening, ...] | Amounts


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that a school may set.

    `default`, `least`, `most` and `sandbox` are written as somebody would type them. `words` says what it does, in
    plain words; `source` why it is there: an R-number of the requirement, KCSIE, PECR, a provider's terms. `among`
    closes a list of words to these. `ways`: the channels that a value names, which must be installed. `sandbox`: what a
    sandbox school begins with, where nothing real can leave and the default would be in the way; None for the default.
    """

    key: str
    kind: Kind
    default: str
    words: str
    source: str
    least: str | None = None
    most: str | None = None
    among: tuple[str, ...] = ()
    sandbox: str | None = None
    check: Callable[[Any], str] | None = None
    ways: Callable[[Any], Iterable[str]] | None = None

    def read(self, text: str) -> Value:
        """The value of what somebody typed. Raises RuleRefused with one clear problem for nonsense."""
        if len(text) > LONGEST or not text.isprintable():
            raise self._refuse("is too long, or holds characters that cannot be shown")
        try:
            value: Value = _READ[self.kind](text.strip())
        except _NotOne as wrong:
            raise self._refuse(wrong.message, wrong.hint) from None
        self._within(value)
        return value

    def must_be_installed(self, value: Value, installed: Collection[str]) -> None:
        """A rule about a channel that there is not would never apply. Raises RuleRefused."""
        strange = next((way for way in (self.ways(value) if self.ways else ()) if way not in installed), None)
        if strange is not None:
            raise self._refuse(f"knows no channel {strange[:40]}", f"use: {', '.join(sorted(installed))}")

    def written(self, value: Value) -> str:
        """The one way in which a value of this kind is written."""
        return _WRITE[self.kind](value)

    def _within(self, value: Any) -> None:
        if self.least is not None and value < _READ[self.kind](self.least):
            raise self._refuse(f"must be at least {self.least}")
        if self.most is not None and value > _READ[self.kind](self.most):
            raise self._refuse(f"must be at most {self.most}")
        if self.among and (strange := [word for word in value if word not in self.among]):
            raise self._refuse(f"does not know {strange[0][:40]}", f"use: {', '.join(self.among)}")
        if self.check is not None and (wrong := self.check(value)):
            raise self._refuse(wrong)

    def _refuse(self, message: str, hint: str = "") -> RuleRefused:
        """The old value stays."""
        hint = hint or f"such as {self.default or 'nothing'}; see: carillon rules explain {self.key}"
        return RuleRefused(Problem("bad_rule", self.key, f"this rule {message}", hint))


class _NotOne(BrokerError):
    """Raised when a text is no value of a parameter's kind."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.message, self.hint = message, hint
        super().__init__(message)


def duration_of(text: str) -> timedelta | None:
    """A length of time as it is typed: 0, 90 s, 5 min, 2 h, 30 d; None for what is none, or longer than 4,000 d."""
    if text == "0":
        return timedelta(0)
    found = _DURATION.fullmatch(text)
    seconds = int(found[1]) * _UNITS[found[2]] if found else _LONGEST + 1
    return timedelta(seconds=seconds) if seconds <= _LONGEST else None


def _duration(text: str) -> timedelta:
    value = duration_of(text)
    if value is None:
        shorter = "shorter " if _DURATION.fullmatch(text) else ""
        raise _NotOne(f"wants a {shorter}length of time", DURATION_HINT)
    return value


def duration_written(value: Any) -> str:
    """A length of time as it is typed: 90 s, 5 min, 2 h, 30 d."""
    seconds = int(value.total_seconds())
    for unit in ("d", "h", "min"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds // _UNITS[unit]} {unit}"
    return f"{seconds} s"


def _count(text: str) -> int:
    if not _COUNT.fullmatch(text):
        raise _NotOne("wants a whole number")
    value = int(text)
    if value < 0:
        raise _NotOne("wants a number that is not negative")
    return value


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise _NotOne("wants a number", "write it as 3 or 0.25") from None
    if not value.is_finite() or value < 0 or value > 10**9 or value.as_tuple().exponent < -6:  # type: ignore[operator]
        raise _NotOne("wants a number that is not negative, nor very long")
    return value


def _listed(text: str) -> list[str]:
    words = [word.strip() for word in text.split(",")] if text else []
    if len(words) > MOST_WORDS or any(not word or len(word) > LONGEST_WORD for word in words):
        raise _NotOne("wants words with commas between them", "write it as one, two, three")
    return words


def _words(text: str) -> tuple[str, ...]:
    words = _listed(text)
    folded = [word.casefold() for word in words]
    if len(set(folded)) != len(folded):
        raise _NotOne("names the same word twice")
    return tuple(words)


def _amounts(text: str) -> Amounts:
    amounts: dict[str, Decimal] = {}
    for word in _listed(text):
        name, equals, amount = (part.strip() for part in word.partition("="))
        if not equals or not name:
            raise _NotOne("wants a name and an amount", "write it as music=50, office=200")
        if name in amounts:
            raise _NotOne("names the same one twice")
        amounts[name] = _number(amount)
    return MappingProxyType(amounts)


def _yes_no(text: str) -> bool:
    if text not in {"yes", "no"}:
        raise _NotOne("wants yes or no", "write yes or no")
    return text == "yes"


def _windows(text: str) -> tuple[Opening, ...]:
    try:
        return read_openings(text)
    except ValueError as wrong:
        message, _, hint = str(wrong).partition("; ")
        raise _NotOne(message, hint) from None


def _plain(value: Any) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


_READ: Mapping[Kind, Callable[[str], Any]] = {
    Kind.DURATION: _duration,
    Kind.COUNT: _count,
    Kind.RATIO: _number,
    Kind.MONEY: _number,
    Kind.AMOUNTS: _amounts,
    Kind.WORDS: _words,
    Kind.YES_NO: _yes_no,
    Kind.WINDOWS: _windows,
}
_WRITE: Mapping[Kind, Callable[[Any], str]] = {
    Kind.DURATION: duration_written,
    Kind.COUNT: _plain,
    Kind.RATIO: _plain,
    Kind.MONEY: _plain,
    Kind.AMOUNTS: lambda value: ", ".join(f"{name}={_plain(each)}" for name, each in value.items()),
    Kind.WORDS: ", ".join,
    Kind.YES_NO: lambda value: "yes" if value else "no",
    Kind.WINDOWS: openings_written,
}
