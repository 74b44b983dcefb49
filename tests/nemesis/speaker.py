"""A school that goes on speaking, whatever befalls it: announcements, withdrawals, corrections, second tries.

It speaks as the command does, from a process that is not a worker: intake writes to the ledger and hints. What was not
answered is said again under the same key, as the timetable system would.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select

from broker import intake, recover
from broker.actor import Actor, ActorKind
from broker.announcement import Draft, Part, People, Step, Urgency
from broker.corrections import verbs
from broker.delivery import State
from broker.errors import BrokerError
from config.assembly import House
from ledger import tables as t
from tests.nemesis.town import EVERYBODY, WORDS, Town

T = TypeVar("T")
OFFICE = Actor(ActorKind.PERSON, "office", "office")
CORRECTED = 0.15  # of what is not withdrawn
IN_ORDER = 0.3  # of what goes by text and mail
OF_CORRECTIONS = 5_000  # their numbers begin there
DIRECT, ALL_WAYS = ("sms", "email"), ("sms", "email", "rss", "twitter")


@dataclass(frozen=True, slots=True)
class Said:
    """One announcement that was answered with "accepted". `code` stands in each of its wordings."""

    code: str
    id: UUID
    group: str
    via: Sequence[str]
    expires_at: datetime | None


@dataclass
class Speaker:
    """One school's voice, on a thread of its own."""

    letter: str
    house: House = field(repr=False)
    town: Town = field(repr=False)
    seed: int
    every: timedelta
    said: list[Said] = field(default_factory=list)
    withdrawn: set[UUID] = field(default_factory=set)
    corrected: set[UUID] = field(default_factory=set)
    requeued: int = 0
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(f"{self.seed}/{self.letter}")
        self._silent = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"speaker-{self.letter}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def hush(self) -> None:
        """Say nothing new; what is being said is said to its end."""
        self._silent.set()

    def join(self, within: timedelta) -> bool:
        """Whether it fell silent in time."""
        self._thread.join(within.total_seconds())
        return not self._thread.is_alive()

    def _run(self) -> None:
        number = 0
        while not self._silent.is_set():
            began = time.monotonic()
            number += 1
            try:
                self._speak(number)
            except BrokerError as refused:  # nothing here is to be refused
                self.faults.append(f"{self.letter}{number:04d} was refused: {refused}")
                return
            pause = self.every.total_seconds() * self._chance.uniform(0.5, 1.5)
            self._silent.wait(max(0.0, pause - (time.monotonic() - began)))

    def _speak(self, number: int) -> None:
        chance, code = self._chance, f"{self.letter}{number:04d}"
        draft = self._draft(code)
        try:
            accepted = self._until_answered(lambda: intake.accept(self.house.ports, draft, actor=OFFICE))
        except BrokerError:
            if draft.expires_at is not None and draft.expires_at <= datetime.now(UTC):
                return  # while the ledger was away its time passed
            raise
        one = Said(
            code, accepted.announcement.public_id, draft.audience, draft.ways[0].channels, draft.expires_at
        )
        self.said.append(one)
        if chance.random() < 0.1:
            self._silent.wait(chance.uniform(0.1, 2.0))
            self._until_answered(lambda: intake.withdraw(self.house.ports, one.id, actor=OFFICE))
            self.withdrawn.add(one.id)
        elif one.expires_at is None and chance.random() < CORRECTED:
            self._silent.wait(chance.uniform(0.1, 3.0))
            self._correct(one, f"{self.letter}{number + OF_CORRECTIONS:04d}")
        if chance.random() < 0.1:
            self._try_again()

    def _correct(self, one: Said, code: str) -> None:
        """Half sent, or not begun, or all of it: whoever says something wrong notices when they notice."""
        words = {Part.TITLE: f"Notice {code}", Part.SHORT: f"{code} {WORDS}."}
        wanted = verbs.Wanted(key=f"nemesis-{code}")

        def ask() -> intake.Accepted:
            draft = verbs.correction(self.house.ports, one.id, words, wanted)
            return intake.accept(self.house.ports, draft, actor=OFFICE)

        accepted = self._until_answered(ask)
        self.corrected.add(one.id)
        self.said.append(Said(code, accepted.announcement.public_id, one.group, one.via, None))

    def _draft(self, code: str) -> Draft:
        chance = self._chance
        urgent = chance.random() < 0.2
        via = ALL_WAYS if not urgent and chance.random() < 0.3 else DIRECT
        group = "Snow" if urgent else chance.choice([*self.town.groups, *self.town.groups, EVERYBODY])
        named = "{pupil}: " if via is DIRECT and chance.random() < 0.5 else ""
        short_lived = chance.random() < 0.08
        ways: tuple[Step, ...] = (Step(via),)
        if via is DIRECT and not short_lived and chance.random() < IN_ORDER:
            ways = (Step(("sms",)), Step(("email",)))  # a mail where the text fails, and at last a slip
        return Draft(
            department="office",
            audience=group,
            people=People.GUARDIANS,
            ways=ways,
            parts={Part.TITLE: f"Notice {code}", Part.SHORT: f"{named}{code} {WORDS}."},
            urgency=Urgency.URGENT if urgent else Urgency.ROUTINE,
            key=f"nemesis-{code}",
            expires_at=datetime.now(UTC) + timedelta(seconds=chance.uniform(2, 8)) if short_lived else None,
        )

    def _try_again(self) -> None:
        """A person has a rejected one tried anew, of an announcement that still stands."""
        lasting = {one.id for one in self.said if one.expires_at is None} - self.withdrawn - self.corrected
        query = (
            select(t.delivery.c.id, t.announcement.c.public_id)
            .join(t.announcement, t.announcement.c.id == t.delivery.c.announcement_id)
            .where(t.delivery.c.state == State.REJECTED.value)
            .order_by(t.delivery.c.id.desc())
            .limit(20)
        )
        try:
            with self.house.ledger.reading() as hand:
                found = [row.id for row in hand.connection.execute(query) if row.public_id in lasting]
            if found:
                recover.requeue(self.house.ports, self._chance.choice(found), actor=OFFICE)
                self.requeued += 1
        except Exception:  # noqa: BLE001 - a ledger that is away, or evidence that came before: a person shrugs
            return

    def _until_answered(self, ask: Callable[[], T]) -> T:
        while True:
            try:
                return ask()
            except BrokerError:
                raise
            except Exception:  # noqa: BLE001 - the ledger is away: whoever gets no answer asks again
                time.sleep(0.2)
