"""The record: what was done, sealed so that nobody can quietly change it (design §6.8, R13).

An entry tells of one transaction: its kind, who did it, and the deliveries or rows it moved, as canonical JSON
bytes. Entries are hashed as stored. A seal covers a range of entries with a Merkle root and the seal before it.
Personal facts enter only as commitments: HMACs under the keys of the address and of everybody whom a message is about.
Erasure destroys a person's key, and so leaves the record verifiable and silent about them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from broker.actor import Actor

GENESIS = bytes(32)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry before it is stored. `announcement` lets the record be searched by what it is about."""

    kind: str
    actor: Actor
    facts: Mapping[str, Any]
    announcement: int | None = None


def entries(
    kind: str, actor: Actor, name: str, rows: Iterable[tuple[int, object]], **facts: object
) -> list[Entry]:
    """An entry for each announcement: `rows` are (announcement, what is told), listed as `name` beside `facts`."""
    told: dict[int, list[object]] = {}
    for announcement, row in rows:
        told.setdefault(announcement, []).append(row)
    return [
        Entry(kind, actor, {**facts, name: listed}, announcement) for announcement, listed in told.items()
    ]


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One entry as stored: its id, its mark (the order of transactions), and its exact bytes."""

    id: int
    mark: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Seal:
    """A sealed range: entries with `first_mark` <= mark < `next_mark`, their count and root, and its own hash."""

    number: int
    first_mark: int
    next_mark: int
    count: int
    root: bytes
    previous: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of the record found. `unsealed` entries are not yet tamper-evident."""

    ok: bool
    entries: int
    unsealed: int
    head: str
    first_fault: str | None


def body_of(entry: Entry, at: datetime) -> bytes:
    """The canonical bytes of an entry: sorted keys, no spaces, UTF-8."""
    actor = {
        "kind": entry.actor.kind.value,
        "id": entry.actor.id,
        "department": entry.actor.department,
        "on_behalf_of": entry.actor.on_behalf_of,
    }
    whole = {"at": at.isoformat(), "kind": entry.kind, "actor": actor, "facts": entry.facts}
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode()


def joint_key(keys: Iterable[bytes]) -> bytes:
    """One key made of several, in this order; without any one of them it cannot be made again."""
    joint = b""
    for key in keys:
        joint = hmac.digest(key, joint, hashlib.sha256)
    return joint


def commitment(key: bytes, *facts: str) -> str:
    """An HMAC-SHA256 (hex, 32 characters) of personal facts under the key of whom they are about."""
    mac = hmac.new(key, "\x1f".join(facts).encode(), hashlib.sha256)
    return mac.hexdigest()[:32]


def leaf(entry: StoredEntry) -> bytes:
    """The hash of one stored entry; its id and mark are part of it, so that reordering shows (RFC 9162 prefix)."""
    return hashlib.sha256(b"\x00%d\x1f%d\x1f" % (entry.id, entry.mark) + entry.body).digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of RFC 9162 §2.1.1: unbalanced on the right, domains separated by a prefix byte."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:
        paired = [
            hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)
        ]
        if len(level) % 2:
            paired.append(level[-1])
        level = paired
    return level[0]


def seal_over(
    entries: Sequence[StoredEntry], *, number: int, first_mark: int, next_mark: int, previous: bytes
) -> Seal:
    """The seal of one range of entries, in the order of their ids."""
    root = merkle_root([leaf(e) for e in entries])
    return Seal(
        number,
        first_mark,
        next_mark,
        len(entries),
        root,
        previous,
        _seal_hash(number, first_mark, next_mark, len(entries), root, previous),
    )


def verify_seals(
    seals: Iterable[tuple[Seal, Sequence[StoredEntry]]],
) -> tuple[bytes, int, int, str | None]:
    """Check every seal against its entries and the seal before it.

    Returns (head, entries covered, the next mark that is unsealed, the first fault or None).
    """
    previous, covered, mark = GENESIS, 0, 0
    for number, (seal, entries) in enumerate(seals, start=1):
        fault = _fault(seal, entries, number=number, mark=mark, previous=previous)
        if fault is not None:
            return previous, covered, mark, fault
        previous, mark = seal.hash, seal.next_mark
        covered += len(entries)
    return previous, covered, mark, None


def _fault(
    seal: Seal, entries: Sequence[StoredEntry], *, number: int, mark: int, previous: bytes
) -> str | None:
    if seal.number != number:
        return f"seal {number} is missing"
    if seal.first_mark != mark or seal.previous != previous:
        return f"seal {number} does not follow the one before it"
    if seal.count != len(entries):
        return f"seal {number} covers {seal.count} entries, {len(entries)} are there"
    if merkle_root([leaf(e) for e in entries]) != seal.root:
        return f"an entry under seal {number} was changed"
    expected = _seal_hash(seal.number, seal.first_mark, seal.next_mark, seal.count, seal.root, seal.previous)
    return None if expected == seal.hash else f"seal {number} itself was changed"


def _seal_hash(number: int, first: int, following: int, count: int, root: bytes, previous: bytes) -> bytes:
    head = f"carillon-seal-1\x1f{number}\x1f{first}\x1f{following}\x1f{count}\x1f".encode()
    return hashlib.sha256(head + root + previous).digest()
