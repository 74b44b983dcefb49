"""A mail on its way: the item, its bytes, and how far it has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from broker.channel import Item, Key, MayStart, Outcome
from broker.errors import DeliveryFailure


class Draft(NamedTuple):
    """A mail as bytes: ready to stand after DATA, in pieces."""

    name: str  # its Message-ID, without the angle brackets
    address: str
    pieces: tuple[bytes, ...]
    size: int
    sender: bytes = b""  # the envelope's: where a report of what became of this one goes

    def __repr__(self) -> str:
        return f"<a mail of {self.size} bytes>"


NO_DRAFT = Draft("", "", (), 0)


@dataclass(slots=True)
class Errand:
    """One mail to send: whether it may start is asked just before its text leaves, and `done` is told what came of it.

    What a lost connection means for it, its line reads from here: once its final dot was `dotted`, nobody knows.
    """

    item: Item = field(repr=False)
    may_start: MayStart
    done: Callable[[Key, Outcome], None]
    # A kept connection was closed before it said anything of this one: once is nobody's failure.
    again: bool = False
    draft: Draft = field(default=NO_DRAFT, repr=False)
    kept: bool = False  # its line had carried others before
    heard: bool = False  # the server has answered to something of it
    dotted: bool = False  # its final dot was handed to the connection
    failure: DeliveryFailure | None = None  # the first refusal, while further answers are awaited

    def end(self, outcome: Outcome) -> None:
        """Tell what came of it."""
        self.done(self.item.key, outcome)


Compose = Callable[[Item], Draft]
