"""The test ground itself: the servers are real, private where they must be, and never outlive pytest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis

from tests.support.postgres import PostgresServer, in_the_wheel
from tests.support.redis import RedisServer

ROOT = Path(__file__).parents[2]


def libpq(url: str) -> str:
    return url.replace("+psycopg", "")


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def within(seconds: float, fact: Callable[[], bool]) -> bool:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if fact():
            return True
        time.sleep(0.05)
    return fact()


def test_postgres_is_real_and_a_fresh_database_is_empty(postgres_url: str) -> None:
    with psycopg.connect(libpq(postgres_url)) as connection:
        assert connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchone() == (0,)


def test_a_template_is_built_once_and_copied(postgres: PostgresServer) -> None:
    built: list[str] = []

    def build(url: str) -> None:
        built.append(url)
        with psycopg.connect(libpq(url)) as connection:
            connection.execute("CREATE TABLE bell (note text)")

    copies = [postgres.fresh(postgres.template("bells", build)) for _ in range(2)]
    for url in copies:
        with psycopg.connect(libpq(url)) as connection:
            connection.execute("INSERT INTO bell VALUES ('C')")
        postgres.drop(url)
    assert len(built) == 1


def test_each_test_has_a_redis_database_of_its_own(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url, socket_timeout=5) as client:
        assert client.dbsize() == 0
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_private_redis_can_be_killed_paused_and_brought_back(redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        client.set("note", "C")
    redis_server.kill()
    assert not redis_server.answers()
    redis_server.restart()
    redis_server.pause()
    with (
        pytest.raises(redis.TimeoutError),
        redis.Redis.from_url(redis_server.url, socket_timeout=0.1) as client,
    ):
        client.ping()
    redis_server.resume()
    redis_server.flushall()
    with redis_server.client() as client:
        assert client.dbsize() == 0


def test_a_private_postgres_keeps_what_it_committed_when_killed(postgres_server: PostgresServer) -> None:
    url = libpq(postgres_server.fresh())
    with psycopg.connect(url) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        connection.execute("CREATE TABLE bell AS SELECT 'C' AS note")
    postgres_server.kill()
    postgres_server.restart()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT note FROM bell").fetchone() == ("C",)


@pytest.mark.runs_on("postgresql")
def test_the_wheels_postgres_serves_where_the_system_has_none() -> None:
    server = PostgresServer(in_the_wheel()[0]).start()
    try:
        with psycopg.connect(libpq(server.fresh())) as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
    finally:
        server.stop()


def test_a_missing_server_ends_the_run_with_one_line_that_names_the_way_out() -> None:
    pytest_on_empty_path = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            f"{Path(__file__)}::{test_each_test_has_a_redis_database_of_its_own.__name__}",
        ],
        cwd=ROOT,
        env={"PATH": "/nowhere"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert pytest_on_empty_path.returncode == 1
    lines = [line for line in pytest_on_empty_path.stdout.splitlines() if "Redis cannot be had" in line]
    assert len(lines) == 1
    assert "--without-redis" in lines[0]


@pytest.mark.runs_on("redis", "postgresql")
def test_no_server_outlives_a_killed_pytest() -> None:
    program = (
        "import time\n"
        "from tests.support.postgres import PostgresServer\n"
        "from tests.support.redis import RedisServer\n"
        "a, b = RedisServer().start(), PostgresServer().start()\n"
        "print(a.pid, b.pid, a.folder, b.folder, flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    first, second, *folders = owner.stdout.readline().split()
    owner.send_signal(signal.SIGKILL)
    owner.wait(timeout=5)
    owner.stdout.close()
    assert within(15, lambda: not exists(int(first)) and not exists(int(second)))
    assert within(5, lambda: not any(Path(folder).exists() for folder in folders))


def test_a_socket_beyond_loopback_is_closed_to_the_tests() -> None:
    with pytest.raises(Exception, match="A test tried to use socket"):
        redis.Redis(host="192.0.2.1", socket_connect_timeout=0.2).ping()
