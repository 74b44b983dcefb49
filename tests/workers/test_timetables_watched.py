"""A worker reads the timetable files of the settings by itself."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.tower import MakeTower, within
from workers.mailroom import LookingAfter

PATIENCE = 20.0  # seconds


def test_a_worker_reads_a_timetable_and_says_where_it_cannot(
    make_tower: MakeTower, tmp_path: Path, postgres_ledger: str
) -> None:
    later = datetime.now(UTC).date() + timedelta(days=90)
    good = tmp_path / "GPU014.TXT"
    good.write_text(f'1,"{later:%Y%m%d}",1,,12,"A","B","Ma",,,,"R1","R2",,"7B","Ill"\n')
    os.utime(good, (time.time() - 60, time.time() - 60))
    tower = make_tower(
        postgres_ledger,
        serves=True,
        CARILLON_TIMETABLES__UNTIS__FILE=str(good),
        CARILLON_TIMETABLES__OTHER__FILE=str(tmp_path / "none"),
    )
    ports = tower.house.ports

    def known() -> int:
        with ports.ledger.look() as tx:
            return len(tx.timetables.known("untis", datetime.now(UTC).date()))

    def alarmed() -> bool:
        with ports.ledger.look() as tx:
            return tx.sweeps.alarmed("timetable_failed")

    looking = LookingAfter(tower.house, name="a worker")
    looking.start()
    try:
        assert within(PATIENCE, lambda: known() == 1 and alarmed())
    finally:
        looking.stop()
