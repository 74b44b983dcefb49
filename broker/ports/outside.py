"""What is outside the ledger: the queue, the signer, and the ways out that are open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from broker.address import AddressKind
from broker.channel import Channel, Traits
from broker.values import Hint


class Hints(Protocol):
    """The publisher. Losing a hint loses nothing: the sweep finds the work."""

    def publish(self, hint: Hint) -> None:
        """Send one hint. Never raises: a queue that is away is logged, and the sweep tries again."""


class Signer(Protocol):
    """Makes and checks what may leave the house: attempt tokens and keyed hashes of addresses."""

    def sign(self, purpose: str, value: str) -> str:
        """`value` with a signature that only this school can make, safe in an address (URL)."""

    def verify(self, purpose: str, token: str) -> str | None:
        """The value, or None when the signature does not hold; constant time."""

    def hash_address(self, kind: AddressKind, normalised: str) -> bytes:
        """A keyed hash that finds an address again without keeping it (opt-outs survive re-import)."""


class Channels(Protocol):
    """The ways out that this process has open: one channel object per configured account."""

    def names(self) -> Sequence[str]:
        """Every installed channel."""

    def traits(self, channel: str) -> Traits:
        """A channel's facts. Raises UnknownChannel."""

    def open(self, account: str) -> Channel:
        """The channel bound to a configured account, opened once a process. Raises SetupError."""
