"""The index of names over the ledger: built once for each state of the people, and anew when somebody comes or goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from broker.actor import SYSTEM
from broker.address import AddressKind
from broker.disclosure.names import NameIndex
from broker.ports import Ports
from broker.rosters.imports import import_roster
from broker.testing.hints import PretendHints
from config.signer import HmacSigner
from ledger.connect import Ledger, open_ledger
from ledger.setup import School, install
from tests.support.broker_world import PretendChannels
from tests.support.school import SmallSchool, family

SIGNER = HmacSigner(b"a secret of the tests")


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = open_ledger(ledger_url, SIGNER)
    install(opened, School("s", "S", "Europe/London", "en-GB", "GB"), {"office": "Office"}, [])
    yield opened
    opened.close()


def bring(ledger: Ledger, school: SmallSchool, *, leaving: int | None = None) -> None:
    ports = Ports(ledger, PretendHints(), SIGNER, PretendChannels())
    import_roster(ports, school.roster(), actor=SYSTEM, expect_leaving=leaving)


def index(ledger: Ledger) -> NameIndex:
    with ledger.look() as tx:
        return tx.people.names()


def test_the_index_is_built_once_and_anew_when_the_roster_changed(ledger: Ledger) -> None:
    school = family()
    bring(ledger, school)
    first = index(ledger)
    assert index(ledger) is first
    assert first.named("Well done, Cat Bell!")
    assert not first.named("Well done, Zoë Bell!")
    bring(ledger, school)
    assert index(ledger) is first  # nobody came, went or changed
    school.pupil("Zoë", "Choir")
    bring(ledger, school)
    assert index(ledger).named("Well done, Zoe Bell!")


def test_who_left_the_school_is_in_it_no_more(ledger: Ledger) -> None:
    school = family()
    bring(ledger, school)
    assert index(ledger).named("Eve Bell")
    school.leave("eve")
    bring(ledger, school, leaving=1)
    assert not index(ledger).named("Eve Bell")


def test_another_name_or_form_counts_from_the_import_on(ledger: Ledger) -> None:
    school = family()
    bring(ledger, school)
    school.people["cat"] = replace(school.people["cat"], preferred_name="Kitty", form="8A")
    bring(ledger, school)
    assert index(ledger).named("Kitty Bell")
    assert index(ledger).named("Kitty of 8A")


def test_a_number_is_somebodys_own_where_one_member_of_staff_alone_holds_it(ledger: Ledger) -> None:
    school = family()
    school.staff("Office", mobiles=("+447911100055",))
    school.staff("Reception", mobiles=("+447911100055",))
    bring(ledger, school)
    with ledger.look() as tx:
        holders = {
            number: tx.people.holder_of(AddressKind.MOBILE, number)
            for number in ("+447911100004", "+447911100055", "+447911100001", "+447911100099")
        }
    assert list(holders.values()) == ["member of staff", "", "", ""]
