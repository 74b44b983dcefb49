"""Files that go with an announcement: their names; and one behind a link that a text gave, by a random word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from ledger import tables as t
from ledger.hand import Hand


@dataclass(frozen=True, slots=True)
class Linked:
    """A file that a link leads to; `over` when its time has passed, or the announcement was taken back."""

    name: str = field(repr=False)
    media_type: str
    data: bytes = field(repr=False)
    over: bool


def files_of(hand: Hand, announcement: int) -> Sequence[str]:
    """The names of those that go with an announcement, by its number."""
    link = t.content_attachment.c
    query = select(link.name).where(link.announcement_id == announcement).distinct().order_by(link.name)
    return hand.connection.execute(query).scalars().all()


def linked(hand: Hand, token: str) -> Linked | None:
    """What a link leads to, None when nobody was ever given it. What is over comes without its bytes."""
    link, file = t.content_attachment, t.attachment
    row = hand.connection.execute(
        select(link.c.name, link.c.sha256, link.c.token_expires_at, t.announcement.c.withdrawn_at)
        .join(t.announcement, t.announcement.c.id == link.c.announcement_id)
        .where(link.c.token == token)
    ).one_or_none()
    if row is None:
        return None
    if row.withdrawn_at is not None or row.token_expires_at <= hand.now:
        return Linked(row.name, "", b"", over=True)
    found = hand.connection.execute(
        select(file.c.media_type, file.c.bytes).where(file.c.sha256 == row.sha256)
    ).one()
    return Linked(row.name, found.media_type, found.bytes, over=False)
