"""Private links and who subscribed by them, as ports and the values that cross."""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
    subscribers: int = 0


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A link that opens something: its number, its group and that one's department."""

    id: int
    group: str
    department: str | None


class Subscribers(Protocol):
    """Browsers that asked to be told what a group is told, each by one link and for one account."""

    def add(self, link: int, account: int, value: str) -> int | None:
        """Keep one; its address, or None where it is there already. By another link or account it moves over."""

    def address_of(self, value: str) -> int | None:
        """The address of one that is there."""

    def link_of(self, address: int) -> int | None:
        """The link by which one subscribed; None when it is none any more."""

    def count(self, link: int) -> int:
        """How many subscribed by a link."""

    def end(self, addresses: Collection[int]) -> Sequence[int]:
        """They are told nothing more, and what is known of each is forgotten; which of these there were."""

    def by(self, link: int) -> Sequence[int]:
        """The addresses of those who subscribed by a link."""


class PrivateLinks(Protocol):
    """Links to what a group is told, by the digests of their secrets."""

    def add(self, digest: bytes, group: int, about: str, *, by: str) -> PrivateLinkRow:
        """Keep one."""

    def opened(self, digest: bytes) -> OpenLink | None:
        """The link itself, where it opens something."""

    def group_of(self, digest: bytes) -> str | None:
        """The name of the active group that a link opens; None when it is unknown or revoked."""

    def all(self, *, group: int | None = None) -> Sequence[PrivateLinkRow]:
        """Every link that was ever made, the newest first; to one group alone, where it is named."""

    def by_id(self, link: int) -> PrivateLinkRow | None:
        """One; locked."""

    def revoke(self, link: int, *, by: str) -> None:
        """It opens nothing any more."""
