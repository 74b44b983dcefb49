"""Private links, as a port and the value that crosses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PrivateLinkRow:
    """One link: to which group's feeds, for whom it was made; never its secret, which nobody keeps."""

    id: int
    group: str
    department: str | None
    about: str
    made_at: datetime
    made_by: str
    revoked_at: datetime | None = None
    revoked_by: str | None = None


class PrivateLinks(Protocol):
    """Links to what a group is told, by the digests of their secrets."""

    def add(self, digest: bytes, group: int, about: str, *, by: str) -> PrivateLinkRow:
        """Keep one."""

    def group_of(self, digest: bytes) -> str | None:
        """The name of the active group that a link opens; None when it is unknown or revoked."""

    def all(self) -> Sequence[PrivateLinkRow]:
        """Every link that was ever made, the newest first."""

    def by_id(self, link: int) -> PrivateLinkRow | None:
        """One; locked."""

    def revoke(self, link: int, *, by: str) -> None:
        """It opens nothing any more."""
