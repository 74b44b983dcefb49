"""The queue carries ids; a publisher never raises and never waits; Redis can be looked at from outside."""

from __future__ import annotations

import json
import logging
import time
from uuid import UUID

import fakeredis
import pytest
import redis

from broker.values import DeliverHint, FanOutHint, Lane
from config import queue
from config.queue import Publisher
from tests.support.redis import RedisServer
from tests.support.servers import free_port

ROUTINE = DeliverHint("texts", "sms", Lane.ROUTINE)
URGENT = DeliverHint("texts", "sms", Lane.URGENT)
FAN_OUT = FanOutHint(UUID("0190a000-0000-7000-8000-000000000001"))


def test_each_hint_goes_to_its_own_queue_and_holds_ids_alone(redis_url: str) -> None:
    publisher = Publisher(redis_url, ["sms", "email"])
    for hint in (ROUTINE, URGENT, FAN_OUT):
        publisher.publish(hint)
    with queue.connect(redis_url) as client:
        assert queue.depths(client, ["core", "email", "sms", "urgent"]) == {
            "core": 1, "email": 0, "sms": 1, "urgent": 1,
        }  # fmt: skip
        message = json.loads(client.lindex("urgent", 0))
        assert message["content-type"] == "application/json"
        assert message["headers"]["argsrepr"] == "('texts', 'urgent')"
        assert message["headers"]["eta"] is None
        assert message["headers"]["expires"] is None
    publisher.close()
    publisher.close()


def test_a_queue_that_is_away_is_told_once_and_costs_no_time(caplog: pytest.LogCaptureFixture) -> None:
    publisher = Publisher(f"redis://127.0.0.1:{free_port()}/0", ["sms"])
    missed: list[object] = []
    publisher.fall_back(missed.append)
    start = time.monotonic()
    with caplog.at_level(logging.WARNING, logger="config"):
        for _ in range(50):
            publisher.publish(ROUTINE)
    assert time.monotonic() - start < 1
    assert len(missed) == 50
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_redis_that_says_nothing_is_given_up_within_two_seconds(redis_server: RedisServer) -> None:
    publisher = Publisher(redis_server.url, ["sms"])
    publisher.publish(ROUTINE)
    redis_server.pause()
    start = time.monotonic()
    for _ in range(20):
        publisher.publish(ROUTINE)
    assert time.monotonic() - start < 2.5
    redis_server.resume()


def test_a_publisher_finds_its_redis_again(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    publisher = Publisher(redis_server.url, ["sms"])
    publisher.publish(ROUTINE)
    redis_server.kill()
    publisher.publish(ROUTINE)
    redis_server.restart()
    limit = time.monotonic() + 10
    with caplog.at_level(logging.WARNING, logger="config"):
        while time.monotonic() < limit and "the queue is back" not in caplog.text:
            publisher.publish(ROUTINE)
            time.sleep(0.05)
    assert "the queue is back" in caplog.text
    publisher.close()


def test_nothing_of_time_or_of_results_is_left_to_celery() -> None:
    conf = queue.make_app("redis://127.0.0.1:1/0", ["sms"]).conf
    assert conf.accept_content == ["json"]
    assert conf.result_backend is None
    assert conf.task_ignore_result
    assert not conf.beat_schedule
    assert not conf.worker_enable_remote_control
    assert conf.broker_transport_options["socket_timeout"] == 10


def test_depths_are_counted(fake_redis: fakeredis.FakeRedis) -> None:
    fake_redis.lpush("sms", "a", "b")
    assert queue.depths(fake_redis, ["sms", "email"]) == {"sms": 2, "email": 0}


def test_a_queue_nobody_hears_is_forgotten(fake_redis: fakeredis.FakeRedis) -> None:
    fake_redis.lpush("beat.worker-1", "a")
    fake_redis.sadd("_kombu.binding.beat.worker-1", "a")
    queue.forget(fake_redis, "beat.worker-1")
    assert fake_redis.keys() == []


def test_a_ping_tells_how_long_or_that_there_is_no_answer(fake_redis: fakeredis.FakeRedis) -> None:
    assert queue.ping(fake_redis) is not None
    server = fakeredis.FakeServer()
    away = fakeredis.FakeRedis(server=server)
    server.connected = False
    assert queue.ping(away) is None
    with pytest.raises(redis.RedisError):
        queue.depths(away, ["sms"])


def test_how_a_real_redis_keeps_things_is_read(redis_server: RedisServer) -> None:
    with queue.connect(redis_server.url) as client:
        assert queue.keeping(client) == {"maxmemory-policy": "noeviction", "appendonly": "yes"}
