"""Staging an import: kept with its files, read, looked at by somebody, and then taken in or thrown away.

The reading and taking in is done by whoever knows the files' formats (`config.importing`); here is what may follow
what, and what the record keeps of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from broker.actor import Actor
from broker.authority.operators import must
from broker.errors import NotAllowed, NotFound, NotToBeChanged, Problem
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.record import Entry
from broker.rosters.staged import (
    LASTS,
    LONGEST_FILE_NAME,
    MOST_FILES,
    MOST_WAITING,
    StagedFile,
    StagedKind,
    StagedRow,
    StagedStage,
)

NOTHING: Mapping[str, Any] = {}


def stage(
    ports: Ports, kind: StagedKind, files: Sequence[StagedFile], asked: Mapping[str, Any], *, actor: Actor
) -> UUID:
    """Keep files that somebody chose, to be read. Raises NotAllowed, NotToBeChanged."""
    named = [_named(one) for one in files]
    if not named or len(named) > MOST_FILES:
        hint = f"choose 1 to {MOST_FILES} files that belong together"
        raise NotToBeChanged(Problem("no_file", "file", "no file was chosen", hint))
    if any(not one.data for one in named):
        raise NotToBeChanged(Problem("empty_file", "file", "this file is empty", "export it again"))

    def work(tx: Transaction) -> UUID:
        may(tx, actor)
        tx.staged_imports.prune(tx.now - LASTS)
        if len(tx.staged_imports.waiting()) >= MOST_WAITING:
            message = f"{MOST_WAITING} imports wait already"
            raise NotToBeChanged(
                Problem("too_many", "file", message, "take some of them in, or throw them away")
            )
        made = tx.staged_imports.add(kind, StagedStage.READING, named, asked, by=actor.id)
        tx.record.add([Entry("import.staged", actor, {"import": str(made), "kind": kind.value})])
        return made

    return ports.ledger.transact(work)


def may(tx: Transaction, actor: Actor) -> None:
    """Whoever acts for the whole school as author or admin. Raises NotAllowed."""
    try:
        must(tx, actor, OperatorRole.AUTHOR)
    except NotAllowed:
        must(tx, actor, OperatorRole.ADMIN)


def waiting(ports: Ports) -> Sequence[StagedRow]:
    """Those that are not over, the newest first."""
    with ports.ledger.look() as tx:
        return [one for one in tx.staged_imports.waiting() if one.made_at > tx.now - LASTS]


def one(ports: Ports, public_id: UUID) -> tuple[StagedRow, bool]:
    """One of them, and whether whoever worked on it has died. Raises NotFound."""
    with ports.ledger.look() as tx:
        row = _the(tx, public_id)
        return row, row.died(tx.now)


def files_of(ports: Ports, public_id: UUID) -> tuple[StagedRow, Sequence[StagedFile]]:
    """One of them with its files. Raises NotFound."""
    with ports.ledger.look() as tx:
        row = _the(tx, public_id)
        return row, tx.staged_imports.files(row.id)


def begin(
    ports: Ports,
    public_id: UUID,
    what: StagedStage,
    *,
    actor: Actor,
    mappings: Sequence[str] = (),
    asked: Mapping[str, Any] | None = None,
) -> None:
    """Begin to read it (again), or to take it in. Raises NotFound, NotAllowed, and NotToBeChanged while it is busy."""

    def work(tx: Transaction) -> None:
        may(tx, actor)
        row = _the(tx, public_id, lock=True)
        _must_be_free(tx, row)
        if what is StagedStage.TAKING and row.stage is StagedStage.REFUSED:
            message = "this file was refused"
            raise NotToBeChanged(Problem("refused", "", message, "choose a file that is in order"))
        for position, name in enumerate(mappings):
            tx.staged_imports.read_with(row.id, position, name)
        tx.staged_imports.move(row.id, what, asked=asked)

    ports.ledger.transact(work)


def add_file(ports: Ports, public_id: UUID, file: StagedFile, *, actor: Actor) -> None:
    """Another report that belongs to it; then it is to be read anew. Raises as `begin` does."""
    if not file.data:
        raise NotToBeChanged(Problem("empty_file", "file", "this file is empty", "export it again"))

    def work(tx: Transaction) -> None:
        may(tx, actor)
        row = _the(tx, public_id, lock=True)
        _must_be_free(tx, row)
        files = [*tx.staged_imports.files(row.id), _named(file)]
        if len(files) > MOST_FILES:
            message = f"more than {MOST_FILES} files do not belong together"
            raise NotToBeChanged(Problem("too_many", "file", message, "import the others by themselves"))
        tx.staged_imports.put_files(row.id, files)
        tx.staged_imports.move(row.id, StagedStage.READING, told=NOTHING)

    ports.ledger.transact(work)


def heard(ports: Ports, public_id: UUID, share: float) -> None:
    """It is still worked on, and has come so far."""

    def work(tx: Transaction) -> None:
        row = tx.staged_imports.named(public_id, lock=True)
        if row is not None and row.stage.busy:
            tx.staged_imports.move(row.id, row.stage, share=share)

    ports.ledger.transact(work)


def told(ports: Ports, public_id: UUID, what: StagedStage, told: Mapping[str, Any]) -> None:
    """What reading or taking it in came to, unless it was thrown away meanwhile."""

    def work(tx: Transaction) -> None:
        row = tx.staged_imports.named(public_id, lock=True)
        if row is not None and row.stage.busy:
            tx.staged_imports.move(row.id, what, told=told)

    ports.ledger.transact(work)


def taken(tx: Transaction, public_id: UUID, *, actor: Actor) -> None:
    """It is in the ledger, by this very transaction. Raises NotFound where it was thrown away meanwhile."""
    row = _the(tx, public_id, lock=True)
    if row.stage is not StagedStage.TAKING:
        raise NotToBeChanged(_over(row))
    kept = {name: row.told[name] for name in ("source", "table") if name in row.told}
    tx.staged_imports.move(row.id, StagedStage.TAKEN, told=kept, by=actor.id)


def throw_away(ports: Ports, public_id: UUID, *, actor: Actor) -> None:
    """Forget it; safe to repeat. Raises NotFound, NotAllowed, and NotToBeChanged once it is being taken in."""

    def work(tx: Transaction) -> None:
        may(tx, actor)
        row = _the(tx, public_id, lock=True)
        if row.stage is StagedStage.THROWN_AWAY:
            return
        if row.stage is StagedStage.TAKEN:
            raise NotToBeChanged(_over(row))
        if row.stage is StagedStage.TAKING and not row.died(tx.now):
            message = "it is being taken in just now"
            raise NotToBeChanged(Problem("busy", "", message, "wait until it is, and import the file before"))
        tx.staged_imports.move(row.id, StagedStage.THROWN_AWAY, told=NOTHING, by=actor.id)
        tx.record.add([Entry("import.thrown_away", actor, {"import": str(public_id)})])

    ports.ledger.transact(work)


def _the(tx: Transaction, public_id: UUID, *, lock: bool = False) -> StagedRow:
    row = tx.staged_imports.named(public_id, lock=lock)
    if row is None or row.made_at <= tx.now - LASTS:
        raise NotFound(Problem("not_found", "import", "there is no such import", "choose the file again"))
    return row


def _must_be_free(tx: Transaction, row: StagedRow) -> None:
    if row.stage.over:
        raise NotToBeChanged(_over(row))
    if row.stage.busy and not row.died(tx.now):
        message = "it is being worked on just now"
        raise NotToBeChanged(Problem("busy", "", message, "wait until the page shows what came of it"))


def _over(row: StagedRow) -> Problem:
    done = "was taken in" if row.stage is StagedStage.TAKEN else "was thrown away"
    return Problem("over", "", f"this import {done}", "choose the file again")


def _named(one: StagedFile) -> StagedFile:
    """Its name as a page may show it: without folders, and no longer than a name is."""
    bare = one.name.replace("\\", "/").rpartition("/")[2]
    name = "".join(c for c in bare if c.isprintable()).strip()[-LONGEST_FILE_NAME:]
    return StagedFile(name or "file", one.data, one.mapping)
