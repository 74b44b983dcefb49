"""What is outside the ledger: the queue, the signer, and the ways out that are open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from broker.address import AddressKind
from broker.channel import Channel, Traits
from broker.errors import BrokerError, Problem, RuleBroken
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


@dataclass(frozen=True, slots=True)
class GatewayAt:
    """A provider under an account, as the settings have it: which one (`kind`), its pace, and how many numbers make it.

    `numbers` is None where the pace is not that of a pool.
    """

    name: str
    kind: str
    per_second: float | None = None
    numbers: int | None = None

    @property
    def pace(self) -> str:
        """How fast it may go, in words: "10 a second by 10 numbers"."""
        if self.per_second is None:
            return "no limit"
        many = "" if self.numbers is None else f" by {self.numbers} number{'' if self.numbers == 1 else 's'}"
        return f"{self.per_second:g} a second{many}"


class Channels(Protocol):
    """The ways out that this process has open: one channel object per configured account."""

    def names(self) -> Sequence[str]:
        """Every installed channel."""

    def traits(self, channel: str) -> Traits:
        """A channel's facts. Raises UnknownChannel."""

    def open(self, account: str) -> Channel:
        """The channel bound to a configured account, by its first gateway; opened once a process. Raises SetupError."""

    def gateways(self, account: str) -> Sequence[GatewayAt]:
        """The gateways of a configured account, in the order in which they are used. Raises SetupError."""

    def through(self, account: str, gateway: str) -> Channel:
        """The channel bound to a configured account by one of its gateways. Raises SetupError.

        An attempt from before an account had gateways names its channel: that is the one of the plain settings.
        """


class CallFailed(BrokerError):
    """Raised when a program elsewhere did not take what it was to be told; `why` is safe to show."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class Calls(Protocol):
    """The way to programs elsewhere, at addresses that somebody typed: guarded, so that none leads inwards."""

    def check(self, url: str) -> None:
        """Whether such an address may be called. Raises RuleBroken."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """One try, without redirects. Raises CallFailed."""


class NoCalls:
    """Of a process that calls nobody."""

    def check(self, url: str) -> None:
        """There is no way out."""
        raise RuleBroken(Problem("no_calls", "url", "nobody is called from here", "see: carillon doctor"))

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """There is no way out."""
        raise CallFailed("nobody is called from here")
