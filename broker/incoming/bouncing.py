"""Bounces as values: what a report says about one attempt, and when an address gets nothing more for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

SOFT_WITHIN = timedelta(days=30)
SOFT_TIMES = 3
FAILURES = 3  # permanent refusals in a row, on any channel
FAILURES_WITHIN = timedelta(days=180)

# RFC 3463, RFC 7505: nobody is there, or never takes mail. Anything else may be true tomorrow.
_NOBODY_THERE = re.compile(r"5\.(?:1\.(?:1|2|3|6|10)|2\.1)")


class BounceKind(StrEnum):
    """What a report says of a mail."""

    HARD = "hard"  # there is no such mailbox: nothing more goes there
    # This mail did not arrive (full, refused, given up); the third within a month counts as hard.
    SOFT = "soft"
    DELAYED = "delayed"  # not yet arrived; nothing follows from it


@dataclass(frozen=True, slots=True)
class Failure:
    """One line of a report, whoever wrote it: the enhanced status code, "" where it gave none that can be read."""

    status: str = ""
    delayed: bool = False


@dataclass(frozen=True, slots=True)
class Bounce:
    """One report about one attempt. `key` is the digest of the mail that told it, `code` the enhanced status code."""

    key: str
    attempt: int
    kind: BounceKind
    code: str = ""


@dataclass(frozen=True, slots=True)
class KnownTry:
    """What an attempt was a try of."""

    attempt: int
    delivery: int
    channel: str
    account: str
    address_id: int | None


@dataclass(frozen=True, slots=True)
class Aside:
    """A mail that could not be taken in and lies in its mailbox as it came: `place` says where, `fault` why."""

    id: int
    mailbox: str
    place: str
    fault: str
    at: datetime


def kind_of(status: str) -> BounceKind:
    """Of a mail that has failed, by its status code; "" where the report gave none."""
    return BounceKind.HARD if _NOBODY_THERE.fullmatch(status) else BounceKind.SOFT


WHY = {
    BounceKind.HARD: "the mail came back: there is no such mailbox",
    BounceKind.SOFT: "the mail came back",
    BounceKind.DELAYED: "",
}
