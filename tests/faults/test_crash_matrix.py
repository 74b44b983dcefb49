"""Killed between every two side effects: started again, nothing is lost, nothing doubled, nothing false.

A real SIGKILL in a real process, at a named point (tests/support/crash_points.py), for each channel on both databases.
The whole matrix is slow (`make deep`); the sample covers both databases and every channel.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.client import RunningSandbox, start_sandbox
from tests.support.crash_matrix import Cell, Crashing, go_through
from tests.support.crash_points import ALL, NAMED, POINTS
from tests.support.installed import ROOT
from tests.support.postgres import PostgresServer

SAMPLE = {
    "sqlite": [("sms", "provider accept"), ("rss", "write-back")],
    "postgresql": [("twitter", "response"), ("email", "bytes out")],
}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path / "truth.jsonl", callbacks="final") as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def school(
    request: pytest.FixtureRequest, tmp_path: Path, sandbox: RunningSandbox
) -> Iterator[tuple[str, Crashing]]:
    """On each database: `carillon up` alone, or a worker and a web over PostgreSQL and Redis."""
    if request.param == "sqlite":
        yield "sqlite", Crashing(tmp_path, sandbox)
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    url = postgres.fresh()
    more = {"CARILLON_DATABASE_URL": url, "CARILLON_QUEUE_URL": request.getfixturevalue("redis_url")}
    yield "postgresql", Crashing(tmp_path, sandbox, more)
    postgres.drop(url)


def test_the_page_tells_of_every_point() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text()
    for point in POINTS:
        cells = " | ".join("S P" if channel in point.channels else "–" for channel in ALL)
        assert f"| {point.name} | {point.tells} | {cells} |" in page


@pytest.mark.timeout(240)
def test_a_sample_of_the_matrix(school: tuple[str, Crashing]) -> None:
    database, crashing = school
    go_through(crashing, [Cell(NAMED[point], channel) for channel, point in SAMPLE[database]], [])


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("channel", ALL)
def test_killed_at_every_point_it_goes_on(school: tuple[str, Crashing], channel: str) -> None:
    _, crashing = school
    cells = [Cell(point, channel) for point in POINTS if channel in point.channels]
    done: list[str] = []
    go_through(crashing, cells, done)
    assert done == [str(cell) for cell in cells]
