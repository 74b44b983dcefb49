"""What the channel asks of a provider of texts. One now; a second stands beside it as gateway_<name>.py."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from typing import Protocol

from broker.channel import Confirmation, Heard, Item, Key, MayStart, Outcome, PastAttempt, Receipt


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
