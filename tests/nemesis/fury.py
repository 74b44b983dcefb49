"""The faults themselves: each stroke of the plan, done to what is there, and counted when it hit."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import psycopg

from tests.nemesis import weather
from tests.nemesis.ground import Ground
from tests.nemesis.plan import DATABASE, KILLS, REDIS, Act, Faults, Stroke
from tests.nemesis.processes import Kept, strike, threads_of

T = TypeVar("T")
STARTING = 0.15  # of the kills may hit what is only starting
AT_WORK = 8  # threads of a process that sends: its loop, its brake, its sweep …
GROWN = timedelta(seconds=3)
_OURS = "FROM pg_stat_activity WHERE application_name = 'carillon'"
_END = f"SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) {_OURS}"
# What is in the middle of something comes first.
_END_ONE = f"SELECT pg_terminate_backend(pid)::int {_OURS} ORDER BY state = 'idle', random() LIMIT 1"


@dataclass
class Fury:
    """Strikes. A stroke that met nothing to hit is tried again a little later."""

    ground: Ground
    half: timedelta  # of the run
    beyond: bool = False
    hits: Counter[Act] = field(default_factory=Counter)
    _redis_back_at: float | None = None
    _early: bool = True
    _outage: str = ""
    _outage_over_at: float = 0.0
    _outage_is: int = 0  # its number at the sandbox
    _up_since: dict[int, float] = field(default_factory=dict)  # by process

    def strike(self, stroke: Stroke) -> bool:
        """Do it; whether it hit."""
        self._early = stroke.at < self.half
        hit = self._acts()[stroke.act](stroke.draw)
        self.hits[stroke.act] += hit
        return bool(hit)

    def tend(self) -> None:
        """Let what is paused go on when its time has come; see who has come up."""
        now = time.monotonic()
        working = {pid for pid in self._workers() if threads_of(pid) >= AT_WORK}
        self._up_since = {pid: self._up_since.get(pid, now) for pid in working}
        if self._redis_back_at is not None and time.monotonic() >= self._redis_back_at:
            self._redis_back_at = None
            self.ground.redis.resume()
        if self._outage and now >= self._outage_over_at:
            self._outage = ""
            self.ground.sandbox.control.clear(self._outage_is)

    def rest(self) -> None:
        """No more faults: what is paused or gone comes back, the providers are fair, the clock is right."""
        self._redis_back_at = None
        self.ground.redis.resume()
        if self.ground.clock is not None:
            self.ground.clock.jump(0.0)
        self._outage = ""
        self.ground.sandbox.control.clear()

    def count(self) -> Faults:
        """What truly happened."""
        return Faults(
            sum(self.hits[act] for act in KILLS),
            sum(self.hits[act] for act in DATABASE),
            sum(self.hits[act] for act in REDIS),
            weather.given(self.struck()),
        )

    def struck(self) -> dict[str, int]:
        """The faults that providers gave, by "service:kind:stage"."""
        given: dict[str, int] = self.ground.sandbox.control.counts()["struck"]
        return given

    @property
    def senders_killed(self) -> int:
        """Processes that sent mails, or whose worker did, and were killed."""
        return sum(self.hits[act] for act in KILLS if act is not Act.KILL_WEB)

    def _acts(self) -> dict[Act, Callable[[float], int]]:
        return {
            Act.KILL_EMBEDDED: self._kill_embedded,
            Act.KILL_SUPERVISOR: self._kill_supervisor,
            Act.KILL_WEB: lambda draw: self._kill(self._kept("web"), draw),
            Act.KILL_CHILD: self._kill_child,
            Act.KILL_HOST: self._kill_host,
            Act.END_A_BACKEND: lambda _: self._in_the_database(_END_ONE),
            Act.END_ALL_BACKENDS: lambda _: self._in_the_database(_END),
            Act.RESTART_POSTGRES: self._restart_postgres,
            Act.CRASH_POSTGRES: self._crash_postgres,
            Act.KILL_REDIS: self._kill_redis,
            Act.PAUSE_REDIS: self._pause_redis,
            Act.FLUSH_REDIS: self._flush_redis,
            Act.WEATHER: self._change_the_weather,
            Act.OUTAGE: self._break_a_gateway,
            Act.CLOCK: self._jump,
        }

    # --- processes

    def _kept(self, name: str) -> list[Kept]:
        return [process for process in self.ground.processes if process.name == name]

    def _supervisors(self) -> list[Kept]:
        return [process for process in self.ground.processes if process.supervises]

    def _workers(self) -> list[int]:
        """Every process that sends."""
        embedded = [each.pid for each in self._kept("up") if each.pid]
        return embedded + [child for each in self._supervisors() for child in each.children()]

    def _may_fall(self, pid: int, draw: float) -> bool:
        """Mostly what has had the time to begin something, however slow the machine; now and then what only starts."""
        up_for = time.monotonic() - self._up_since.get(pid, float("inf"))
        return draw < STARTING or up_for > GROWN.total_seconds()

    def _kill(self, among: Sequence[Kept], draw: float) -> int:
        alive = [each for each in among if each.alive]
        return bool(alive) and _one_of(alive, draw).kill()

    def _kill_embedded(self, draw: float) -> int:
        return self._kill([each for each in self._kept("up") if self._may_fall(each.pid, draw)], draw)

    def _kill_supervisor(self, draw: float) -> int:
        """One whose workers are up: a warm stop of theirs follows."""
        ready = [
            each for each in self._supervisors() if any(self._may_fall(c, draw) for c in each.children())
        ]
        return self._kill(ready, draw)

    def _kill_child(self, draw: float) -> int:
        children = [child for each in self._supervisors() for child in each.children()]
        ready = [child for child in children if self._may_fall(child, draw)]
        return bool(ready) and strike(_one_of(sorted(ready), draw))

    def _kill_host(self, draw: float) -> int:
        """The worker first, and before its supervisor can look, the supervisor."""
        ready = [
            each for each in self._supervisors() if any(self._may_fall(c, draw) for c in each.children())
        ]
        if not ready:
            return 0
        host = _one_of(ready, draw)
        host.pause()
        killed = sum(strike(child) for child in host.children())
        return killed + host.kill()

    # --- servers

    def _in_the_database(self, statement: str) -> int:
        url = self.ground.postgres.url.replace("+psycopg", "")
        with (
            suppress(psycopg.Error),
            psycopg.connect(url, connect_timeout=3, autocommit=True) as connection,
        ):
            found = connection.execute(statement).fetchone()
            return bool(found and found[0])
        return 0

    def _restart_postgres(self, draw: float) -> int:
        self.ground.postgres.restart()
        return 1

    def _crash_postgres(self, draw: float) -> int:
        self.ground.postgres.kill()
        time.sleep(2 * draw)
        self.ground.postgres.restart()
        return 1

    def _kill_redis(self, draw: float) -> int:
        self._redis_back_at = None
        self.ground.redis.resume()
        self.ground.redis.kill()
        time.sleep(draw)
        self.ground.redis.restart()
        return 1

    def _pause_redis(self, draw: float) -> int:
        if self._redis_back_at is not None:
            return 0
        self.ground.redis.pause()
        self._redis_back_at = time.monotonic() + 1 + 4 * draw
        return 1

    def _flush_redis(self, draw: float) -> int:
        if self._redis_back_at is not None:
            return 0
        self.ground.redis.flushall()
        return 1

    # --- providers, clocks

    def _change_the_weather(self, draw: float) -> int:
        control = self.ground.sandbox.control
        control.clear()
        self._order_outage()
        control.order(*weather.orders(draw, early=self._early, beyond=self.beyond))
        return 1

    def _break_a_gateway(self, draw: float) -> int:
        """The first gateway of the school that has two, for ten to eighteen seconds, whatever the weather."""
        if self._outage:
            return 0
        self._outage = _one_of(weather.OUTAGES, draw)
        self._outage_over_at = time.monotonic() + 10 + 8 * draw
        self._order_outage()
        return 1

    def _order_outage(self) -> None:
        if self._outage:
            self._outage_is = self.ground.sandbox.control.order(self._outage)[0]

    def _jump(self, draw: float) -> int:
        if self.ground.clock is None:
            return 1
        self.ground.clock.jump(draw)
        return 1


def _one_of(among: Sequence[T], draw: float) -> T:
    return among[random.Random(draw).randrange(len(among))]
