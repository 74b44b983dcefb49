"""A world for each test: a ledger on either database, pretend providers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from broker.authority import operators
from broker.testing.channel_bench import Fault
from config.signer import HmacSigner
from ledger.connect import open_ledger
from ledger.setup import ConfiguredAccount, School, install
from sandbox.client import RunningSandbox, start_sandbox
from tests.support.broker_world import World
from tests.support.laddered import DEAD
from tests.support.school import SmallSchool
from tests.support.second_person import ADMIN, APPROVER, AUTHOR, HEAD, setting
from tests.support.world_with_x import in_good_health

SCHOOL = School("st-brides", "St Bride's", "Europe/London", "en-GB", "GB")


@pytest.fixture
def world(ledger_url: str) -> Iterator[World]:
    signer = HmacSigner(b"a secret of the tests")
    ledger = open_ledger(ledger_url, signer)
    accounts = [ConfiguredAccount("texts", "sms"), ConfiguredAccount("mails", "email")]
    install(ledger, SCHOOL, {"music": "Music", "office": "School office"}, accounts)
    yield World.over(ledger, signer)
    ledger.close()


@pytest.fixture
def thirty(world: World) -> World:
    """Thirty pupils, each with a guardian who has a number and an email."""
    school = SmallSchool()
    for n in range(30):
        pupil = school.pupil(f"Pupil{n}", "Choir")
        school.guardian(f"Parent{n}", pupil, mobiles=(f"+4479111234{n:02d}",), emails=(f"p{n}@example.org",))
    world.bring(school)
    return world


@pytest.fixture
def two(thirty: World) -> World:
    """Thirty families, an author, two approvers, and a rule that everything wants two people."""
    operators.add(thirty.ports, "The Head", [APPROVER, ADMIN, AUTHOR], None, actor=HEAD)
    operators.add(thirty.ports, "The Deputy", [APPROVER], None, actor=HEAD)
    operators.add(thirty.ports, "Mrs Bell", [AUTHOR, APPROVER], "office", actor=HEAD)
    setting(thirty, "approval.needed", "any/any/any")
    return thirty


@pytest.fixture
def four(world: World) -> World:
    """Four families: all; a dead number; no number; nothing at all."""
    school = SmallSchool()
    school.guardian("Ma", school.pupil("Amy", "Choir"), mobiles=("+447911123400",), emails=("a@example.org",))
    school.guardian("Mb", school.pupil("Ben", "Choir"), mobiles=(DEAD,), emails=("b@example.org",))
    school.guardian("Mc", school.pupil("Cat", "Choir"), emails=("c@example.org",))
    school.guardian("Md", school.pupil("Dan", "Choir"))
    world.bring(school)
    world.channels.texts.order(Fault.REJECTED_ADDRESS, address=DEAD)
    return world


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path_factory.mktemp("x") / "truth.jsonl") as running:
        yield running


@pytest.fixture
def at_x(sandbox: RunningSandbox) -> RunningSandbox:
    """The stand-in for X, in good health."""
    return in_good_health(sandbox)
