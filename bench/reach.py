"""`python -m bench.reach [--people N …] [--json]`: what a reach statement costs, before sending and after.

Schools as they are: two guardians for most children, a number and a mail each, brothers and sisters, numbers that stop,
fathers that a court keeps away, and an announcement to everybody that has gone out. Nothing is sent anywhere.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from sqlalchemy import text

from bench.ground import ACTOR
from bench.words import email, mobile
from broker import fanout, intake
from broker.address import AddressKind
from broker.announcement import Draft, Part, People, Step
from broker.audience import parse
from broker.office import expressions
from broker.office.reach import Question, Statement, before
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
from ledger.reads.reach import after, week
from tests.support.postgres import PostgresServer

ROUNDS = 5
KINDS = {"sms": AddressKind.MOBILE, "email": AddressKind.EMAIL}
WAYS = tuple(KINDS)
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds, the median of five, for a school of so many pupils."""

    database: str
    pupils: int
    reached: int
    before: float
    first_contact: float
    planned: float
    after: float
    week: float


def main() -> int:
    """Run; 0 when it could be run."""
    parser = argparse.ArgumentParser(prog="python -m bench.reach", description=__doc__)
    parser.add_argument(
        "--people", nargs="+", type=int, default=[2_000, 50_000], help="pupils of each school"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    told = parser.parse_args()
    found = []
    for one in measure(told.people):
        found.append(one)
        print(
            f"{one.database:>10} {one.pupils:>7,} pupils: before {one.before:.3f} s, by first contact"
            f" {one.first_contact:.3f} s, planned {one.planned:.2f} s, after {one.after:.3f} s, week {one.week:.3f} s",
            flush=True,
        )
    if told.json:
        print(json.dumps([asdict(one) for one in found]))
    return 0


def measure(sizes: list[int]) -> Iterator[Found]:
    """Each size on PostgreSQL, and the smallest on SQLite too."""
    with tempfile.TemporaryDirectory(prefix="carillon-reach-") as folder:
        server = PostgresServer().start()
        try:
            for size in sizes:
                with _house(Path(folder), server.fresh()) as house:
                    yield _measured(house, "postgresql", size)
        finally:
            server.stop()
        with _house(Path(folder), f"sqlite:///{folder}/small.db") as house:
            yield _measured(house, "sqlite", min(sizes))


@contextmanager
def _house(folder: Path, database_url: str) -> Iterator[House]:
    settings = Settings.of(
        data_dir=str(folder / "var"),
        database_url=database_url,
        queue_url="memory://",
        secret_key="a-secret-of-the-bench-and-of-nobody-else",
        sandbox=True,
        log_level="WARNING",
        accounts={
            "texts": {
                "channel": "sms",
                "account_sid": "AC" + "0" * 32,
                "auth_token": "x" * 32,
                "sender": "+447400123456",
                "api_base_url": NOWHERE,
            },
            "mails": {
                "channel": "email",
                "host": "127.0.0.1",
                "port": 9,
                "security": "none",
                "sender": "office@stbrides.example.org",
                "reply_to": "office@stbrides.example.org",
            },
        },
    )
    with assemble(settings, serves=True, upgrade=True) as house:
        yield house


def _measured(house: House, database: str, size: int) -> Found:
    import_roster(house.ports, school(size), actor=ACTOR)
    with house.ledger.begin() as tx:
        tx.hand.connection.execute(
            text(
                "INSERT INTO suppression (hash, channel, source, at)"
                " SELECT hash, 'sms', 'STOP', CURRENT_TIMESTAMP FROM address WHERE kind = 'mobile' AND id % 50 = 0"
            )
        )
    statement = _state(house)
    asked = _median(lambda: _state(house))
    first = _median(lambda: _state(house, People.FIRST))
    draft = Draft(
        "office", "everyone", People.GUARDIANS, (Step(WAYS),), {Part.SHORT: "The coach leaves at eight."}
    )
    said = intake.accept(house.ports, draft, actor=ACTOR).announcement
    began = time.perf_counter()
    fanout.plan(house.ports, said.public_id, actor=ACTOR)
    planned = time.perf_counter() - began
    with house.ledger.begin() as tx:
        tx.hand.connection.execute(text("UPDATE delivery SET state = 'sent' WHERE id % 40 <> 0"))
        tx.hand.connection.execute(text("UPDATE delivery SET state = 'rejected' WHERE id % 40 = 0"))
    return Found(
        database,
        statement.people,
        statement.reached,
        asked,
        first,
        planned,
        _median(lambda: _after(house, said.id)),
        _median(lambda: _week(house)),
    )


def _state(house: House, people: People = People.GUARDIANS) -> Statement:
    with house.ledger.look() as tx:
        tree = expressions.resolve(tx, parse("everyone"))
        return before(house.ports, tx, Question(tree, people, WAYS, "office"))


def _after(house: House, announcement: int) -> None:
    with house.ledger.look() as tx:
        after(tx.hand, tx.announcements.by_id(announcement), KINDS)


def _week(house: House) -> None:
    with house.ledger.reading() as hand:
        week(hand)


def _median(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return median(taken)


def school(pupils: int) -> Roster:
    """So many pupils: every third has an older sibling, every fiftieth a guardian whom a court keeps away."""
    people, guards, members = [], [], []
    forms = [f"{7 + n % 7}{'ABCDEF'[n // 7 % 6]}{n // 42 or ''}" for n in range(max(1, pupils // 28))]
    groups_ = tuple(RosterGroup(f"form:{form}", form, GroupKind.FORM) for form in forms)
    for n in range(pupils):
        form = forms[n % len(forms)]
        pupil = f"p{n}"
        people.append(RosterPerson(pupil, frozenset({Role.PUPIL}), f"Pupil{n}", "Bell", form=form))
        members.append(RosterMembership(f"form:{form}", pupil, Role.PUPIL))
        home = n - 1 if n % 3 == 2 else n
        if home == n:
            for place in (1, 2):
                number = () if n % 30 == 0 else (mobile(2 * n + place),)
                mail = () if n % 17 == 0 else (email(2 * n + place),)
                name = f"Parent{n}-{place}"
                people.append(
                    RosterPerson(
                        f"g{n}-{place}", frozenset({Role.GUARDIAN}), name, "Bell", mobiles=number, emails=mail
                    )
                )
        for place in (1, 2):
            blocked = place == 2 and n % 50 == 0
            guards.append(RosterGuardianship(f"g{home}-{place}", pupil, place, blocked=blocked))
    return Roster("the bench's", tuple(people), groups_, tuple(members), tuple(guards))


if __name__ == "__main__":
    sys.exit(main())
