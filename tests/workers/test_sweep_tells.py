"""A night without the database fills no disk with logs: each chore of the sweep says once that it fails."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.support.tower import MakeTower
from workers.workshop import Workshop


def test_a_chore_that_fails_is_told_once_and_so_is_its_recovery(
    make_tower: MakeTower, postgres_ledger: str, caplog: pytest.LogCaptureFixture
) -> None:
    house = make_tower(postgres_ledger, serves=True).house
    workshop = Workshop(house.ports, name="tried", budget=timedelta(seconds=1))

    def rename(before: str, after: str) -> None:
        with house.ledger.engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))

    with caplog.at_level(logging.WARNING):
        rename("record_seal", "gone")
        for _ in range(5):
            workshop.sweep()
        rename("gone", "record_seal")
        workshop.sweep()
    workshop.stop()
    told = [record.getMessage() for record in caplog.records]
    assert told == ["sweep: sealed failed and is tried again: ProgrammingError", "sweep: sealed works again"]
