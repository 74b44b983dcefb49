"""The players of a run and their rounds; the series that are played with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.compare import Comparison, Played, Round, Series, best
from bench.findings import BY_TWO
from bench.ground import Ground, School
from bench.player import Player
from bench.words import email

CHANNEL_OF = {"texts": "sms", "mails": "email"}
SHIPPED = 16  # texts through Apprise with its throttle, of which five go a second
WARM = 400  # deliveries of a round that nobody looks at


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    turns: int
    texts: int
    mails: int
    slow_texts: int  # at 50 ms
    tasks: int  # one Celery task each
    apprise: int
    post_office: int
    sweep: int  # a way, to find the bare loops' best
    memory: tuple[int, ...]
    urgent: int  # announcements under a bulk send
    million: int = 1_000_000

    @property
    def groups(self) -> tuple[int, ...]:
        """Every audience that is needed on PostgreSQL."""
        return tuple(sorted({WARM, self.texts, self.mails, self.slow_texts, *self.memory}))


FULL = Sizes(9, 10_000, 10_000, 6_000, 600, 1_000, 2_000, 3_000, (1_000, 10_000, 100_000), 400)
QUICK = Sizes(7, 3_000, 3_000, 2_500, 150, 200, 300, 800, (1_000, 20_000), 40)


@dataclass
class Stage:
    """The players of a run, each started when it is first needed, and what was found to be their best."""

    ground: Ground
    sizes: Sizes
    chosen: dict[str, str] = field(default_factory=dict)  # whose best was looked for, and which it was
    _players: dict[str, Player] = field(default_factory=dict)

    def close(self) -> None:
        """Send every player home."""
        for player in self._players.values():
            player.close()

    def player(self, name: str, kind: str, **known: Any) -> Player:
        """One of that name."""
        if name not in self._players:
            self._players[name] = Player(kind, **known)
        return self._players[name]

    def carillon(self, school: School, name: str = "carillon", **settings: Any) -> Player:
        """A worker process of ours on a school's ledger."""
        url = school.house.settings.database_url
        return self.player(name, "carillon", **self.ground.settings(url, **settings))

    @property
    def texts_at(self) -> dict[str, str]:
        """Where texts are taken."""
        box = self.ground.sandbox
        return {"url": box.twilio_url, "account_sid": box.account_sid, "auth_token": box.auth_token}

    @property
    def mails_at(self) -> dict[str, Any]:
        """Where mails are taken."""
        return {"host": self.ground.mailroom.host, "port": self.ground.mailroom.port}

    def task_each(self, pool: str) -> Player:
        """A Celery worker that takes a task for each recipient, and who gives it out."""
        name = f"task each, {pool}"
        if name in self._players:
            return self._players[name]
        texts, mails = self.texts_at, self.mails_at
        return self.player(
            name,
            "task_each",
            pool=pool,
            twilio_url=texts.pop("url"),
            **texts,
            smtp=f"{mails['host']}:{mails['port']}",
            database_url=self.ground.postgres.fresh(),
            queue_url=self.ground.redis.url_of(1 if pool == "prefork" else 2),
        )

    def post_office(self) -> Player:
        """A Django project with django-post_office."""
        if "post_office" in self._players:
            return self._players["post_office"]
        url = self.ground.postgres.fresh()
        return self.player("post_office", "post_office", database_url=url, **self.mails_at)

    # --- rounds --------------------------------------------------------------------------------------------------

    def their_round(
        self, player: Player, what: str, size: int, *, database: bool = False, **how: Any
    ) -> Round:
        """A round of a peer; `database`: it has one, and pays for it."""

        def play() -> Played:
            with self._witnessed(what, size):
                stand_in, stored = self.ground.stand_in_seconds(), self.ground.database_seconds()
                told = player.play(size=size, **how)
                if told["sent"] != size:
                    raise AssertionError(f"{told['sent']} of {size} were sent")
                used = self.ground.database_seconds() - stored
            cost = self.ground.stand_in_seconds() - stand_in
            return Played(size, told["seconds"], told["cpu"], used if database else 0.0, cost)

        return play

    def our_round(self, school: School, player: Player, what: str, size: int) -> Round:
        """A round of Carillon's: planned before the clock, accounted for after it."""

        def play() -> Played:
            pushed = self.ground.messages()
            said = school.planned(CHANNEL_OF[what], size)
            with self._witnessed(what, size):
                stand_in, stored = self.ground.stand_in_seconds(), self.ground.database_seconds()
                told = player.play(account=what)
                used = self.ground.database_seconds() - stored
            played = Played(
                size,
                told["seconds"],
                told["cpu"],
                used,
                self.ground.stand_in_seconds() - stand_in,
                told["statements"],
                told["standing"],
                self.ground.messages() - pushed,
                told["most_rss_mb"],
            )
            if (states := school.states(said)) != {"sent": size}:
                raise AssertionError(f"not everything was sent: {states}")
            return played

        return play

    @contextmanager
    def _witnessed(self, what: str, size: int) -> Iterator[None]:
        """Whoever says so, it counts only what the stand-in took: so many, and for mails to whom."""
        if what == "texts":
            before = self.ground.sandbox.control.counts()["accepted"]
            yield
            took = self.ground.sandbox.control.counts()["accepted"] - before
        else:
            self.ground.mailroom.took()
            yield
            addresses = self.ground.mailroom.took()
            took = len(addresses)
            if set(addresses) != {email(n) for n in range(size)}:
                raise AssertionError("mails went to others than they were meant for")
        if took != size:
            raise AssertionError(f"the stand-in took {took} of {size} {what}")

    def best(self, whose: str, ways: Sequence[str], made: Callable[[str], Round]) -> str:
        """The fastest way of one side, found once a run."""
        if whose not in self.chosen:
            self.chosen[whose] = best({way: made(way) for way in ways})
        return self.chosen[whose]


def bare_texts(stage: Stage, size: int, *, slow: bool = False) -> tuple[Round, int]:
    """The limit for texts, at the concurrency that suits it best; and that."""
    player = stage.player("bare_texts", "bare_texts", **stage.texts_at)

    def made(calls: str, few: int = stage.sizes.sweep) -> Round:
        return stage.their_round(player, "texts", few, in_flight=int(calls))

    found = stage.best(
        "calls in flight of the bare loop" + (", 50 ms away" if slow else ""),
        ("32", "64", "100", "128") if slow else ("16", "32", "64"),
        made,
    )
    return made(found, size), int(found)


def texts(stage: Stage) -> Mapping[str, Comparison]:
    """Texts: ours on PostgreSQL and on SQLite beside the bare asynchronous client and the peers."""
    school, size = stage.ground.main, stage.sizes.texts
    url = f"sqlite:///{stage.ground.folder / 'embedded.sqlite3'}"
    small = stage.ground.school(url, [WARM, size], queue_url="memory://")
    embedded = stage.carillon(small, "embedded", queue_url="memory://")
    worker = stage.carillon(school)
    bare, _ = bare_texts(stage, size)
    stage.our_round(school, worker, "texts", WARM)()
    stage.our_round(small, embedded, "texts", WARM)()
    sides = {
        "carillon": stage.our_round(school, worker, "texts", size),
        "bare": bare,
        "task each": _task_each(stage, "texts"),
        "embedded": stage.our_round(small, embedded, "texts", size),
        "apprise": _apprise(stage, "texts"),
    }
    try:
        played = Series(sides).play(stage.sizes.turns)
    finally:
        small.house.close()
    return {
        "sms_vs_bare": played.compare("texts", "bare", aim=0.85, limit=True),
        "sms_embedded_vs_bare": played.compare(
            "texts, embedded SQLite", "bare", ours="embedded", aim=0.7, limit=True
        ),
        "sms_vs_task_each": played.compare("texts, a Celery task each", "task each", aim=25),
        "sms_vs_apprise": played.compare("texts, Apprise unthrottled", "apprise", aim=4),
    }


def slow_texts(stage: Stage) -> Mapping[str, Comparison]:
    """Texts while the provider takes 50 ms to answer."""
    school, size = stage.ground.main, stage.sizes.slow_texts
    with latency(stage.ground, 50):
        bare, in_flight = bare_texts(stage, size, slow=True)
        worker = stage.carillon(school, "carillon, 50 ms away", in_flight=in_flight)
        stage.our_round(school, worker, "texts", WARM)()
        sides = {"carillon": stage.our_round(school, worker, "texts", size), "bare": bare}
        played = Series(sides).play(stage.sizes.turns)
    return {
        "sms_vs_bare_50ms": played.compare("texts, provider 50 ms away", "bare", aim=0.95, limit=True),
    }


def mails(stage: Stage) -> Mapping[str, Comparison]:
    """Mails on PostgreSQL beside smtplib over kept connections, and the peers."""
    school, size = stage.ground.main, stage.sizes.mails
    worker = stage.carillon(school)
    stage.our_round(school, worker, "mails", WARM)()
    loop = stage.player("bare_mails", "bare_mails", **stage.mails_at)

    def bare(connections: str, few: int = stage.sizes.sweep) -> Round:
        return stage.their_round(loop, "mails", few, connections=int(connections))

    found = stage.best("connections of the bare loop", ("1", "2", "4", "8"), bare)
    sides = {
        "carillon": stage.our_round(school, worker, "mails", size),
        "bare": bare(found, size),
        "post_office": _post_office(stage),
        "task each": _task_each(stage, "mails"),
        "apprise": _apprise(stage, "mails"),
    }
    played = Series(sides).play(stage.sizes.turns)
    return {
        "email_vs_bare": played.compare("mails", "bare", aim=0.6, limit=True),
        "email_vs_task_each": played.compare("mails, a Celery task each", "task each", aim=40),
        "email_vs_apprise": played.compare("mails, Apprise", "apprise", aim=5),
        "email_vs_post_office": played.compare("mails, django-post_office", "post_office", aim=5),
    }


def _task_each(stage: Stage, what: str) -> Round:
    """A Celery task each: Celery's own default of a process a core, or sixteen threads, whichever is faster."""

    def made(pool: str, size: int = max(100, stage.sizes.tasks // 2)) -> Round:
        return stage.their_round(stage.task_each(pool), what, size, database=True, account=what)

    pool = stage.best(f"pool of a task each, {what}", ("prefork", "threads"), made)
    return made(pool, stage.sizes.tasks)


def _apprise(stage: Stage, what: str) -> Round:
    """Apprise: one notification to all, or a service for each, whichever is faster."""
    at = stage.texts_at if what == "texts" else stage.mails_at
    player = stage.player(f"apprise_{what}", f"apprise_{what}", **at)

    def made(way: str, size: int = stage.sizes.apprise // 3) -> Round:
        return stage.their_round(player, what, size, way=way)

    way = stage.best(f"targets of Apprise, {what}", ("together", "apart"), made)
    return made(way, stage.sizes.apprise)


def _post_office(stage: Stage) -> Round:
    """django-post_office: its defaults (100 mails a batch, five threads), or what its manual has for bulk."""
    player = stage.post_office()

    def made(way: str, size: int = stage.sizes.post_office // 2) -> Round:
        batch, threads = map(int, way.split("/"))
        return stage.their_round(player, "mails", size, database=True, batch=batch, threads=threads)

    way = stage.best("batch/threads of post_office", ("100/5", "100/1", "1000/5", "1000/10"), made)
    return made(way, stage.sizes.post_office)


def throttled(stage: Stage) -> float:
    """Texts a second of Apprise as it is shipped, from one address list."""
    player = stage.player("apprise_texts", "apprise_texts", **stage.texts_at)
    return stage.their_round(player, "texts", SHIPPED, way="together", throttled=True)().rate


def counts(stage: Stage) -> Mapping[str, Sequence[Played]]:
    """Our side alone, once a channel: what is counted, not timed."""
    school, worker, found = stage.ground.main, stage.carillon(stage.ground.main), {}
    for what, size in (("texts", stage.sizes.texts), ("mails", stage.sizes.mails)):
        stage.our_round(school, worker, what, WARM)()
        found[CHANNEL_OF[what]] = [stage.our_round(school, worker, what, size)()]
    school = stage.ground.of_two
    worker = stage.carillon(school, "carillon with two gateways", two=True)
    stage.our_round(school, worker, "texts", WARM)()
    found[BY_TWO] = [stage.our_round(school, worker, "texts", stage.sizes.texts)()]
    return found


def memory(stage: Stage) -> dict[int, float]:
    """The most resident memory of a fresh worker process (MB), by how many recipients it served."""
    school, found = stage.ground.main, {}
    for size in stage.sizes.memory:
        settings = stage.ground.settings(school.house.settings.database_url)
        with Player("carillon", **settings) as player:
            found[size] = stage.our_round(school, player, "texts", size)().most_rss_mb
    return found


@contextmanager
def latency(ground: Ground, milliseconds: int) -> Iterator[None]:
    """Let the provider be that far away."""
    (order,) = ground.sandbox.control.order(f"twilio:latency:ms={milliseconds}")
    try:
        yield
    finally:
        ground.sandbox.control.clear(order)
