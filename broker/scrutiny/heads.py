"""Heads of the record that leave the house: whoever holds one can show later whether the record went on from it.

The chain of seals cannot show that its own end was cut off, nor that all of it was made anew. A head kept by somebody
else can: it is the hash of one seal, and that seal, with everything before it, must still be there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from broker.record import Seal

MOST_TEXT = 1_000_000  # characters: a line a day for a lifetime
_GROUPED = re.compile(
    # A mail program breaks the line, and its answer quotes it.
    r"(?:seal[ \t]+(\d{1,18})[\s:,>]{1,4})?\b((?:[0-9a-f]{8}[\s>-]{0,4}){7}[0-9a-f]{8})\b",
    re.IGNORECASE,
)


class Left(StrEnum):
    """How a head left the house."""

    MAILED = "mailed"
    PRINTED = "printed"
    EXPORTED = "exported"


@dataclass(frozen=True, slots=True)
class Head:
    """The hash of one seal, as somebody outside holds it; the seal's number where it was written down with it."""

    hash: bytes
    number: int | None = None


def written(seal: Seal, school: str, at: datetime) -> str:
    """One line to keep: in groups of eight, so that it can be compared and typed from paper."""
    digits = seal.hash.hex()
    groups = " ".join(digits[place : place + 8] for place in range(0, len(digits), 8))
    return f"{school} {at.astimezone(UTC):%Y-%m-%dT%H:%MZ} seal {seal.number} {groups}"


def read_heads(text: str) -> Sequence[Head]:
    """Every head in a text: a line of ours, a mail's body, bare hexadecimal. None where there is none."""
    return [
        Head(bytes.fromhex(re.sub(r"[\s>-]", "", digits)), int(number) if number else None)
        for number, digits in _GROUPED.findall(text[:MOST_TEXT])
    ]


def head_fault(head: Head, *, found: int | None, newest: int) -> str | None:
    """What is wrong with a record that should go on from this head.

    `found` is the number of the seal with this hash, None where there is none; `newest` the last seal's number.
    """
    short = head.hash.hex()[:8]
    if found is not None:
        if head.number in (None, found):
            return None
        return f"the head {short}… is seal {found}'s, and was given as seal {head.number}'s"
    if head.number is None:
        return f"no seal has the head {short}…: the record was cut off before it, or written anew"
    if head.number > newest:
        gone = head.number - newest
        return f"the record ends at seal {newest}, and the head {short}… is seal {head.number}'s: {gone} were cut off"
    return f"seal {head.number} is not the one with the head {short}…: the record was written anew at or before it"
