"""A real Redis: the system's redis-server, or, as root on Debian, the one apt brings."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import redis

from tests.support.servers import CannotBeHadError, Server

DATABASES = 4096
POLICY = Path("/usr/sbin/policy-rc.d")
MISSING = "Redis cannot be had: no redis-server on PATH. Install it ({how}), or say --without-redis."


@contextmanager
def services_stay_off() -> Iterator[None]:
    """Debian starts a service on installing it; this is its own way to be told not to."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


def install_by_apt() -> None:
    """Install redis-server once, saying so, even when two runs want it at the same time."""
    sys.stderr.write(
        "installing redis-server with apt-get: the tests need a real Redis and this machine has none\n"
    )
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    steps = (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "redis-server"],
        ["update-rc.d", "redis-server", "disable"],
    )
    with Path("/tmp/carillon-test-apt.lock").open("w") as lock, services_stay_off():
        fcntl.flock(lock, fcntl.LOCK_EX)
        if shutil.which("redis-server"):
            return
        for step in steps:
            done = subprocess.run(
                step,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            if done.returncode and step[0] == "apt-get":
                raise CannotBeHadError(
                    f"Redis cannot be had: {' '.join(step)} failed: {done.stderr.strip()[-300:]}"
                )


@cache
def find_binary() -> Path:
    """The redis-server to run; raises CannotBeHadError where there is none."""
    found = shutil.which("redis-server")
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        install_by_apt()
        found = shutil.which("redis-server")
    if found is None:
        how = "brew install redis" if sys.platform == "darwin" else "apt-get install redis-server, as root"
        raise CannotBeHadError(MISSING.format(how=how))
    return Path(found)


class RedisServer(Server):
    """One Redis, noeviction, with an append-only file when it is to survive a kill."""

    name = "redis"

    def __init__(self, *, durable: bool = False) -> None:
        super().__init__()
        self._durable = durable

    def command(self) -> list[str]:
        """Loopback only, configured as docs and docker-compose advise."""
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.folder),
            "databases": str(DATABASES),
            "save": "",
            "appendonly": "yes" if self._durable else "no",
            "maxmemory-policy": "noeviction",
        }
        flags = [part for name, value in settings.items() for part in (f"--{name}", value)]
        return [str(find_binary()), *flags]

    def answers(self) -> bool:
        """Whether it says PONG."""
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    @property
    def url(self) -> str:
        """Database 0."""
        return self.url_of(0)

    def url_of(self, database: int) -> str:
        """One numbered database."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    def client(self, database: int = 0) -> redis.Redis:
        """A client that gives up rather than hang."""
        return redis.Redis.from_url(self.url_of(database), socket_timeout=5, socket_connect_timeout=1)

    def flushall(self) -> None:
        """Lose everything, as an operator's slip would."""
        with self.client() as client:
            client.flushall()
