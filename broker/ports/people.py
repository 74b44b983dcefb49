"""Who there is, and how rosters and reports tell of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from broker.address import AddressKind
from broker.audience import Audience
from broker.disclosure.names import NameIndex
from broker.rosters.difference import Brakes, ImportDifference
from broker.rosters.mapping import ReportMapping
from broker.values import GroupRow


class People(Protocol):
    """Who there is."""

    def unknown_groups(self, audience: Audience) -> Mapping[str, str]:
        """Group names in the expression that the ledger lacks, each with the nearest known name or ""."""

    def group(self, folded_name: str) -> GroupRow | None:
        """One active group by its folded name."""

    def public_groups(self) -> Sequence[GroupRow]:
        """The active groups that have a feed, the oldest first."""

    def set_public(self, group: int, *, public: bool) -> None:
        """Give a group a feed, or take it away."""

    def suppress(self, address_hash: bytes, channel: str, *, source: str) -> Sequence[int]:
        """Keep an opt-out; returns the ids of addresses it concerns. Safe to repeat."""

    def address_hash(self, address: int) -> bytes | None:
        """The keyed hash of an address."""

    def names(self) -> NameIndex:
        """The names of everybody at the school, as they may stand in a text; built once a roster."""

    def holder_of(self, kind: AddressKind, value: str) -> str:
        """Which member of staff alone holds an address, by what they are; "" where it is nobody's own."""

    def copies_reached(self, announcement: int, kinds: Collection[AddressKind]) -> Sequence[tuple[str, str]]:
        """Given and family name of those who read an announcement too and have an address of one of these kinds."""

    def staff_unknown(self, ids: Collection[str]) -> Sequence[str]:
        """Which of these are the roster's ids of nobody on the staff."""

    def confirm_address(self, address: int) -> bool:
        """Somebody says now that it is right; False when there is no such address."""


class Imports(Protocol):
    """A staged roster against the ledger."""

    def difference(self) -> ImportDifference:
        """What making them equal would change; reads only."""

    def apply(self, difference: ImportDifference) -> Brakes:
        """Make people, groups and links equal to the roster, and say whom that took a way from."""


class Mappings(Protocol):
    """How the school's own reports are read."""

    def all(self) -> Sequence[ReportMapping]:
        """Every mapping, by name."""

    def named(self, name: str) -> ReportMapping | None:
        """One mapping."""

    def put(self, new: ReportMapping) -> None:
        """Keep it under its name, in the place of another of that name."""

    def drop(self, name: str) -> None:
        """Forget it."""
