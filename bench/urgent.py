"""How soon the first text of an urgent announcement leaves while a hundred thousand routine ones are being sent.

From the commit of the announcement to the first accept in the stand-in's truth, with the real commands: the layout of
docker-compose.yml (a worker, a worker for what is urgent alone, Redis, PostgreSQL), or `carillon up` on SQLite, told
from a process beside it, as the command line does, which no hint can help.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from bench.crowd import fill
from bench.ground import Ground, School, group_of
from bench.running import Running
from broker.address import AddressKind
from broker.announcement import Announcement, Urgency
from broker.ports import Hints
from broker.values import Hint
from config.assembly import assemble
from config.settings import Settings

BULK = 100_000
FEW = 100
SETTLING = 3.0  # seconds of bulk sending before the first urgent one
# Seconds between two urgent ones, and a little more with each, so that they fall between all sweeps.
EVERY = 0.33
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Firsts:
    """Seconds from commit to first accept, one for each urgent announcement."""

    seconds: Sequence[float]
    bulk_rate: float  # routine texts a second meanwhile

    @property
    def p50(self) -> float:
        """Half of them were sooner."""
        return self._at(0.5)

    @property
    def p99(self) -> float:
        """All but one in a hundred were sooner; of fewer than a hundred, the slowest."""
        return self._at(0.99)

    def _at(self, share: float) -> float:
        return sorted(self.seconds)[math.ceil(share * len(self.seconds)) - 1]

    def __str__(self) -> str:
        return (
            f"first send after {self.p50:.3f} s (p50), {self.p99:.3f} s (p99), {max(self.seconds):.3f} s at most, of"
            f" {len(self.seconds)} announcements to {FEW} people each; {self.bulk_rate:,.0f} routine texts a second"
        )


def compose(ground: Ground, times: int) -> Firsts:
    """The many-process layout."""
    url = ground.postgres.fresh()
    settings = ground.settings(url, queue_url=ground.redis.url_of(3))
    school = School(assemble(Settings.of(**settings), serves=True, upgrade=True))
    with ExitStack() as held:
        held.callback(school.house.close)
        everybody = fill(school.house.ledger, BULK, (AddressKind.MOBILE,))
        school.gather(FEW)
        bulk = school.say(everybody, "sms")
        school.plan(bulk)
        held.enter_context(Running(settings, "worker", "--queues", "urgent"))
        held.enter_context(Running(settings, "worker"))
        return _measure(ground, school, everybody, bulk, times)


def embedded(ground: Ground, times: int) -> Firsts:
    """One process on SQLite."""
    url = f"sqlite:///{ground.folder / 'urgent.sqlite3'}"
    settings = ground.settings(url, queue_url="memory://") | {"web": {"port": 0}}
    made = ground.school(url, [FEW, BULK], queue_url="memory://")
    made.house.close()
    school = School(assemble(Settings.of(**settings)))
    with ExitStack() as held:
        held.callback(school.house.close)
        bulk = school.say(group_of(BULK), "sms")
        school.plan(bulk)
        held.enter_context(Running(settings, "up"))
        return _measure(ground, school, group_of(BULK), bulk, times)


def _measure(ground: Ground, school: School, everybody: str, bulk: Announcement, times: int) -> Firsts:
    accepted, said = _Accepted(ground), [bulk]
    accepted.wait_for(1)
    time.sleep(SETTLING)
    committed: list[float] = []
    began, sent = time.monotonic(), accepted.routine
    for n in range(times):
        if len(said) * BULK - accepted.routine < BULK / 4:
            said.append(school.say(everybody, "sms"))
        committed.append(_announce(school, n))
        time.sleep(EVERY + 0.037 * (n % 10))
        accepted.look()
    rate = (accepted.routine - sent) / (time.monotonic() - began)
    accepted.wait_for_urgent(times)
    if min(len(said) * BULK - accepted.routine, accepted.routine) <= 0:
        raise AssertionError("the bulk send was over before the last urgent announcement")
    for one in said:
        school.withdraw(one)
    return Firsts([accepted.first[n] - at for n, at in enumerate(committed)], rate)


class _Accepted:
    """What the stand-in's truth says, read as it grows."""

    def __init__(self, ground: Ground) -> None:
        self._file = ground.sandbox.truth_path.open("rb")
        self._file.seek(0, 2)
        self._rest = b""
        self.routine = 0
        self.first: dict[int, float] = {}

    def look(self) -> None:
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        for line in lines:
            if b'"body":"Urgent ' not in line:
                self.routine += 1
                continue
            entry = json.loads(line)
            at = datetime.fromisoformat(entry["at"]).timestamp()
            number = int(entry["body"].split()[1].rstrip(":"))
            self.first[number] = min(at, self.first.get(number, at))

    def wait_for(self, routine: int) -> None:
        for _ in _until("the bulk send did not begin"):
            self.look()
            if self.routine >= routine:
                return

    def wait_for_urgent(self, times: int) -> None:
        for _ in _until("not every urgent announcement was sent"):
            self.look()
            if len(self.first) >= times:
                return


def _until(otherwise: str) -> Iterator[None]:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        yield
        time.sleep(0.05)
    raise TimeoutError(otherwise)


class _Noting:
    """Hints that note when the first was published: just after the commit that it tells of."""

    def __init__(self, hints: Hints) -> None:
        self._hints = hints
        self.at = 0.0

    def publish(self, hint: Hint) -> None:
        self.at = self.at or time.time()
        self._hints.publish(hint)


def _announce(school: School, n: int) -> float:
    """Announce to the few, urgently; when it was committed."""
    noting = _Noting(school.house.hints)
    words = f"Urgent {n}: the school is closed today. Please keep your children at home."
    school.say(group_of(FEW), "sms", text=words, urgency=Urgency.URGENT, hints=noting)
    return noting.at
