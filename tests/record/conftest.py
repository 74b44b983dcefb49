"""A school with a past: sent, confirmed, withdrawn, paused; made once for each database and copied for each test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast

import pytest
from sqlalchemy import Connection

from broker import accounts, intake
from broker.actor import Actor, ActorKind
from broker.announcement import Part, People
from broker.authority import approvals, operators, rule_changes, spending, switching
from broker.diary import reminders, schedules
from broker.diary.calendar import DayKind
from broker.diary.recurrence import Pattern
from broker.diary.recurrence_rule import Rule
from broker.licences import licensing
from broker.ports.approvals import OperatorRole
from broker.ports.events import ReminderRule
from broker.rules.switches import SwitchKind
from broker.scrutiny import governors
from broker.testing.channel_bench import Fault
from config.signer import HmacSigner
from ledger.connect import Ledger, Transaction, open_ledger
from ledger.hand import Hand
from ledger.migrate import upgrade
from ledger.setup import ConfiguredAccount, School, install
from tests.support.broker_world import World
from tests.support.licences import form
from tests.support.postgres import PostgresServer
from tests.support.school import SmallSchool

SCHOOL = School("st-brides", "St Bride's", "Europe/London", "en-GB", "GB")
SIGNER = HmacSigner(b"a secret of the tests")
OFFICE, HEAD = Actor(ActorKind.PERSON, "Mrs Bell"), Actor(ActorKind.PERSON, "The Head")
ADMIN, APPROVER, AUTHOR = OperatorRole.ADMIN, OperatorRole.APPROVER, OperatorRole.AUTHOR
PEOPLE = 12


def live_through(ledger: Ledger) -> None:
    """Some days of a school, in seconds: several seals, every kind of row that the record tells of."""
    known = [ConfiguredAccount("texts", "sms"), ConfiguredAccount("mails", "email")]
    install(ledger, SCHOOL, {"music": "Music", "office": "School office"}, known)
    world = World.over(ledger, SIGNER)
    school = SmallSchool()
    for n in range(PEOPLE):
        pupil = school.pupil(f"Pupil{n}", "Choir")
        school.guardian(f"Parent{n}", pupil, mobiles=(f"+4479111234{n:02d}",), emails=(f"p{n}@example.org",))
    world.bring(school)
    seal(ledger)
    world.channels.texts.order(Fault.REJECTED_ADDRESS, times=1)
    world.channels.texts.order(Fault.LOST_AFTER_ACCEPT, times=1)
    said = intake.accept(world.ports, world.draft(), actor=OFFICE).announcement
    world.plan(said)
    world.send()
    seal(ledger)
    world.sweep()
    second = intake.accept(world.ports, world.draft(audience="Choir"), actor=OFFICE).announcement
    world.plan(second)
    seal(ledger)
    intake.withdraw(world.ports, second.public_id, actor=OFFICE)
    accounts.pause(world.ports, "mails", "too many bounce", actor=OFFICE)
    seal(ledger)
    world.announce(department="music", audience="Choir")
    seal(ledger)
    lay_down(world)
    seal(ledger)


def lay_down(world: World) -> None:
    """Everything that a school lays down, changed more than once; and what two people said yes to."""
    ports = world.ports
    for name, roles in (("The Head", [ADMIN, APPROVER]), ("Mrs Bell", [AUTHOR]), ("Mr Hook", [APPROVER])):
        operators.add(ports, name, roles, None, actor=HEAD)
    operators.give(ports, "Mr Hook", [AUTHOR], actor=HEAD)
    operators.add(ports, "Mr Gone", [AUTHOR], None, actor=HEAD)
    operators.remove(ports, "Mr Gone", actor=HEAD)
    for key, value in (("undo.window", "2 min"), ("undo.window", "0"), ("approval.needed", "any/any/any")):
        rule_changes.change(ports, key, value, "the governors", actor=HEAD)
    for amount in (Decimal(100), None, Decimal(50)):
        spending.set_budget(ports, "music", amount, actor=HEAD)
    licensing.save(ports, "texts", form(), actor=HEAD)
    licensing.renew(ports, "texts", {"policy.version": "4"}, actor=HEAD)
    for name in ("Dr Okafor", "Mr Reed"):
        governors.add(ports, name, "governor@example.org", actor=HEAD)
    governors.remove(ports, "Mr Reed", actor=HEAD)
    said = intake.accept(ports, world.draft(audience="Choir"), actor=OFFICE).announcement
    approvals.approve(ports, said.public_id, actor=HEAD)
    approvals.reword(ports, said.public_id, {Part.SHORT: "Rehearsal at four."}, actor=OFFICE)
    with world.ledger.look() as tx:
        looked = tx.approvals.binding(said).digest
    approvals.approve(ports, said.public_id, actor=HEAD, seen=looked)
    world.plan(said)
    world.send()
    laid_down_again_and_again(world)
    for why in ("a fault", "another one"):
        switching.stop(ports, SwitchKind.CHANNEL, "email", why, actor=HEAD)
        if why == "a fault":
            switching.go(ports, SwitchKind.CHANNEL, "email", "mended", actor=HEAD)


def laid_down_again_and_again(world: World) -> None:
    """A schedule and a reminder that a second person agreed to, and one of each that is over."""
    ports = world.ports
    weekly = Pattern(
        datetime.fromisoformat("2026-09-08T15:30"), "Europe/London", Rule("FREQ=WEEKLY"), frozenset(DayKind)
    )
    for name in ("Tuesdays", "Over"):
        draft = world.draft(audience="Choir")
        schedules.save(ports, name, draft, weekly, lasts=timedelta(hours=4), actor=OFFICE)
        schedules.approve(ports, name, actor=HEAD)
        parts = {Part.SHORT: "{title}: {starts}"}
        rule = ReminderRule(
            0, "office", name, "Choir", timedelta(days=1), People.GUARDIANS, draft.ways, parts, "Mrs Bell"
        )
        reminders.add_rule(ports, rule, actor=OFFICE)
        reminders.approve_rule(ports, name, actor=HEAD)
    schedules.pause(ports, "Tuesdays", actor=OFFICE)
    schedules.end(ports, "Over", actor=OFFICE)
    reminders.retire_rule(ports, "Over", actor=OFFICE)


def seal(ledger: Ledger) -> int:
    with ledger.begin() as tx:
        return tx.record.seal()


def lived(url: str) -> None:
    upgrade(url)
    ledger = open_ledger(url, SIGNER)
    live_through(ledger)
    ledger.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_past(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """One ledger with a past for all that change nothing, or take back what they changed."""
    server: PostgresServer | None = None
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('lived') / 'carillon.sqlite3'}"
    else:
        server = request.getfixturevalue("postgres")
        url = server.fresh()
    lived(url)
    ledger = open_ledger(url, SIGNER)
    yield ledger
    ledger.close()
    if server is not None:
        server.drop(url)


class TakenBackError(Exception):
    """Raised to take back all that a test changed."""


@dataclass(frozen=True)
class Within:
    """A ledger seen from within one transaction, so that what was changed there can be looked at and taken back."""

    hand: Hand
    transaction: Transaction

    @contextmanager
    def reading(self) -> Iterator[Hand]:
        yield self.hand

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        yield self.hand.connection

    @property
    def as_ledger(self) -> Ledger:
        """To whatever only looks."""
        return cast(Ledger, self)

    @property
    def connection(self) -> Connection:
        return self.hand.connection


@pytest.fixture
def past(shared_past: Ledger) -> Iterator[Within]:
    """A ledger with a past, of the test's own: nothing that is done to it stays."""
    with suppress(TakenBackError), shared_past.begin() as tx:
        if shared_past.dialect.name == "sqlite":
            tx.hand.connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        yield Within(tx.hand, tx)
        raise TakenBackError
