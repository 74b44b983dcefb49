"""Check a record of Carillon's by the method of README.txt: python3 verify.py [HEAD ...]

Standard library alone, no Carillon. Prints what it found; the exit code is 0 when everything agrees.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import pathlib
import re
import sys
from collections.abc import Iterator
from typing import Any

HEAD = re.compile(r"\b(?:[0-9a-f]{8}[\s>-]{0,4}){7}[0-9a-f]{8}\b", re.IGNORECASE)
HERE = pathlib.Path(__file__).resolve().parent


def lines(name: str) -> Iterator[dict[str, Any]]:
    """Each line of a file, as JSON."""
    with (HERE / name).open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def sha256(*parts: bytes) -> bytes:
    """The hash of these bytes together."""
    return hashlib.sha256(b"".join(parts)).digest()


def leaf(entry: dict[str, Any]) -> bytes:
    """Step 1."""
    numbers = b"\x00%d\x1f%d\x1f" % (entry["id"], entry["mark"])
    return sha256(numbers, entry["body"].encode("utf-8"))


def root(leaves: list[bytes]) -> bytes:
    """Step 3."""
    while len(leaves) > 1:
        paired = [sha256(b"\x01", leaves[i], leaves[i + 1]) for i in range(0, len(leaves) - 1, 2)]
        leaves = paired + leaves[len(leaves) // 2 * 2 :]
    return leaves[0] if leaves else sha256()


def seal_hash(seal: dict[str, Any]) -> bytes:
    """Step 4."""
    told = [seal["number"], seal["first_mark"], seal["next_mark"], seal["count"]]
    start = "\x1f".join(["carillon-seal-1", *map(str, told)]) + "\x1f"
    return sha256(start.encode(), bytes.fromhex(seal["root"]), bytes.fromhex(seal["previous"]))


def check(about: dict[str, Any]) -> tuple[list[str], int]:
    """Steps 2, 5 and 6. Raises SystemExit with the first fault; returns (hashes of all seals, entries checked)."""
    entries = lines("entries.jsonl")
    ahead = next(entries, None)
    number, mark, previous = about["first_seal"], about["first_mark"], about["previous"]
    hashes: list[str] = []
    checked = 0
    for seal in lines("seals.jsonl"):
        if (seal["number"], seal["first_mark"], seal["previous"]) != (number, mark, previous):
            raise SystemExit(f"FAULT: seal {seal['number']} does not follow the one before it")
        leaves: list[bytes] = []
        last = 0
        while ahead is not None and seal["first_mark"] <= ahead["mark"] < seal["next_mark"]:
            if ahead["id"] <= last:
                raise SystemExit(f"FAULT: entry {ahead['id']} is not in its place")
            last = ahead["id"]
            leaves.append(leaf(ahead))
            ahead = next(entries, None)
        pruned = not leaves and seal["number"] <= about["pruned_through"]
        if not pruned and len(leaves) != seal["count"]:
            raise SystemExit(
                f"FAULT: seal {seal['number']} covers {seal['count']} entries, {len(leaves)} are here"
            )
        if not pruned and root(leaves).hex() != seal["root"]:
            raise SystemExit(f"FAULT: an entry under seal {seal['number']} was changed")
        if seal_hash(seal).hex() != seal["hash"]:
            raise SystemExit(f"FAULT: seal {seal['number']} itself was changed")
        number, mark, previous = number + 1, seal["next_mark"], seal["hash"]
        hashes.append(seal["hash"])
        checked += len(leaves)
    if ahead is not None:
        raise SystemExit(f"FAULT: entry {ahead['id']} lies under no seal")
    if (len(hashes), checked) != (about["seals"], about["entries"]):
        raise SystemExit("FAULT: there are not as many seals and entries as about.json says")
    return hashes, checked


def main() -> None:
    """All steps, then the heads."""
    about = json.loads((HERE / "about.json").read_text(encoding="utf-8"))
    hashes, checked = check(about)
    known = [head["hash"] for head in lines("heads.jsonl")]
    asked = [re.sub(r"[\s>-]", "", head.lower()) for head in HEAD.findall(" ".join(sys.argv[1:]))]
    if sys.argv[1:] and not asked:
        raise SystemExit("FAULT: there is no head in what was given: 64 hexadecimal digits, in groups or not")
    for head in itertools.chain(known, asked):
        if head not in hashes and not (head in known and about["first_seal"] > 1):
            raise SystemExit(f"FAULT: no seal here has the head {head}: cut off before it, or written anew")
    sys.stdout.write(
        f"OK: {len(hashes)} seals over {checked} entries, head {hashes[-1] if hashes else 'none'}\n"
    )
    if not asked:
        sys.stdout.write(
            "No head was given: this agrees with itself, which is all that can be said without one.\n"
        )


if __name__ == "__main__":
    main()
