"""However much a school has, a page of these families asks the ledger few questions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from broker.ports.approvals import OperatorRole
from tests.support.at_desk import person
from tests.support.watching import Watched

pytestmark = pytest.mark.runs_on("sqlite")
MOST = 12
BEGINS = ("SELECT", "WITH")


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    return sqlite_ledger


@contextmanager
def statements() -> Iterator[list[str]]:
    told: list[str] = []

    def heard(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.lstrip().upper().startswith(BEGINS):
            told.append(statement)

    event.listen(Engine, "before_cursor_execute", heard)
    try:
        yield told
    finally:
        event.remove(Engine, "before_cursor_execute", heard)


def test_no_page_of_these_asks_more_than_twelve(here: Watched) -> None:
    head = person(here, "Head", OperatorRole.ADMIN, OperatorRole.APPROVER, OperatorRole.AUTHOR)
    for n in range(5):
        person(here, f"Somebody {n}", OperatorRole.AUTHOR, department="music")
    said = here.announce("Concert")
    with here.ledger.reading() as hand:
        today = hand.now.date()
    asked = {}
    for path in (
        "/watch/waiting",
        f"/watch/{said.public_id}/decide",
        f"/watch/{said.public_id}/reword",
        "/watch/rules",
        "/watch/rules/windows.open",
        "/watch/rules/history",
        "/watch/rules/history/1",
        "/watch/rules/holds",
        "/watch/budgets",
        "/watch/budgets/music",
        "/watch/staff",
        "/watch/staff/new",
        "/watch/staff/1",
        "/watch/record",
        f"/watch/record?theme=staff&from={today}&to={today}",
        "/watch/record/check",
        "/watch/record/kept",
    ):
        with statements() as told:
            assert head.get(path).status_code == 200, path
        asked[path] = len(told)
    assert {path: count for path, count in asked.items() if count > MOST} == {}
