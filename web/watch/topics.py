"""What can be watched: each topic is a list of parts, and a part is a piece of HTML with an id of its own.

A page is its parts in order; the live page is sent those that changed. So there is one template for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ledger.hand import Hand
from web.watch.counts import Counts


@dataclass(frozen=True, slots=True)
class Painted:
    """A topic as HTML: id → part, in order. `behind`: some counts are older than the rest, look again soon.

    `zone`: in which its times are told, for whoever shows it among others.
    """

    parts: Mapping[str, str]
    behind: bool = False
    zone: str = "UTC"


class Topic(Protocol):
    """Something that can be watched; equal ones are painted once for all who watch."""

    @property
    def department(self) -> str | None:
        """Whose alone it shows; None for the whole school's."""

    def paint(self, hand: Hand, counts: Counts, *, exact: bool = False) -> Painted | None:
        """Its parts as the ledger has it now; None when there is no such thing."""
