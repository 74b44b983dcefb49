"""Groups by name, and opt-outs that outlive an import."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from broker.actor import SYSTEM
from broker.address import AddressKind
from broker.audience import parse
from broker.ports import Ports
from broker.rosters.imports import import_roster
from ledger import tables as t
from ledger.rosters.people import keyed_hash
from tests.support.school import family


@pytest.fixture
def imported(ports: Ports) -> Ports:
    import_roster(ports, family().roster(), actor=SYSTEM)
    return ports


def test_a_group_is_known_by_its_name_whatever_the_case_and_the_blanks(imported, ledger):
    with ledger.begin() as tx:
        assert tx.people.unknown_groups(parse("CHOIR + 7b & everyone")) == {}


def test_an_unknown_group_comes_with_the_nearest_name(imported, ledger):
    with ledger.begin() as tx:
        assert tx.people.unknown_groups(parse("Chior + Zzyzx")) == {"Chior": "Choir", "Zzyzx": ""}


def test_a_group_that_left_is_unknown(imported, ledger):
    school = family()
    del school.groups["8A"]
    school.memberships = [held for held in school.memberships if held.group != "g:8A"]
    import_roster(imported, school.roster(), actor=SYSTEM)
    with ledger.begin() as tx:
        assert set(tx.people.unknown_groups(parse("8A"))) == {"8A"}


def test_an_opt_out_finds_its_address_and_may_be_repeated(imported, ledger, signer):
    keyed = keyed_hash(signer, AddressKind.MOBILE, "+447911100001")
    for _ in range(2):
        with ledger.begin() as tx:
            (concerned,) = tx.people.suppress(keyed, "sms", source="a text that said STOP")
            assert tx.people.address_hash(concerned) == keyed
    with ledger.reading() as hand:
        assert len(hand.connection.execute(select(t.suppression)).all()) == 1


def test_an_opt_out_of_an_address_that_nobody_holds_is_kept(imported, ledger, signer):
    keyed = keyed_hash(signer, AddressKind.MOBILE, "+447911100999")
    with ledger.begin() as tx:
        assert list(tx.people.suppress(keyed, "sms", source="x")) == []
    school = family()
    school.people["fay"] = replace(school.people["fay"], mobiles=("+447911100999",))
    import_roster(imported, school.roster(), actor=SYSTEM)
    with ledger.begin() as tx:
        assert len(tx.people.suppress(keyed, "sms", source="x")) == 1


def test_a_mail_address_is_hashed_without_its_case(signer):
    one, other = (
        keyed_hash(signer, AddressKind.EMAIL, spelling) for spelling in ("A@example.org", "a@example.org")
    )
    assert one == other


def test_an_address_that_is_not_there_has_no_hash(imported, ledger):
    with ledger.begin() as tx:
        assert tx.people.address_hash(999_999) is None
