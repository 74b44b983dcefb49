"""RabbitMQ in place of Redis: the same publisher and the same workers, killed and hung, and nothing lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from broker.values import DeliverHint, Lane
from config import queue
from config.doctor import look_at_rabbitmq
from config.findings import Health
from config.queue import Publisher
from sandbox.client import start_sandbox
from tests.support.installed import Installed, people_csv, wait_until
from tests.support.postgres import PostgresServer
from tests.support.rabbitmq import RabbitServer
from tests.support.servers import CannotBeHadError, free_port

FAMILIES = 400
HINT = DeliverHint("texts", "sms", Lane.ROUTINE)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def rabbit() -> Iterator[RabbitServer]:
    server = RabbitServer()
    try:
        server.start()
    except CannotBeHadError as fault:
        server.stop()
        pytest.fail(str(fault), pytrace=False)
    yield server
    server.stop()


def test_hints_are_taken_and_a_rabbit_that_hangs_or_dies_is_given_up_and_found_again(
    rabbit: RabbitServer,
) -> None:
    publisher = Publisher(rabbit.url, ["sms"])
    missed: list[object] = []
    publisher.fall_back(missed.append)

    def publish(times: int) -> timedelta:
        missed.clear()
        start = time.monotonic()
        for _ in range(times):
            publisher.publish(HINT)
        return timedelta(seconds=time.monotonic() - start)

    def taken() -> bool:
        publish(1)
        return not missed

    publish(50)
    assert not missed
    rabbit.pause()
    assert publish(20) < timedelta(seconds=4)  # for the confirmation, and for two good-byes that nobody hears
    assert len(missed) == 20
    rabbit.resume()
    wait_until(taken, within=timedelta(seconds=15), what="a hint taken after the pause")
    rabbit.kill()
    assert publish(20) < timedelta(seconds=2.5)
    assert len(missed) == 20
    rabbit.restart()
    wait_until(taken, within=timedelta(seconds=15), what="a hint taken after the kill")
    publisher.close()


def test_the_doctor_knows_whether_it_lets_us_in(rabbit: RabbitServer) -> None:
    assert look_at_rabbitmq(queue.answers(rabbit.url)).health is Health.WELL
    stranger = rabbit.url.replace("guest:guest", "guest:wrong")
    nobody = f"amqp://guest:guest@127.0.0.1:{free_port()}//"
    for url in (stranger, nobody):
        assert look_at_rabbitmq(queue.answers(url)).health is Health.WRONG


def test_two_workers_send_everything_once_though_it_is_killed_in_mid_send(
    tmp_path: Path, rabbit: RabbitServer, postgres: PostgresServer
) -> None:
    database = postgres.fresh()
    more = {
        "CARILLON_DATABASE_URL": database,
        "CARILLON_QUEUE_URL": rabbit.url,
        "CARILLON_WORKER__DEAF_AFTER": "10",
    }
    with start_sandbox(tmp_path / "truth.jsonl", ["twilio:latency:ms=200"]) as sandbox:
        installed = Installed(tmp_path, sandbox, more)
        installed.run("db", "upgrade")

        def texts() -> int:
            return sum(installed.accepted("sms").values())

        def settled() -> bool:
            states = installed.states()
            return states["sms", "sent"] + states["sms", "delivered"] == FAMILIES

        with installed.started("worker"), installed.started("worker", "--queues", "urgent"):
            installed.run("people", "import", str(people_csv(tmp_path, FAMILIES)), "--yes")
            installed.run("announce", "The coach leaves at eight.", "--to", "Choir", "--via", "sms")
            wait_until(lambda: texts() > 30, within=timedelta(seconds=60), what="texts under way")
            rabbit.kill()
            rabbit.restart()
            wait_until(settled, within=timedelta(seconds=120), what="everything settled")
            installed.run("announce", "And back at three.", "--to", "Choir", "--via", "sms", "--urgent")
            wait_until(
                lambda: texts() == 2 * FAMILIES, within=timedelta(seconds=60), what="the urgent one too"
            )
        assert set(installed.accepted("sms").values()) == {2}
        assert installed.record_verifies()
    postgres.drop(database)
