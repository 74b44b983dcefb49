"""The comparisons and the measures, each a function of the ground it stands on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.compare import Comparison, Played
from bench.ground import Ground, School
from bench.player import Player

CHANNEL_OF = {"texts": "sms", "mails": "email"}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    pairs: int
    texts: int
    mails: int
    slow_texts: int  # at 50 ms
    tasks: int  # one Celery task each
    sweep: int  # texts a concurrency, to find the bare loop's best
    memory: tuple[int, ...]
    planning: int

    @property
    def groups(self) -> tuple[int, ...]:
        """Every audience that is needed on PostgreSQL."""
        return tuple(sorted({self.texts, self.mails, self.slow_texts, *self.memory, self.planning}))


FULL = Sizes(5, 10_000, 10_000, 6_000, 600, 3_000, (1_000, 10_000, 100_000), 100_000)
QUICK = Sizes(3, 5_000, 4_000, 4_000, 300, 1_500, (1_000, 20_000), 20_000)


class Stage:
    """The players of a run, each started when it is first needed."""

    def __init__(self, ground: Ground, sizes: Sizes) -> None:
        self.ground, self.sizes = ground, sizes
        self._players: dict[str, Player] = {}
        self._best: dict[bool, int] = {}

    def close(self) -> None:
        """Send every player home."""
        for player in self._players.values():
            player.close()

    def carillon(self, school: School, name: str = "carillon", **settings: Any) -> Player:
        """A worker process of ours on a school's ledger."""
        url = school.house.settings.database_url
        return self._player(name, "carillon", **self.ground.settings(url, **settings))

    def bare_texts(self) -> Player:
        """The bare loop over texts."""
        box = self.ground.sandbox
        known = {"url": box.twilio_url, "account_sid": box.account_sid, "auth_token": box.auth_token}
        return self._player("bare_texts", "bare_texts", **known)

    def bare_mails(self) -> Player:
        """The bare loop over mails."""
        box = self.ground.sandbox
        return self._player("bare_mails", "bare_mails", host=box.smtp_host, port=box.smtp_port)

    def task_each(self) -> Player:
        """A Celery worker that takes a task for each recipient."""
        box = self.ground.sandbox
        return self._player(
            "task_each",
            "task_each",
            url=box.twilio_url,
            account_sid=box.account_sid,
            auth_token=box.auth_token,
            database_url=self.ground.postgres.fresh(),
            queue_url=self.ground.redis.url_of(1),
        )

    def _player(self, name: str, kind: str, **known: Any) -> Player:
        if name not in self._players:
            self._players[name] = Player(kind, **known)
        return self._players[name]

    def best_in_flight(self, *, slow: bool) -> int:
        """The bare loop's best concurrency, found by a short sweep."""
        if slow not in self._best:
            rates = {
                n: self.their_round(self.bare_texts(), self.sizes.sweep, in_flight=n)().rate
                for n in ((32, 64, 100) if slow else (16, 32, 64))
            }
            self._best[slow] = max(rates, key=lambda n: rates[n])
        return self._best[slow]

    def their_round(self, player: Player, size: int, **how: Any) -> Callable[[], Played]:
        """A round of a bare loop."""

        def play() -> Played:
            sandbox, database = self.ground.sandbox_seconds(), self.ground.database_seconds()
            told = player.play(size=size, **how)
            if told["sent"] != size:
                raise AssertionError(f"{told['sent']} of {size} were sent")
            return Played(
                size,
                told["seconds"],
                told["cpu"],
                # The bare loops use none; whoever has a database pays for it.
                (self.ground.database_seconds() - database) if how.get("database") else 0.0,
                self.ground.sandbox_seconds() - sandbox,
            )

        return play

    def our_round(self, school: School, player: Player, account: str, size: int) -> Callable[[], Played]:
        """A round of Carillon's: planned before the clock, accounted for after it."""

        def play() -> Played:
            pushed = self.ground.messages()
            said = school.planned(CHANNEL_OF[account], size)
            sandbox, database = self.ground.sandbox_seconds(), self.ground.database_seconds()
            told = player.play(account=account)
            played = Played(
                size,
                told["seconds"],
                told["cpu"],
                self.ground.database_seconds() - database,
                self.ground.sandbox_seconds() - sandbox,
                told["statements"],
                told["standing"],
                self.ground.messages() - pushed,
                told["most_rss_mb"],
            )
            if (states := school.states(said)) != {"sent": size}:
                raise AssertionError(f"not everything was sent: {states}")
            return played

        return play


def texts(stage: Stage) -> Comparison:
    """Texts on PostgreSQL beside the bare asynchronous client."""
    school, size = stage.ground.main, stage.sizes.texts
    theirs = stage.their_round(stage.bare_texts(), size, in_flight=stage.best_in_flight(slow=False))
    ours = stage.our_round(school, stage.carillon(school), "texts", size)
    return Comparison("texts", 0.85).play(theirs, ours, stage.sizes.pairs)


def slow_texts(stage: Stage) -> Comparison:
    """The same while the provider takes 50 ms to answer."""
    school, size = stage.ground.main, stage.sizes.slow_texts
    with latency(stage.ground, 50):
        best = stage.best_in_flight(slow=True)
        theirs = stage.their_round(stage.bare_texts(), size, in_flight=best)
        worker = stage.carillon(school, f"carillon {best}", in_flight=best)
        ours = stage.our_round(school, worker, "texts", size)
        return Comparison("texts, provider 50 ms away", None).play(theirs, ours, stage.sizes.pairs)


def embedded_texts(stage: Stage) -> Comparison:
    """Texts on the embedded SQLite beside the bare loop."""
    size = stage.sizes.texts
    url = f"sqlite:///{stage.ground.folder / 'embedded.sqlite3'}"
    school = stage.ground.school(url, [size], queue_url="memory://")
    theirs = stage.their_round(stage.bare_texts(), size, in_flight=stage.best_in_flight(slow=False))
    worker = stage.carillon(school, "embedded", queue_url="memory://")
    ours = stage.our_round(school, worker, "texts", size)
    try:
        return Comparison("texts, embedded SQLite", None).play(theirs, ours, stage.sizes.pairs)
    finally:
        school.house.close()


def mails(stage: Stage) -> Comparison:
    """Mails on PostgreSQL beside smtplib over eight kept connections."""
    school, size = stage.ground.main, stage.sizes.mails
    theirs = stage.their_round(stage.bare_mails(), size)
    ours = stage.our_round(school, stage.carillon(school), "mails", size)
    return Comparison("mails", 0.6).play(theirs, ours, stage.sizes.pairs)


def task_each(stage: Stage) -> Comparison:
    """Texts beside one Celery task for each recipient; the peer sends fewer, for it takes its time."""
    school = stage.ground.main
    theirs = stage.their_round(stage.task_each(), stage.sizes.tasks, database=True)
    ours = stage.our_round(school, stage.carillon(school), "texts", stage.sizes.texts)
    return Comparison("texts, a Celery task each", 20.0).play(theirs, ours, stage.sizes.pairs)


def memory(stage: Stage) -> dict[int, float]:
    """The most resident memory of a fresh worker process (MB), by how many recipients it served."""
    school, found = stage.ground.main, {}
    for size in stage.sizes.memory:
        settings = stage.ground.settings(school.house.settings.database_url)
        with Player("carillon", **settings) as player:
            found[size] = stage.our_round(school, player, "texts", size)().most_rss_mb
    return found


def planning(stage: Stage) -> float:
    """Microseconds a delivery of fan-out on PostgreSQL; nothing of it is sent."""
    school, size, took = stage.ground.main, stage.sizes.planning, []
    for _ in range(3):
        said = school.accepted("email", size)
        began = time.monotonic()
        if school.plan(said) != size:
            raise AssertionError("not everything was planned")
        took.append((time.monotonic() - began) / size * 1e6)
        school.withdraw(said)
    return median(took)


@contextmanager
def latency(ground: Ground, milliseconds: int) -> Iterator[None]:
    """Let the provider be that far away."""
    (order,) = ground.sandbox.control.order(f"twilio:latency:ms={milliseconds}")
    try:
        yield
    finally:
        ground.sandbox.control.clear(order)
