"""What the API answers in, on a ledger of a million deliveries: `python -m bench --only api`.

The web is a process of its own, who asks is this one, on one kept connection; every question has its turn in each
round, so that whatever else the machine does meets all alike. Statements are counted where they go out.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from statistics import median
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy import event, func, select
from starlette.testclient import TestClient

from bench.crowd import fill
from bench.ground import ACTOR, Ground, School
from bench.growth import past
from bench.player import Player
from broker.address import AddressKind
from broker.authority import tokens
from broker.authority.tokens import MACHINE
from config.assembly import House, assemble
from config.settings import Settings
from ledger import tables as t
from web.app import create_app

SIZE = 1_000_000
FAMILIES, SCHOOL, CLASS = 50_000, 1_500, 30
ROUNDS, WARM, IN_A_ROW = 120, 5, 30
SAID_MS, LISTED_MS, STATEMENTS = 20.0, 50.0, 12
SAID_STATEMENTS = 15  # its token's and all that intake asks and writes
DEPARTMENTS = {"office": "Office", "music": "Music", "sport": "Sport"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the API; a body makes it a POST. Without `most_ms` nothing is asked of it: the figure is told."""

    path: str
    token: str
    body: Mapping[str, Any] | None = None
    most_ms: float = LISTED_MS

    @property
    def method(self) -> str:
        """POST with a body, else GET."""
        return "GET" if self.body is None else "POST"

    @property
    def content(self) -> bytes | None:
        """The body as it goes out."""
        return None if self.body is None else json.dumps(self.body).encode()

    def headers(self) -> dict[str, str]:
        """With a new key each time."""
        token = {"Authorization": f"Bearer {self.token}"}
        said = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
        return {**token, **(said if self.body is not None else {})}


@dataclass(frozen=True, slots=True)
class Answered:
    """How long one kind of question took, milliseconds of each, and how many statements."""

    what: str
    ms: Sequence[float]
    cpu_ms: float  # of the web process
    statements: int
    most_ms: float

    @property
    def p95(self) -> float:
        """The time within which 95 of 100 were answered."""
        return sorted(self.ms)[ceil(0.95 * len(self.ms)) - 1]

    @property
    def holds(self) -> bool:
        """In time, and with few statements."""
        most = SAID_STATEMENTS if self.most_ms == SAID_MS else STATEMENTS
        return not self.most_ms or (self.p95 <= self.most_ms and self.statements <= most)

    def __str__(self) -> str:
        aim = f", asked for: {self.most_ms:g}" if self.most_ms else ""
        return (
            f"{self.what}: {median(self.ms):.1f} ms (p50), {self.p95:.1f} ms (p95{aim}),"
            f" {max(self.ms):.1f} ms at most; CPU {self.cpu_ms:.1f} ms, {self.statements} statements"
            f"{'' if self.holds else '  <- missed'}"
        )


def run(ground: Ground, size: int, say: Callable[[str], None], rounds: int = ROUNDS) -> Sequence[Answered]:
    """Make the ledger, ask, tell."""
    settings = {**ground.settings(ground.postgres.fresh()), "departments": DEPARTMENTS}
    with assemble(Settings.of(**settings), serves=True, upgrade=True) as house:
        began = time.monotonic()
        questions = _questions(house, size)
        say(f"{size:,} deliveries stand in the ledger after {time.monotonic() - began:.0f} s")
        counted = {what: _statements(house, asked) for what, asked in questions.items()}
        with Player("web", **settings) as web, _line(web.play()["url"]) as line:
            taken: dict[str, list[float]] = {what: [] for what in questions}
            for turn in range(rounds + WARM):
                for what, asked in questions.items():
                    took = _ask(line, asked)
                    if turn >= WARM:
                        taken[what].append(took)
            used = {what: _cpu(web, line, asked) for what, asked in questions.items()}
    return [
        Answered(what, taken[what], used[what], counted[what], asked.most_ms)
        for what, asked in questions.items()
    ]


def _questions(house: House, size: int) -> Mapping[str, Asked]:
    families = min(FAMILIES, size)
    everybody = fill(house.ledger, families, (AddressKind.MOBILE,))
    school = School(house)
    said = [past(school, families, department=("office", "music")[n % 2]) for n in range(size // families)]
    few, whole_school = _classes(school), school.gather(min(SCHOOL, families // 2))
    with house.ledger.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE")
    whole, music, sport = (
        tokens.make(
            house.ports, f"bench {of}", MACHINE, department=of, lasts=timedelta(hours=1), actor=ACTOR
        ).secret
        for of in (None, "music", "sport")
    )
    first, middle = said[0], said[len(said) // 2]
    return {
        "announce to a class": Asked("/announcements", whole, _words(few), SAID_MS),
        f"announce to {SCHOOL:,}": Asked("/announcements", whole, _words(whole_school), SAID_MS),
        f"announce to {families:,}": Asked("/announcements", whole, _words(everybody), 0),
        "announcements": Asked("/announcements", whole),
        "announcements of a department": Asked("/announcements?limit=200", music),
        "announcements of a department that said nothing": Asked("/announcements", sport),
        f"one announcement to {families:,}": Asked(f"/announcements/{first.public_id}", whole, most_ms=0),
        "deliveries": Asked("/deliveries?limit=200", whole),
        "deliveries, half a million in": Asked(
            f"/deliveries?limit=200&cursor={_cursor(house, 'deliveries', size // 2)}", whole
        ),
        "deliveries of the oldest announcement": Asked(
            f"/deliveries?announcement={first.public_id}&limit=200", whole
        ),
        "deliveries that failed": Asked("/deliveries?failed=true", whole),
        "deliveries in a state that few are in": Asked("/deliveries?state=delivered", whole),
        "deliveries that wait": Asked("/deliveries?state=queued", whole),
        "deliveries by a way that was never used": Asked("/deliveries?channel=email", whole),
        "deliveries of a department": Asked("/deliveries?limit=200", music),
        "deliveries of a department that said nothing": Asked("/deliveries", sport),
        "a department's, of an old announcement, in a state": Asked(
            f"/deliveries?announcement={middle.public_id}&state=uncertain", whole
        ),
        "duties": Asked(f"/announcements/{first.public_id}/duties?limit=200", whole),
        "duties, far in": Asked(
            f"/announcements/{middle.public_id}/duties?limit=200"
            f"&cursor={_cursor(house, 'duties', _last_told(house, middle.id) - 1_000)}",
            whole,
        ),
        "duties that are unmet": Asked(f"/announcements/{middle.public_id}/duties?unmet=true", whole),
    }


def _classes(school: School) -> str:
    """Everybody in a class, as in any school: what a group costs is reckoned from how large they mostly are."""
    with school.house.ledger.begin() as tx:
        tx.hand.run(
            "INSERT INTO people_group (name, folded_name, kind) SELECT 'Class ' || n, 'class ' || n, 'form'"
            " FROM generate_series(0, (SELECT max(id) FROM person WHERE is_pupil) / :size) n",
            size=CLASS,
        )
        tx.hand.run(
            "INSERT INTO membership (group_id, person_id, role) SELECT g.id, p.id, 'pupil' FROM person p"
            " JOIN people_group g ON g.folded_name = 'class ' || (p.id / :size) WHERE p.is_pupil",
            size=CLASS,
        )
    return "Class 1"


def _words(group: str) -> Mapping[str, Any]:
    return {"to": group, "ways": ["sms"], "words": {"long": "{pupil}: rehearsal at 15:30."}}


def _cursor(house: House, where: str, place: int) -> str:
    """As the API would have given it."""
    return house.ports.signer.sign(f"cursor {where}", str(place))


def _last_told(house: House, announcement: int) -> int:
    duty = t.duty.c
    query = select(func.max(duty.person_id)).where(duty.announcement_id == announcement)
    with house.ledger.reading() as hand:
        return int(hand.connection.execute(query).scalar_one())


def _statements(house: House, asked: Asked) -> int:
    """How many one answer takes, of a token that was used before."""
    client = TestClient(create_app(house.ports, house.settings))
    told: list[str] = []

    def tell(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        told.append(statement)

    for _ in range(2):
        event.listen(house.ledger.engine, "before_cursor_execute", tell)
        told.clear()
        try:
            answer = client.request(
                asked.method,
                f"/v1{asked.path}",
                headers=asked.headers(),
                content=asked.content,
            )
        finally:
            event.remove(house.ledger.engine, "before_cursor_execute", tell)
        if answer.status_code not in {200, 201}:
            raise AssertionError(f"{asked.path} answered {answer.status_code}: {answer.text}")
    return len(told)


@contextmanager
def _line(url: str) -> Iterator[http.client.HTTPConnection]:
    at = urlsplit(url)
    line = http.client.HTTPConnection(at.hostname or "", at.port, timeout=60)
    try:
        yield line
    finally:
        line.close()


def _cpu(web: Player, line: http.client.HTTPConnection, asked: Asked) -> float:
    """Milliseconds of the web process's CPU for one: what a busy machine blurs least."""
    before = web.play()["used"]
    for _ in range(IN_A_ROW):
        _ask(line, asked)
    return float(web.play()["used"] - before) / IN_A_ROW * 1000


def _ask(line: http.client.HTTPConnection, asked: Asked) -> float:
    """Milliseconds until the whole answer is there."""
    headers, body = asked.headers(), asked.content
    began = time.perf_counter()
    line.request(asked.method, f"/v1{asked.path}", body, headers)
    answer = line.getresponse()
    answer.read()
    took = (time.perf_counter() - began) * 1000
    if answer.status not in {200, 201}:
        raise AssertionError(f"{asked.path} answered {answer.status}")
    return took
