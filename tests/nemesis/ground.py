"""The ground of a run: real servers, one sandbox as the only truth, and the schools' processes on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from broker.actor import SYSTEM
from broker.rosters.imports import import_roster
from config.assembly import House, assemble
from config.settings import load
from ledger.migrate import upgrade
from sandbox.client import RunningSandbox, start_sandbox
from sandbox.stand_ins import notify
from tests.nemesis import town
from tests.nemesis.clock import JumpingClock
from tests.nemesis.eavesdrop import Eavesdropper
from tests.nemesis.processes import Kept
from tests.nemesis.speaker import Speaker
from tests.nemesis.town import Town
from tests.support.installed import Installed
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer

FAMILIES, FEW = 70, 25
EVERY, SELDOM = timedelta(seconds=1.6), timedelta(seconds=4)  # between two announcements
READY_WITHIN = timedelta(seconds=120)


@dataclass
class School:
    """One installation: its settings, its processes, its voice."""

    letter: str
    installed: Installed
    town: Town
    house: House = field(repr=False)
    speaker: Speaker
    processes: list[Kept]

    @property
    def folder(self) -> Path:
        return self.installed.folder


@dataclass
class Ground:
    """What there is to be hurt."""

    folder: Path
    sandbox: RunningSandbox
    postgres: PostgresServer
    redis: RedisServer
    eavesdropper: Eavesdropper
    clock: JumpingClock | None
    schools: list[School]

    @property
    def processes(self) -> list[Kept]:
        return [process for school in self.schools for process in school.processes]

    def tend(self) -> None:
        """Start again what died, each in its time."""
        for process in self.processes:
            process.tend()


@contextmanager
def broken_ground(folder: Path, seed: int, *, with_clock: bool = True) -> Iterator[Ground]:
    """Bring everything up; whatever happens, nothing is left running."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(
            start_sandbox(folder / "truth.jsonl", callbacks="all", step=timedelta(milliseconds=300))
        )
        postgres = PostgresServer().start()
        stack.callback(postgres.stop)
        redis = RedisServer(durable=True).start()
        stack.callback(redis.stop)
        eavesdropper = Eavesdropper(redis, folder / "redis.heard")
        eavesdropper.start()
        stack.callback(eavesdropper.stop)
        clock = JumpingClock(folder) if with_clock else None
        database = postgres.fresh()
        upgrade(database)
        many = {
            **_second_gateway(sandbox),
            "CARILLON_DATABASE_URL": database,
            "CARILLON_QUEUE_URL": redis.url,
            "CARILLON_WORKER__DEAF_AFTER": "10",
        }
        schools = []
        for letter, more in (("A", many), ("B", {}), ("C", {})):
            school = _school(folder / letter, letter, seed, sandbox, more, clock)
            schools.append(school)
            stack.callback(school.house.close)
        ground = Ground(folder, sandbox, postgres, redis, eavesdropper, clock, schools)
        for process in ground.processes:
            stack.callback(process.stop)
            process.start()
        yield ground


def _school(
    folder: Path,
    letter: str,
    seed: int,
    sandbox: RunningSandbox,
    more: Mapping[str, str],
    clock: JumpingClock | None,
) -> School:
    folder.mkdir(mode=0o700)
    installed = Installed(folder, sandbox, {**_accounts(sandbox), **more})
    installed.more["CARILLON_PUBLIC_URL"] = f"http://127.0.0.1:{installed.port}"
    people = town.build(seed, 400 + ord(letter), FAMILIES if more else FEW)
    house = assemble(load(environ=installed.environ, env_file=None), upgrade=not more)
    import_roster(house.ports, people.roster, actor=SYSTEM)
    speaker = Speaker(letter, house, people, seed, EVERY if more else SELDOM)
    processes = _many(installed, clock) if more else [Kept("up", ["up"], installed.environ, folder)]
    return School(letter, installed, people, house, speaker, processes)


def _many(installed: Installed, clock: JumpingClock | None) -> list[Kept]:
    """As compose has them: the web, workers for everything, and one for what is urgent, whose clock jumps."""
    environ, folder = installed.environ, installed.folder
    jumping = {**environ, **(clock.environ if clock else {})}
    return [
        Kept("web", ["web"], environ, folder),
        Kept("worker-1", ["worker", "--processes", "2"], environ, folder, supervises=True),
        Kept("worker-2", ["worker"], environ, folder, supervises=True),
        Kept("urgent", ["worker", "--queues", "urgent"], jumping, folder, supervises=True),
    ]


def _second_gateway(sandbox: RunningSandbox) -> dict[str, str]:
    """Texts go by another provider while the first one fails."""
    second = {**notify.settings(sandbox.url("notify")), "grace": 3}
    block = {
        f"CARILLON_ACCOUNTS__TEXTS__NOTIFY__{name.upper()}": str(value) for name, value in second.items()
    }
    return {"CARILLON_ACCOUNTS__TEXTS__GATEWAYS": "twilio,notify", **block}


def _accounts(sandbox: RunningSandbox) -> dict[str, str]:
    """What the schools have besides the texts and mails of every test's installation."""
    x = sandbox.x
    accounts = {
        "MAILS__TIMEOUT": "6",
        "FEEDS__CHANNEL": "rss",
        "X__CHANNEL": "twitter",
        "X__CONSUMER_KEY": x.consumer_key,
        "X__CONSUMER_SECRET": x.consumer_secret,
        "X__ACCESS_TOKEN": x.access_token,
        "X__ACCESS_TOKEN_SECRET": x.access_token_secret,
        "X__NOTICE_ROUTE": "the notice board at the gate",
        "X__API_BASE_URL": sandbox.x_url,
        "X__GRACE": "3",
    }
    return {f"CARILLON_ACCOUNTS__{name}": value for name, value in accounts.items()}
