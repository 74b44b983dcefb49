"""The record as a bundle that anybody checks without Carillon: a zip of lines, seals, heads, the method and a script.

Written seal by seal beside its target and put in its place when it is whole, so that nobody ever finds half of one.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, select

from broker.actor import Actor
from broker.errors import Problem, RuleBroken
from broker.record import GENESIS, Entry, Seal
from broker.scrutiny.heads import Left
from ledger.connect import Ledger
from ledger.reads.record import head as newest
from ledger.reads.record import pruned_through, sealed, seals_from
from ledger.tables import record_head, school

FORMAT = "carillon-record-1"
DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was written: which seals, over how many entries, and the SHA-256 (hex) of the file."""

    first: int
    last: Seal
    seals: int
    entries: int
    sha256: str


def hand_out(ledger: Ledger, target: Path, *, first: int = 1, actor: Actor) -> Bundle:
    """Write the bundle for somebody, and let the record tell that they have it. Raises what `export` raises."""
    with ledger.look() as tx:
        now = tx.now
    bundle = export(ledger, target, first=first, now=now)
    facts = {"first": bundle.first, "last": bundle.last.number, "sha256": bundle.sha256}
    with ledger.begin() as tx:
        tx.record.add([Entry("record.exported", actor, facts)])
        tx.record.gave(bundle.last, Left.EXPORTED)
    return bundle


def export(ledger: Ledger, target: Path, *, first: int = 1, now: datetime) -> Bundle:
    """Write the record from seal `first` to its newest seal. Raises RuleBroken where there is nothing, or no room.

    What no seal covers yet is left out: it could not be checked.
    """
    if target.exists():
        raise _refused("file_exists", "there is a file of this name already", "name another one")
    draft = target.with_name(f".{target.name}.part")
    try:
        with ledger.snapshot() as connection:
            previous, last = _range(connection, first)
            with _private(draft) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                written = _write(archive, connection, previous, first, last, now)
        digest = _sha256(draft)
        draft.replace(target)
    except UnicodeDecodeError:
        raise _refused(
            "changed", "an entry is not what Carillon wrote", "see: carillon audit verify"
        ) from None
    except OSError as broken:
        raise _refused("cannot_write", "the bundle cannot be written there", str(broken.strerror)) from None
    finally:
        draft.unlink(missing_ok=True)
    return Bundle(first, last, last.number - first + 1, written, digest)


def _range(connection: Connection, first: int) -> tuple[Seal | None, Seal]:
    """The seal before the first, and the last one. Raises RuleBroken."""
    previous = next(seals_from(connection, first - 1), None) if first > 1 else None
    last = newest(connection)
    if (
        last is None
        or first > last.number
        or (first > 1 and (previous is None or previous.number != first - 1))
    ):
        raise _refused("no_seal", "there is no such seal yet", "see the newest with: carillon audit head")
    return previous, last


def _write(
    archive: zipfile.ZipFile,
    connection: Connection,
    previous: Seal | None,
    first: int,
    last: Seal,
    now: datetime,
) -> int:
    entries = 0
    with tempfile.TemporaryFile() as seals:
        with archive.open("entries.jsonl", "w", force_zip64=True) as file:
            for seal, under in sealed(connection, first, last.number):
                for entry in under:
                    file.write(_line({"id": entry.id, "mark": entry.mark, "body": entry.body.decode()}))
                    entries += 1
                seals.write(_line(_seal(seal)))
        seals.seek(0)
        with archive.open("seals.jsonl", "w", force_zip64=True) as file:
            shutil.copyfileobj(seals, file)
    archive.writestr("heads.jsonl", b"".join(_line(head) for head in _heads(connection)))
    about = {
        "format": FORMAT,
        "school": connection.execute(select(school.c.slug)).scalar_one(),
        "written_at": now.isoformat(),
        "first_seal": first,
        "first_mark": previous.next_mark if previous else 0,
        "previous": (previous.hash if previous else GENESIS).hex(),
        "last_seal": last.number,
        "head": last.hash.hex(),
        "seals": last.number - first + 1,
        "entries": entries,
        "pruned_through": pruned_through(connection),
    }
    archive.writestr("about.json", json.dumps(about, indent=2) + "\n")
    archive.writestr("README.txt", (DATA / "record_readme.txt").read_bytes())
    archive.writestr("verify.py", (Path(__file__).with_name("verify_alone.py")).read_bytes())
    return entries


def _heads(connection: Connection) -> Iterable[Mapping[str, object]]:
    h = record_head.c
    for row in connection.execute(select(h.number, h.hash, h.at, h.how).order_by(h.id)):
        yield {"number": row.number, "hash": bytes(row.hash).hex(), "at": row.at.isoformat(), "how": row.how}


def _seal(seal: Seal) -> Mapping[str, object]:
    return {
        "number": seal.number,
        "first_mark": seal.first_mark,
        "next_mark": seal.next_mark,
        "count": seal.count,
        "root": seal.root.hex(),
        "previous": seal.previous.hex(),
        "hash": seal.hash.hex(),
    }


def _line(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def _private(path: Path) -> io.BufferedWriter:
    """For its owner alone: it names everybody who acted."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refused(code: str, message: str, hint: str) -> RuleBroken:
    return RuleBroken(Problem(code, "path", message, hint))
