"""Staged imports in the ledger: their files, how far they are, and that they are gone within a day."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, delete, func, insert, select, update
from uuid6 import uuid7

from broker.rosters.staged import MOST_WAITING, StagedFile, StagedKind, StagedRow, StagedStage
from ledger import tables as t
from ledger.hand import Hand


class StagedImports:
    """See broker.ports.StagedImports."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def add(
        self,
        kind: StagedKind,
        stage: StagedStage,
        files: Sequence[StagedFile],
        asked: Mapping[str, Any],
        *,
        by: str,
    ) -> UUID:
        """Keep one that is new."""
        public_id, now = UUID(int=uuid7().int), self._hand.now
        row = {
            "public_id": public_id,
            "kind": kind.value,
            "stage": stage.value,
            "asked": json.dumps(asked),
            "made_at": now,
            "made_by": by,
            "seen_at": now,
            "share": 0.0,
            "told": "{}",
        }
        made = self._hand.connection.execute(
            insert(t.staged_import).values(row).returning(t.staged_import.c.id)
        ).scalar_one()
        self.put_files(made, files)
        return public_id

    def named(self, public_id: UUID, *, lock: bool = False) -> StagedRow | None:
        """One of them."""
        query = select(t.staged_import).where(t.staged_import.c.public_id == public_id)
        if lock:
            query = query.with_for_update()
        found = self._rows(query)
        return found[0] if found else None

    def waiting(self) -> Sequence[StagedRow]:
        """Those that are not over, the newest first."""
        over = [stage.value for stage in StagedStage if stage.over]
        query = select(t.staged_import).where(t.staged_import.c.stage.not_in(over))
        return self._rows(query.order_by(t.staged_import.c.id.desc()).limit(MOST_WAITING))

    def files(self, staged: int) -> Sequence[StagedFile]:
        """Its files with what they hold."""
        f = t.staged_file.c
        rows = self._hand.connection.execute(
            select(f.name, f.bytes, f.mapping).where(f.import_id == staged).order_by(f.position)
        )
        return [StagedFile(row.name, row.bytes, row.mapping) for row in rows]

    def put_files(self, staged: int, files: Sequence[StagedFile]) -> None:
        """These in the place of those before."""
        self._drop_files(staged)
        rows = [
            {"import_id": staged, "position": n, "name": one.name, "mapping": one.mapping, "bytes": one.data}
            for n, one in enumerate(files)
        ]
        if rows:
            self._hand.connection.execute(insert(t.staged_file), rows)

    def read_with(self, staged: int, position: int, mapping: str) -> None:
        """Say how the columns of one of its files are read."""
        f = t.staged_file.c
        which = update(t.staged_file).where(f.import_id == staged, f.position == position)
        self._hand.connection.execute(which.values(mapping=mapping))

    def move(
        self,
        staged: int,
        stage: StagedStage,
        *,
        share: float = 0.0,
        told: Mapping[str, Any] | None = None,
        asked: Mapping[str, Any] | None = None,
        by: str = "",
    ) -> None:
        """How far it is now; what is over keeps neither files nor names."""
        values: dict[str, Any] = {"stage": stage.value, "share": share, "seen_at": self._hand.now}
        if told is not None:
            values["told"] = json.dumps(told)
        if asked is not None:
            values["asked"] = json.dumps(asked)
        if stage.over:
            self._drop_files(staged)
            values |= {"ended_by": by}
        which = update(t.staged_import).where(t.staged_import.c.id == staged)
        self._hand.connection.execute(which.values(values))

    def prune(self, before: datetime) -> int:
        """Forget those that were chosen before; returns how many."""
        old = select(t.staged_import.c.id).where(t.staged_import.c.made_at < before)
        self._hand.connection.execute(delete(t.staged_file).where(t.staged_file.c.import_id.in_(old)))
        gone = delete(t.staged_import).where(t.staged_import.c.made_at < before)
        return self._hand.connection.execute(gone).rowcount

    def _drop_files(self, staged: int) -> None:
        self._hand.connection.execute(delete(t.staged_file).where(t.staged_file.c.import_id == staged))

    def _rows(self, query: Select[Any]) -> Sequence[StagedRow]:
        rows = self._hand.connection.execute(query).all()
        f = t.staged_file.c
        files: dict[int, list[StagedFile]] = {row.id: [] for row in rows}
        named = select(f.import_id, f.name, f.mapping).where(f.import_id.in_(files)).order_by(f.position)
        for each in self._hand.connection.execute(named) if files else ():
            files[each.import_id].append(StagedFile(each.name, b"", each.mapping))
        return [_row(row, files[row.id]) for row in rows]


def forget_all(hand: Hand) -> None:
    """Every one that waits: somebody is erased, and may stand in any of them."""
    if hand.connection.execute(select(func.count()).select_from(t.staged_import)).scalar_one():
        hand.connection.execute(delete(t.staged_file))
        hand.connection.execute(delete(t.staged_import))


def _row(row: Row[Any], files: Sequence[StagedFile]) -> StagedRow:
    return StagedRow(
        row.id,
        row.public_id,
        StagedKind(row.kind),
        StagedStage(row.stage),
        tuple(files),
        json.loads(row.asked),
        json.loads(row.told),
        row.made_at,
        row.made_by,
        row.seen_at,
        row.share,
        row.ended_by,
    )
