"""The words in which the registry tells what a table holds, whose its rows are, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from broker.rules.keeping import Kept
from ledger.erased import MARK


class Kind(StrEnum):
    """What a column holds."""

    NOTHING = "nothing of anybody: states, counts, times, our own words"
    STAND_IN = "our own number for somebody or something of theirs, which says nothing once that row is empty"
    NAME = "a name"
    ADDRESS = "a mobile number, an email, or where a browser is reached"
    KNOWN_AS = "what another system calls them"
    FACT = "a fact about them: form, year, day of birth, language, who looks after whom"
    CHOICE = "what they agreed to, or refused"
    WORDS = "words that somebody typed, which may name anybody"
    WRITTEN = "what they themselves wrote to the school"
    FILE = "a file"
    PROVIDER = "what a provider calls a message to them, or said of it"
    KEY = "a secret key, or a digest of what was sent"
    HASH = "a keyed hash: finds the same value again, tells nobody what it was"
    OPERATOR = "who acted for the school, which has to answer for it"


class Whose(StrEnum):
    """Which of a person's numbers a column is compared with, to find their rows."""

    PERSON = "person"
    ADDRESS = "address"  # that they hold, whoever else does
    ALONE = "alone"  # that nobody else holds
    ALONE_HASH = "alone_hash"
    ADDRESS_HASH = "address_hash"
    DELIVERY = "delivery"  # to an address of theirs, or about them


class Erasure(StrEnum):
    """What becomes of a person's rows when they are erased."""

    NOTHING = "nothing: it is about nobody"
    GONE = "the rows go"
    EMPTIED = "the rows stay as stand-ins, emptied"
    STRUCK = "their names and addresses are struck out of the words"
    STANDS = "stands"


PERSONAL = frozenset(Kind) - {Kind.NOTHING, Kind.STAND_IN, Kind.HASH, Kind.OPERATOR}
TYPED = frozenset({Kind.WORDS, Kind.WRITTEN})
NOT_SHOWN = frozenset({Kind.STAND_IN, Kind.KEY, Kind.HASH, Kind.OPERATOR})  # in a person's copy


class Empty(StrEnum):
    """What an emptied column holds afterwards."""

    NULL = "null"
    BLANK = ""
    FALSE = "false"
    OWN = f"{MARK}<id>"  # where a value has to be there and unlike every other
    FRESH = "a new random id"
    ERASED = "erased person"


@dataclass(frozen=True, slots=True)
class Held:
    """One table: what it holds, whose rows are whose, and what becomes of them.

    `theirs` finds a person's rows: column → whose. `shown` finds those of their copy, where they are others.
    `emptied` is what is left in each column. `aged` is the column of times by which rows go of age, None where age
    alone takes nothing. `because`: on what ground it stands after an erasure.
    """

    about: str
    kept: Kept
    columns: Mapping[str, Kind]
    erasure: Erasure = Erasure.NOTHING
    theirs: Mapping[str, Whose] = field(default_factory=dict)
    shown: Mapping[str, Whose] = field(default_factory=dict)
    emptied: Mapping[str, Empty] = field(default_factory=dict)
    aged: str | None = None
    title: str = ""
    because: str = ""

    @property
    def typed(self) -> tuple[str, ...]:
        """Columns of words that somebody typed, in which a name may stand that nobody can look for by a number."""
        if self.erasure in {Erasure.EMPTIED, Erasure.STANDS}:
            return ()
        return tuple(name for name, kind in self.columns.items() if kind in TYPED)

    @property
    def found_by(self) -> Mapping[str, Whose]:
        """What finds the rows of a person's copy."""
        return self.shown or self.theirs


def columns(**kinds: str) -> Mapping[str, Kind]:
    """The columns of a table by what they hold: a kind's name, and its columns with spaces between."""
    named = {column: Kind[kind.upper()] for kind, columns in kinds.items() for column in columns.split()}
    return MappingProxyType(named)
