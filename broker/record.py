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
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from broker.actor import Actor

GENESIS = bytes(32)
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry before it is stored. `announcement` lets the record be searched by what it is about.

    `words` that somebody typed `about` people (their numbers in the ledger) never enter it: it commits to them under
    the keys of these people, and the words themselves stand beside it until one of them is erased.
    """

    kind: str
    actor: Actor
    facts: Mapping[str, Any]
    announcement: int | None = None
    words: str = field(default="", repr=False)
    about: tuple[int, ...] = ()


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
    """What a check of the seals found. `unsealed` entries are not yet tamper-evident; `pruned` ones had their time.

    `mark` is the first that no seal covers.
    """

    ok: bool
    entries: int
    unsealed: int
    head: str
    first_fault: str | None
    seals: int = 0
    pruned: int = 0
    mark: int = 0


def body_of(entry: Entry, at: datetime) -> bytes:
    """The canonical bytes of an entry: sorted keys, no spaces, UTF-8."""
    actor = {
        "kind": entry.actor.kind.value,
        "id": entry.actor.id,
        "department": entry.actor.department,
        "on_behalf_of": entry.actor.on_behalf_of,
    }
    if entry.actor.token is not None:
        actor["token"] = entry.actor.token
    whole: dict[str, Any] = {
        "at": at.isoformat(),
        "kind": entry.kind,
        "actor": actor,
        "facts": entry.facts,
    }
    if entry.announcement is not None:
        whole["announcement"] = entry.announcement
    return _CANONICAL.encode(whole).encode()


def digest_of(words: str) -> str:
    """A digest (hex, 32 characters) of words of the school's own: the record shows them the same, and holds none."""
    return hashlib.sha256(words.encode()).hexdigest()[:32]


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


class MerkleTree:
    """The Merkle tree hash of RFC 9162 §2.1.1 over leaves that come one by one.

    It keeps one hash for each power of two, never the leaves: a seal over a million entries takes no more memory than
    one over ten. Unbalanced on the right, domains separated by a prefix byte.
    """

    __slots__ = ("_whole", "count")

    def __init__(self) -> None:
        self.count = 0
        self._whole: list[bytes] = []  # roots of whole subtrees, the largest first

    def add(self, leaf: bytes) -> None:
        """One more leaf, on the right."""
        size, whole = self.count, self._whole
        while size & 1:
            leaf = hashlib.sha256(b"\x01" + whole.pop() + leaf).digest()
            size >>= 1
        whole.append(leaf)
        self.count += 1

    def root(self) -> bytes:
        """The root over what came so far."""
        if not self._whole:
            return hashlib.sha256(b"").digest()
        root = self._whole[-1]
        for left in reversed(self._whole[:-1]):
            root = hashlib.sha256(b"\x01" + left + root).digest()
        return root


def merkle_root(leaves: Iterable[bytes]) -> bytes:
    """The root over all of these."""
    tree = MerkleTree()
    for each in leaves:
        tree.add(each)
    return tree.root()


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


class Chain:
    """Seals followed one after the other, each with the tree over what stands under it."""

    def __init__(self, *, pruned_through: int = 0) -> None:
        self.head = GENESIS
        self.mark = 0  # the first that no seal so far covers
        self.seals = 0
        self.entries = 0
        self.pruned = 0
        self._pruned_through = pruned_through

    def follow(self, seal: Seal, tree: MerkleTree) -> str | None:
        """Take the next seal; the fault, in which case nothing after it can be told from a forgery."""
        pruned = tree.count == 0 and seal.number <= self._pruned_through
        fault = self._fault(seal, None if pruned else tree)
        if fault is None:
            self.head, self.mark, self.seals = seal.hash, seal.next_mark, seal.number
            self.entries += tree.count
            self.pruned += seal.count if pruned else 0
        return fault

    def _fault(self, seal: Seal, tree: MerkleTree | None) -> str | None:
        if seal.number != self.seals + 1:
            return f"seal {self.seals + 1} is missing"
        if seal.first_mark != self.mark or seal.previous != self.head:
            return f"seal {seal.number} does not follow the one before it"
        if tree is not None and seal.count != tree.count:
            return f"seal {seal.number} covers {seal.count} entries, {tree.count} are there"
        if tree is not None and tree.root() != seal.root:
            return f"an entry under seal {seal.number} was changed"
        return None if hash_of(seal) == seal.hash else f"seal {seal.number} itself was changed"


def follow_all(chain: Chain, seals: Iterable[tuple[Seal, Iterable[StoredEntry]]]) -> str | None:
    """Check every seal against its entries and the seal before it; the first fault, or None."""
    for seal, entries in seals:
        tree = MerkleTree()
        for entry in entries:
            tree.add(leaf(entry))
        fault = chain.follow(seal, tree)
        if fault is not None:
            return fault
    return None


def verify_seals(
    seals: Iterable[tuple[Seal, Iterable[StoredEntry]]],
) -> tuple[bytes, int, int, str | None]:
    """A whole chain at once: (head, entries covered, the next mark that is unsealed, the first fault or None)."""
    chain = Chain()
    fault = follow_all(chain, seals)
    return chain.head, chain.entries, chain.mark, fault


def hash_of(seal: Seal) -> bytes:
    """The hash that a seal with this range, count, root and predecessor must have."""
    return _seal_hash(seal.number, seal.first_mark, seal.next_mark, seal.count, seal.root, seal.previous)


def _seal_hash(number: int, first: int, following: int, count: int, root: bytes, previous: bytes) -> bytes:
    head = f"carillon-seal-1\x1f{number}\x1f{first}\x1f{following}\x1f{count}\x1f".encode()
    return hashlib.sha256(head + root + previous).digest()
