"""A ledger of a school, once on SQLite and once on PostgreSQL: one suite holds both to the same behaviour."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from broker.licences import licensing
from broker.ports import Ports
from config.signer import HmacSigner
from ledger.connect import Ledger, open_ledger
from ledger.setup import ConfiguredAccount, School, install, rules_for
from tests.support.pretend_ports import NoHints, TraitsOnly

SCHOOL = School("st-brides", "St Bride's", "Europe/London", "en-GB", "GB")


@pytest.fixture
def signer() -> HmacSigner:
    return HmacSigner(b"a secret of the tests")


@pytest.fixture
def ledger(ledger_url: str, signer: HmacSigner) -> Iterator[Ledger]:
    """An installed ledger: two departments, an account for texts, mails and a feed."""
    opened = open_ledger(ledger_url, signer)
    accounts = [ConfiguredAccount("texts", "sms"), ConfiguredAccount("mails", "email")]
    accounts.append(ConfiguredAccount("feed", "rss"))
    install(opened, SCHOOL, {"music": "Music", "office": "School office"}, accounts)
    yield opened
    opened.close()


@pytest.fixture
def ports(ledger: Ledger, signer: HmacSigner) -> Ports:
    """What a verb needs, with no queue and nothing that could send."""
    return Ports(ledger, NoHints(), signer, TraitsOnly())


@pytest.fixture
def sandbox_school(ledger: Ledger, ports: Ports) -> None:
    """Its rules let nothing wait, and its accounts have licences: for tests in which something is planned."""
    with ledger.begin() as tx:
        rules_for(tx, sandbox=True)
    licensing.give_specimens(ports)
