"""Who there is, and how rosters and reports tell of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from broker.address import AddressKind
from broker.audience import Audience
from broker.disclosure.names import NameIndex
from broker.rosters.difference import Brakes, ImportDifference, ImportNames
from broker.rosters.mapping import ReportMapping
from broker.rosters.staged import StagedFile, StagedKind, StagedRow, StagedStage
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

    def address_kind(self, address: int) -> AddressKind | None:
        """What an address is."""

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

    def named(self) -> ImportNames:
        """Whom it would change, by name, as far as a page shows them; reads only."""

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


class StagedImports(Protocol):
    """Imports that somebody chose and nobody has taken in yet."""

    def add(
        self,
        kind: StagedKind,
        stage: StagedStage,
        files: Sequence[StagedFile],
        asked: Mapping[str, Any],
        *,
        by: str,
    ) -> UUID:
        """Keep one that is new."""

    def named(self, public_id: UUID, *, lock: bool = False) -> StagedRow | None:
        """One of them."""

    def waiting(self) -> Sequence[StagedRow]:
        """Those that are not over, the newest first."""

    def files(self, staged: int) -> Sequence[StagedFile]:
        """Its files with what they hold."""

    def put_files(self, staged: int, files: Sequence[StagedFile]) -> None:
        """These in the place of those before."""

    def read_with(self, staged: int, position: int, mapping: str) -> None:
        """Say how the columns of one of its files are read."""

    def move(
        self,
        staged: int,
        stage: StagedStage,
        *,
        share: float = 0.0,
        told: Mapping[str, Any] | None = None,
        asked: Mapping[str, Any] | None = None,
        by: str = "",
    ) -> None:
        """How far it is now; what is over keeps neither files nor names."""

    def prune(self, before: datetime) -> int:
        """Forget those that were chosen before; returns how many."""
