"""What was said."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from broker.actor import Actor
from broker.announcement import Announcement, Content, Draft


@dataclass(frozen=True, slots=True)
class NewAnnouncement:
    """A draft that passed every check, with its times; and who says it."""

    draft: Draft
    digest: str
    actor: Actor
    due_at: datetime
    expires_at: datetime


class Announcements(Protocol):
    """What was said."""

    def add(
        self, draft: Draft, *, digest: str, actor: Actor, due_at: datetime, expires_at: datetime
    ) -> Announcement:
        """Store an accepted draft with content version 1 and its attachments."""

    def add_all(self, new: Sequence[NewAnnouncement]) -> Sequence[Announcement]:
        """Store several, in this order, in as many statements as one takes."""

    def by_keys(
        self, keys: Collection[tuple[str, str]]
    ) -> Mapping[tuple[str, str], tuple[Announcement, str]]:
        """Those accepted under (department, idempotency key), each with the digest of its draft."""

    def by_key(self, department: str, key: str) -> tuple[Announcement, str] | None:
        """The announcement accepted under an idempotency key, and the digest of its draft."""

    def by_public_id(self, public_id: UUID, *, lock: bool = False) -> Announcement | None:
        """One announcement; `lock` keeps other writers away until the transaction ends."""

    def by_id(self, announcement: int) -> Announcement:
        """One announcement that is known to be there."""

    def content(self, announcement: int, version: int) -> Sequence[Content]:
        """A version's wording with its attachments, one Content per language."""

    def mark_withdrawn(self, announcement: int) -> None:
        """Set withdrawn_at."""

    def department_exists(self, slug: str) -> bool:
        """Whether the department is known."""
