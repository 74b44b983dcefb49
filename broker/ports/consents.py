"""Who said yes to what, and which addresses asked for no more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from broker.actor import Actor
from broker.address import AddressKind
from broker.announcement import Purpose


@dataclass(frozen=True, slots=True)
class Said:
    """One yes or no: about whom, for which channel and purpose, when, by what way it came, and what proves it.

    `guardian` is who said it for a pupil; None for the person's own word.
    """

    person: int
    channel: str
    purpose: Purpose
    given: bool
    said_at: datetime
    source: str
    evidence: str = field(default="", repr=False)
    guardian: int | None = None


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """One entry of the history; ids are the school's own. `stands`: it is the newest of its channel and purpose."""

    person: str
    name: str = field(repr=False)
    channel: str
    purpose: Purpose
    given: bool
    said_at: datetime
    source: str
    evidence: str = field(repr=False)
    guardian: str  # "" for the person's own word
    kept_at: datetime
    kept_by: str
    stands: bool


@dataclass(frozen=True, slots=True)
class OptOutRow:
    """An address that asked for no more on a channel; `shown` is its mask, "" while nobody's is known by it."""

    hash: bytes = field(repr=False)
    channel: str
    source: str
    at: datetime
    shown: str = ""

    @property
    def ref(self) -> str:
        """What it is called at the terminal: the beginning of its keyed hash, which tells nothing of the address."""
        return self.hash.hex()[:12]


class Consents(Protocol):
    """The ledger of consent: appended to, and the newest word stands."""

    def say(self, entries: Sequence[Said], *, actor: Actor) -> None:
        """Keep these; of each person, channel and purpose what was said last stands from now on."""

    def history(
        self, *, person: int | None = None, after: int = 0, limit: int
    ) -> Sequence[tuple[int, ConsentRow]]:
        """(id, entry) in the order they were kept: one person's, or everybody's."""

    def addresses_of(self, people: Collection[int], kind: AddressKind) -> Sequence[int]:
        """The addresses that these people hold."""

    def guardians_of(self, pupils: Collection[int]) -> Mapping[int, frozenset[int]]:
        """Pupil → the guardians who may speak for it: at the school, and not blocked from it."""


class OptOuts(Protocol):
    """Addresses that asked for no more, by keyed hash: no erasure and no roster takes them away."""

    def add(self, hashes: Sequence[bytes], channel: str, *, source: str) -> Sequence[int]:
        """Keep them; returns the ids of the addresses that are on file. Safe to repeat: the first source stands."""

    def on_file(self, kind: AddressKind, values: Collection[str]) -> Sequence[bytes]:
        """The hashes by which these addresses are kept: of an older key, until the roster is imported under the new."""

    def lift(self, hashes: Sequence[bytes], channel: str) -> Sequence[bytes]:
        """Forget them; returns those that were there."""

    def of(self, address_hash: bytes, channel: str) -> OptOutRow | None:
        """One, if it is there."""

    def listed(
        self, *, channel: str | None = None, after: tuple[bytes, str] | None = None, limit: int
    ) -> Sequence[OptOutRow]:
        """A page of them, in the order of their hashes."""

    def beginning(self, prefix: bytes) -> Sequence[tuple[bytes, str]]:
        """(hash, mask) of all that are on file or opted out and begin so; the mask is "" of what is not on file."""

    def new_to_us(self, keys: Collection[tuple[int, str]]) -> set[tuple[int, str]]:
        """Of texts by (account, the provider's id) those that were never heard before; they are from now on."""
