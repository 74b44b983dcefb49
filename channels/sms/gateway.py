"""What the channel asks of a provider of texts, and of its settings. Each has its gateway_<name>.py."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

from broker.capabilities import Confirmation, Heard, PastAttempt
from broker.channel import Item, Key, MayStart, Outcome, Receipt


class Wishes(Protocol):
    """What the settings of any provider of texts tell the channel."""

    @property
    def transliterate(self) -> bool:
        """Whether curly quotes and the like are written in the short alphabet."""

    @property
    def max_segments(self) -> int:
        """The longest text."""

    @property
    def price(self) -> Decimal:
        """What one segment costs, in the school's currency."""

    @property
    def grace(self) -> timedelta:
        """How long after a lost answer the provider is asked; longer than its slowest accept."""

    @property
    def can_reconcile(self) -> bool:
        """Whether it can be asked for a text, so that it proves that there is none."""

    @property
    def hears(self) -> bool:
        """Whether a reply to its texts arrives, so that STOP can be answered to it."""

    @property
    def number(self) -> str:
        """The number that people see; "" for a name, or a pool of numbers."""

    @property
    def prefix(self) -> str:
        """What the provider puts before each text by itself, which counts in its length; "" for nothing."""


class Gateway(Protocol):
    """What the channel asks of a provider: the contract's words, without rendering and rules."""

    def send(self, item: Item) -> Receipt:
        """Exactly one try, or a DeliveryFailure."""

    def send_many(
        self, items: AsyncIterable[Item], *, may_start: MayStart
    ) -> AsyncIterator[tuple[Key, Outcome]]:
        """Many tries over kept-alive connections."""

    def find(self, attempt: PastAttempt) -> Receipt | None:
        """Did the provider get this one?"""

    def confirmations(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sequence[Confirmation]:
        """What the provider tells us later; SignatureInvalid when it is not the provider."""

    def heard(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sequence[Heard]:
        """What people send to the account; SignatureInvalid when it is not the provider."""

    def redact(self, receipt: Receipt) -> None:
        """Have the provider forget a message; a DeliveryFailure when it has not."""

    def close(self) -> None:
        """Let go of connections."""
