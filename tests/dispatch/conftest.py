"""A world for each test: a ledger on either database, pretend providers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config.signer import HmacSigner
from ledger.connect import open_ledger
from ledger.setup import ConfiguredAccount, School, install
from tests.support.broker_world import World
from tests.support.school import SmallSchool

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
