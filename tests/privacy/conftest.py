"""A school with a family that nobody could be taken for, and whatever a ledger comes to hold of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config.signer import HmacSigner
from ledger.connect import open_ledger
from ledger.setup import ConfiguredAccount, School, install
from tests.support.broker_world import World
from tests.support.planted import Planted, plant

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
def planted(world: World) -> Planted:
    """A family of three in a school of some more, with everything of theirs that a table can hold."""
    return plant(world)
