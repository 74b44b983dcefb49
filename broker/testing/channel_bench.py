"""What a channel's test lends to the contract suite: the channel, and a provider whose truth can be read.

Unsupported is loud: a bench that cannot bring about a fault says so with the reason, and the suite checks
that the channel's traits claim nothing that rests on it.
"""
# ruff: noqa: S101 - what the suite asserts is asserted here

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import pytest

from broker.announcement import Attachment, Content, Part
from broker.channel import Channel, Item, Key, Kit, Receipt, Recipient
from broker.delivery import Evidence
from broker.errors import (
    AccountRejected,
    AddressRejected,
    ContentRejected,
    DeliveryFailure,
    RateLimited,
    Transient,
    Uncertain,
    Unreachable,
)


class Fault(StrEnum):
    """Trouble that a bench can order from its provider."""

    TIMEOUT_BEFORE = "timeout_before"  # silence, and not accepted
    LOST_AFTER_ACCEPT = "lost_after_accept"  # accepted, and the answer never came
    GARBLED_ANSWER = "garbled_answer"  # accepted, and the answer cannot be read
    SERVER_ERROR = "server_error"  # the provider broke, and whether it accepted is not known
    BUSY = "busy"  # provably not accepted, try again
    RATE_LIMITED = "rate_limited"
    UNREACHABLE = "unreachable"  # no connection
    REJECTED_ADDRESS = "rejected_address"
    REJECTED_CONTENT = "rejected_content"
    REJECTED_ACCOUNT = "rejected_account"


LEADS_TO: Mapping[Fault, type[DeliveryFailure]] = {
    Fault.TIMEOUT_BEFORE: Uncertain,
    Fault.LOST_AFTER_ACCEPT: Uncertain,
    Fault.GARBLED_ANSWER: Uncertain,
    Fault.SERVER_ERROR: Uncertain,
    Fault.BUSY: Transient,
    Fault.RATE_LIMITED: RateLimited,
    Fault.UNREACHABLE: Unreachable,
    Fault.REJECTED_ADDRESS: AddressRejected,
    Fault.REJECTED_CONTENT: ContentRejected,
    Fault.REJECTED_ACCOUNT: AccountRejected,
}
ACCEPTED_ALL_THE_SAME = frozenset({Fault.LOST_AFTER_ACCEPT, Fault.GARBLED_ANSWER})
# A provider that broke may have accepted or not: a bench may stage either.
EITHER_WAY = frozenset({Fault.SERVER_ERROR})


@dataclass(frozen=True, slots=True)
class Accepted:
    """One message that the provider truly accepted.

    `digest` is the SHA-256 (hex) of its text as the provider keeps it, "" where it keeps none; `token` is what the
    provider was given to call back with; `at` is when it accepted, where it says so.
    """

    provider_id: str
    address: str = field(repr=False)
    digest: str = ""
    token: str = field(default="", repr=False)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """One request of the provider to us, as the web door hands it to `confirmations`."""

    url: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


class Bench(Protocol):
    """A channel and its provider, for one test."""

    kit: Kit
    hands: int  # how many messages the opened channel sends at once (1 for a channel without send_many)
    unsupported: Mapping[Fault, str]  # faults the provider cannot be made to show, each with the reason
    secrets: Sequence[str]  # what must never be seen: credentials of the account
    # Wordings this channel must object to; may be empty.
    faulty: Sequence[tuple[Content, Sequence[Attachment]]]

    def open(self) -> Channel:
        """A channel bound to the provider; the suite closes it. Its timeout is at most a second or two."""

    def recipient(self, number: int, names: tuple[str, ...] = ()) -> Recipient:
        """A recipient the provider takes, another for each number; for a broadcast, the public."""

    def order(self, fault: Fault, *, address: str = "") -> None:
        """Order trouble for every message, or those to `address`. The channel is opened after the order."""

    def cure(self) -> None:
        """Take all orders back."""

    def truth(self) -> Sequence[Accepted]:
        """What the provider accepted, oldest first."""

    def callback(self, key: Key, receipt: Receipt, evidence: Evidence) -> Callback:
        """The provider's signed news of one message; asked only of a channel that confirms delivery."""

    def signed(self, url: str, body: bytes) -> Callback:
        """Any body under a good signature, to see what a hostile provider could do."""


# --- what every test of the suite needs

WORDING = "The winter concert begins at 18:30 in the hall."


def plain(text: str = WORDING) -> Content:
    """A wording that every channel can carry."""
    return Content(version=1, language="", parts={Part.TITLE: "Winter concert", Part.SHORT: text})


def key(number: int = 1) -> Key:
    """The name of one try."""
    return Key(delivery=number, attempt=number, fence=1, token=f"{number:06d}-dG9rZW4tb2YtYS10ZXN0")


def item(channel: Channel, bench: Bench, number: int = 1, text: str = WORDING) -> Item:
    """One rendered message under its key, to the recipient of that number."""
    to = bench.recipient(number)
    return Item(key(number), channel.render(plain(text), to), to)


def skip_unsupported(bench: Bench, fault: Fault) -> None:
    """Leave a test out, loudly, when the bench cannot stage its fault."""
    if fault in bench.unsupported:
        pytest.skip(f"{fault} cannot be staged: {bench.unsupported[fault]}")


def assert_nothing_private(shown: str, bench: Bench, *private: str) -> None:
    """No secret of the account and none of `private` may be read in what was shown or logged."""
    for secret in (*bench.secrets, *private):
        # A number without its plus sign, or with it percent-encoded, is the same number.
        assert not secret or secret.lstrip("+") not in shown, "something private can be read here"
