"""Corrected while half of it is out, with a worker killed in between: each family ends with exactly the right text."""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from broker import intake
from broker.actor import Actor, ActorKind
from broker.announcement import Part
from broker.corrections import verbs
from config.assembly import House, assemble
from config.settings import load
from sandbox.client import RunningSandbox, start_sandbox
from tests.nemesis.verdict import unsettled
from tests.support.installed import Installed, kill_all, people_csv, wait_until
from tests.support.invariants import check_in_the_end
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer

FAMILIES = 100
PACE = {  # so that whoever corrects comes in the middle, however long the command takes to start
    "CARILLON_ACCOUNTS__TEXTS__PER_SECOND": "10",
    "CARILLON_ACCOUNTS__MAILS__PER_SECOND": "10",
}
SETTLED_WITHIN = timedelta(seconds=150)  # a lease of 90 s and its look-ups
WRONG, RIGHT, LEAD = "The coach leaves at eight.", "The coach leaves at nine.", "Correction: "

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    """Providers that take their time, so that a correction meets work in hand."""
    with start_sandbox(tmp_path / "truth.jsonl", ["twilio:latency:ms=300", "smtp:latency:ms=60"]) as running:
        yield running


def half_sent(installed: Installed) -> str:
    """An announcement in the middle of both ways; its id."""
    said = installed.run("announce", WRONG, "--to", "Choir", "--via", "sms,email")
    wait_until(
        lambda: all(len(installed.accepted(c)) > 10 for c in ("sms", "email")),
        within=timedelta(seconds=60),
        what="both channels in the middle of sending",
    )
    return str(said["announcement"])


@contextmanager
def house_of(installed: Installed) -> Iterator[House]:
    """Put together beforehand, as the command does it: then a correction is said at once, however busy the machine."""
    installed.run("people", "import", str(people_csv(installed.folder, FAMILIES)), "--yes")
    with assemble(load(environ=installed.environ, env_file=None)) as house:
        yield house


def correct(house: House, said: str) -> None:
    draft = verbs.correction(house.ports, UUID(said), {Part.LONG: RIGHT})
    intake.accept(house.ports, draft, actor=Actor(ActorKind.PERSON, "office"))


def all_settled(installed: Installed) -> bool:
    with installed.ledger() as ledger:
        return not unsettled(ledger)


def read(installed: Installed, channel: str) -> Mapping[str, list[str]]:
    """By address, what truly came there, in order."""
    field = {"sms": "body", "email": "subject"}[channel]
    got: dict[str, list[str]] = defaultdict(list)
    for entry in installed.sandbox.truth():
        if entry["channel"] == channel:
            got[entry["to"]].append(str(entry[field]))
    return got


def assert_each_ends_with_the_right_text(installed: Installed) -> None:
    texts, mails = read(installed, "sms"), read(installed, "email")
    assert len(texts) == FAMILIES
    assert {tuple(each) for each in texts.values()} == {(RIGHT,), (WRONG, LEAD + RIGHT)}
    # A mail in the dying worker's hand: nobody knows whether it left, so it is corrected.
    assert {tuple(each) for each in mails.values()} <= {
        (RIGHT,),
        (WRONG, LEAD + RIGHT),
        (LEAD + RIGHT,),
        (WRONG,),
        (),
    }
    unsure = installed.states()["email", "uncertain"]
    assert sum(each != [RIGHT] and each != [WRONG, LEAD + RIGHT] for each in mails.values()) <= unsure
    check_in_the_end(installed.seen())


@pytest.mark.slow
def test_a_killed_up_ends_what_was_corrected_rightly(tmp_path: Path, sandbox: RunningSandbox) -> None:
    installed = Installed(tmp_path, sandbox, PACE)
    with installed.started("up") as up:
        wait_until((tmp_path / "var" / "carillon.sqlite3").exists, within=timedelta(seconds=30), what="up")
        with house_of(installed) as house:
            correct(house, half_sent(installed))
            kill_all(up)
    with installed.started("up"):
        wait_until(lambda: all_settled(installed), within=SETTLED_WITHIN, what="everything settled")
    assert_each_ends_with_the_right_text(installed)


@pytest.mark.slow
def test_a_killed_worker_ends_what_was_corrected_rightly(
    tmp_path: Path, sandbox: RunningSandbox, postgres: PostgresServer, redis_server: RedisServer
) -> None:
    database = postgres.fresh()
    more = {**PACE, "CARILLON_DATABASE_URL": database, "CARILLON_QUEUE_URL": redis_server.url}
    installed = Installed(tmp_path, sandbox, more)
    installed.run("db", "upgrade")
    try:
        with installed.started("worker") as worker, house_of(installed) as house:
            said = half_sent(installed)
            children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
            correct(house, said)
            for child in children:
                os.kill(int(child), signal.SIGKILL)
            wait_until(lambda: all_settled(installed), within=SETTLED_WITHIN, what="everything settled")
        assert_each_ends_with_the_right_text(installed)
    finally:
        postgres.drop(database)
