"""Mailboxes as a way in: what came back undelivered, and what people answered by mail.

A mailbox is read, never written to, save where the school lets what was read be thrown away. Each mail is handed over
with the place behind it, and counts as read once that was taken; a crash in between hands it over again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from broker.errors import BrokerError

MOST_BYTES = 512 * 1024  # of one mail: a report's own words are a few thousand, an answer's rarely more
MOST_AT_ONCE = 200  # mails a turn
# A turn at a mailbox, however slowly it talks; the next one goes on from there.
WITHIN = timedelta(seconds=30)


class MailboxAway(BrokerError):
    """Raised when a mailbox cannot be read just now; the sentence says why, without any address."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One mail as it lay there, cut off where it is too long, when it came, and the place behind it."""

    raw: bytes = field(repr=False)
    received_at: datetime
    position: str


Take = Callable[[Fetched], bool]  # False: it could not be taken in, and stays where it lies


class Mailbox(Protocol):
    """One mailbox, opened for each turn and closed after it."""

    def read(self, position: str, take: Take) -> str:
        """Hand over what came after `position`, the oldest first; returns the place behind it all.

        "" is the position of a mailbox that was never read. What is not taken in stays, and the next one is handed
        over; what `take` raises ends the turn. Raises MailboxAway.
        """
