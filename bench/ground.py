"""The ground a run stands on: real PostgreSQL and Redis, the sandbox, a school in the ledger. It ends with us."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped] # its stubs lag behind it
from sqlalchemy import func, select, text

from bench.mailroom import Mailroom
from bench.words import LETTER, MAIL_SENDER, SENDER, SUBJECT, TEXT, email, mobile
from broker import fanout, intake
from broker.actor import Actor, ActorKind
from broker.announcement import Announcement, Draft, Part, People, Step, Urgency
from broker.ports import Hints
from broker.rosters.imports import import_roster
from broker.rosters.roster import (
    GroupKind,
    Role,
    Roster,
    RosterGroup,
    RosterGuardianship,
    RosterMembership,
    RosterPerson,
)
from config.assembly import House, assemble
from config.settings import Settings
from ledger import tables as t
from sandbox.client import RunningSandbox, start_sandbox
from tests.support.compose import services
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer

ACTOR = Actor(ActorKind.SYSTEM, "bench")
TOKEN = "benchtoken"


@dataclass
class Ground:
    """Everything that a run needs, and where it stands."""

    folder: Path
    postgres: PostgresServer
    redis: RedisServer
    sandbox: RunningSandbox
    mailroom: Mailroom
    sizes: Sequence[int]

    def settings(
        self, database_url: str, *, in_flight: int = 32, queue_url: str = "", two: bool = False
    ) -> dict[str, Any]:
        """A school's settings, as values that can be handed to another process."""
        texts: dict[str, Any] = {
            "channel": "sms",
            "account_sid": self.sandbox.account_sid,
            "auth_token": self.sandbox.auth_token,
            "sender": SENDER,
            "api_base_url": self.sandbox.twilio_url,
            "in_flight": in_flight,
        }
        if two:
            second = {name: value for name, value in texts.items() if name != "channel"}
            texts |= {"gateways": "twilio,second", "second": {"kind": "twilio", **second}}
        return {
            "data_dir": str(self.folder / "var"),
            "database_url": database_url,
            "queue_url": queue_url or self.redis.url_of(0),
            "secret_key": "a-secret-of-the-bench-and-of-nobody-else",
            # Asked for with every text, as a real school does; the stand-in calls nobody back here.
            "public_url": "http://127.0.0.1:9",
            "sandbox": True,
            "log_level": "WARNING",
            "accounts": {
                "texts": texts,
                "mails": {
                    "channel": "email",
                    "host": self.mailroom.host,
                    "port": self.mailroom.port,
                    "security": "none",
                    "sender": MAIL_SENDER,
                    "reply_to": MAIL_SENDER,
                },
            },
        }

    def school(self, database_url: str, sizes: Sequence[int], *, queue_url: str = "") -> School:
        """A ledger with as many families as the largest of `sizes`, and a group of each size."""
        return self.school_of(self.settings(database_url, queue_url=queue_url), sizes)

    def school_of(self, values: Mapping[str, Any], sizes: Sequence[int]) -> School:
        """The same, with settings of one's own."""
        settings = Settings.of(**values)
        house = assemble(settings, serves=True, upgrade=True)
        import_roster(house.ports, _roster(sizes), actor=ACTOR)
        with house.ledger.begin() as tx:
            tx.hand.connection.execute(text("ANALYZE"))
        return School(house)

    @cached_property
    def main(self) -> School:
        """The school on PostgreSQL that most comparisons share: it gathers history as it would in use."""
        return self.school(self.postgres.fresh(), self.sizes)

    @cached_property
    def of_two(self) -> School:
        """One whose texts have a second gateway behind the first."""
        return self.school_of(self.settings(self.postgres.fresh(), two=True), self.sizes)

    def database_seconds(self) -> float:
        """CPU seconds that PostgreSQL has used, its processes that have ended included."""
        server = psutil.Process(self.postgres.pid)
        used = server.cpu_times()
        total = used.user + used.system + used.children_user + used.children_system
        for process in server.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                own = process.cpu_times()
                total += own.user + own.system
        return float(total)

    def stand_in_seconds(self) -> float:
        """CPU seconds that the stand-ins have used."""
        pids = (self.sandbox.process.pid, self.mailroom.process.pid)
        return float(sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids))

    def messages(self) -> int:
        """Celery messages that Redis has been given since it started: kombu pushes each once."""
        with self.redis.client(0) as client:
            stats: Mapping[str, Any] = client.info("commandstats")
        return int(stats.get("cmdstat_lpush", {}).get("calls", 0))


@dataclass
class School:
    """A school that can announce; sending is for others."""

    house: House

    def planned(self, channel: str, size: int) -> Announcement:
        """An announcement to so many families, with every delivery in the ledger and due."""
        accepted = self.accepted(channel, size)
        added = fanout.plan(self.house.ports, accepted.public_id, actor=ACTOR)
        if added != size:
            raise AssertionError(f"{added} deliveries were planned, not {size}")
        return accepted

    def accepted(self, channel: str, size: int, *, department: str = "office") -> Announcement:
        """The same, not planned yet."""
        return self.say(group_of(size), channel, department=department)

    def say(
        self,
        audience: str,
        channel: str,
        *,
        text: str = TEXT,
        urgency: Urgency = Urgency.ROUTINE,
        department: str = "office",
        hints: Hints | None = None,
    ) -> Announcement:
        """Announce to an audience's guardians; `hints` instead of the school's own."""
        draft = Draft(
            department=department,
            audience=audience,
            people=People.GUARDIANS,
            ways=(Step((channel,)),),
            parts={Part.TITLE: SUBJECT, Part.SHORT: text, Part.LONG: LETTER},
            urgency=urgency,
        )
        ports = replace(self.house.ports, hints=hints or self.house.hints)
        return intake.accept(ports, draft, actor=ACTOR).announcement

    def gather(self, size: int) -> str:
        """A group of so many of the pupils who are there; its name."""
        name = group_of(size)
        with self.house.ledger.begin() as tx:
            tx.hand.run(
                "INSERT INTO people_group (name, folded_name, kind) VALUES (:name, :folded, 'club')",
                name=name,
                folded=name.casefold(),
            )
            tx.hand.run(
                "INSERT INTO membership (group_id, person_id, role) SELECT g.id, p.id, 'pupil' FROM people_group g,"
                " (SELECT id FROM person WHERE is_pupil ORDER BY id LIMIT :size) p WHERE g.name = :name",
                name=name,
                size=size,
            )
            tx.hand.run("ANALYZE people_group, membership")
        return name

    def plan(self, announcement: Announcement) -> int:
        """Plan it; how many deliveries."""
        return fanout.plan(self.house.ports, announcement.public_id, actor=ACTOR)

    def withdraw(self, announcement: Announcement) -> None:
        """Take it back, so that nothing of it is left to be sent."""
        intake.withdraw(self.house.ports, announcement.public_id, actor=ACTOR)

    def states(self, announcement: Announcement) -> dict[str, int]:
        """How many deliveries are in which state."""
        query = select(t.delivery.c.state, func.count()).where(
            t.delivery.c.announcement_id == announcement.id
        )
        with self.house.ledger.reading() as hand:
            rows = hand.connection.execute(query.group_by(t.delivery.c.state)).all()
        return {row[0]: row[1] for row in rows}


def as_shipped() -> PostgresServer:
    """A PostgreSQL with the settings that docker-compose.yml gives it, which is what a school runs."""
    flags = services()["postgres"].command
    return PostgresServer(settings=dict(flag.split("=", 1) for flag in flags if "=" in flag))


@contextlib.contextmanager
def ground(sizes: Sequence[int]) -> Iterator[Ground]:
    """Bring everything, and take it away."""
    with contextlib.ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="carillon-bench-")))
        postgres = as_shipped().start()
        held.callback(postgres.stop)
        redis = RedisServer().start()
        held.callback(redis.stop)
        sandbox = held.enter_context(start_sandbox(folder / "truth.jsonl", auth_token=TOKEN))
        mailroom = held.enter_context(Mailroom(folder / "mails"))
        made = Ground(folder, postgres, redis, sandbox, mailroom, sizes)
        yield made
        if "main" in made.__dict__:
            made.main.house.close()


def group_of(size: int) -> str:
    """The name of the group of so many pupils."""
    return f"Set {size}"


def _roster(sizes: Sequence[int]) -> Roster:
    people, guards = [], []
    for n in range(max(sizes)):
        people.append(RosterPerson(f"p{n}", frozenset({Role.PUPIL}), f"Pupil{n}", "Bell"))
        people.append(
            RosterPerson(
                f"g{n}",
                frozenset({Role.GUARDIAN}),
                f"Parent{n}",
                "Bell",
                mobiles=(mobile(n),),
                emails=(email(n),),
            )
        )
        guards.append(RosterGuardianship(f"g{n}", f"p{n}", 1))
    groups = tuple(RosterGroup(f"set{size}", group_of(size), GroupKind.CLUB) for size in sizes)
    members = tuple(
        RosterMembership(f"set{size}", f"p{n}", Role.PUPIL) for size in sizes for n in range(size)
    )
    return Roster("the bench's", tuple(people), groups, members, tuple(guards))
