"""Opt-outs in the ledger: by keyed hash, in runs, found again by their beginning; and texts that are heard once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from broker.actor import SYSTEM
from broker.address import AddressKind
from broker.capabilities import Heard
from broker.consent import optouts
from broker.errors import NotFound, RuleBroken
from broker.incoming.hearing import hear
from broker.ports import Ports
from broker.rosters.imports import import_roster
from config.signer import HmacSigner
from ledger.connect import Ledger, open_ledger
from ledger.rosters.people import keyed_hash
from tests.support.school import family

MUM, DAD, STRANGER = "+447911100001", "+447911100002", "+447911100999"


@pytest.fixture
def imported(ports: Ports) -> Ports:
    import_roster(ports, family().roster(), actor=SYSTEM)
    return ports


def hashed(ports: Ports, number: str) -> bytes:
    return keyed_hash(ports.signer, AddressKind.MOBILE, number)


def test_many_are_kept_at_once_and_those_on_file_are_braked(imported: Ports, ledger: Ledger) -> None:
    numbers = [MUM, DAD, STRANGER, MUM]
    with ledger.begin() as tx:
        assert optouts.stop(tx, [hashed(imported, n) for n in numbers], "sms", source="x", actor=SYSTEM) == 2
        _, stops = tx.stops.recent()
        assert len(stops) == 2
    with ledger.look() as tx:
        rows = tx.opt_outs.listed(limit=10)
        assert {row.shown for row in rows} == {"+44 ••• ••• 001", "+44 ••• ••• 002", ""}
        assert [row.hash for row in rows] == sorted(row.hash for row in rows)
        assert tx.opt_outs.listed(channel="email", limit=10) == []
        again = tx.opt_outs.listed(after=(rows[0].hash, "sms"), limit=1)
        assert [row.hash for row in again] == [rows[1].hash]


def test_the_first_reason_stands_and_a_lift_tells_what_was_there(imported: Ports, ledger: Ledger) -> None:
    mum = hashed(imported, MUM)
    with ledger.begin() as tx:
        tx.opt_outs.add([mum], "sms", source="first")
        tx.opt_outs.add([mum], "sms", source="second")
        row = tx.opt_outs.of(mum, "sms")
        assert row is not None
        assert row.source == "first"
        assert tx.opt_outs.of(mum, "email") is None
        assert [bytes(one) for one in tx.opt_outs.lift([mum, hashed(imported, DAD)], "sms")] == [mum]
        assert tx.opt_outs.lift([mum], "sms") == []


def test_an_address_is_found_by_the_beginning_of_its_hash_while_it_is_on_file_or_opted_out(
    imported: Ports, ledger: Ledger
) -> None:
    mum, stranger = hashed(imported, MUM), hashed(imported, STRANGER)
    with ledger.begin() as tx:
        assert tx.opt_outs.beginning(mum[:9]) == [(mum, "+44 ••• ••• 001")]
        assert tx.opt_outs.beginning(stranger[:9]) == []
        tx.opt_outs.add([stranger, mum], "sms", source="x")
        assert tx.opt_outs.beginning(stranger[:9]) == [(stranger, "")]
        assert tx.opt_outs.beginning(mum[:9]) == [(mum, "+44 ••• ••• 001")]
        tx.opt_outs.add([b"\xff" * 32], "sms", source="x")
        assert tx.opt_outs.beginning(b"\xff" * 9) == [(b"\xff" * 32, "")]


def test_a_text_is_heard_once_by_its_account(imported: Ports, ledger: Ledger) -> None:
    with ledger.begin() as tx:
        texts, mails = (tx.accounts.named(name) for name in ("texts", "mails"))
        assert texts is not None
        assert mails is not None
        assert tx.opt_outs.new_to_us({(texts.id, "SM1"), (texts.id, "SM2")}) == {
            (texts.id, "SM1"),
            (texts.id, "SM2"),
        }
        assert tx.opt_outs.new_to_us({(texts.id, "SM1"), (mails.id, "SM1")}) == {(mails.id, "SM1")}
        assert tx.opt_outs.new_to_us(set()) == set()


def test_the_office_opts_out_and_lets_hear_again_by_number_or_by_what_the_list_calls_it(
    imported: Ports, ledger: Ledger
) -> None:
    done = optouts.add(imported, "07911 100001", "sms", why="asked on the telephone", actor=SYSTEM)
    assert (done.changed, done.on_file) == (True, True)
    assert not optouts.add(imported, MUM, "sms", why="again", actor=SYSTEM).changed
    assert optouts.add(imported, STRANGER, "sms", why="asked", actor=SYSTEM).on_file is False
    with ledger.look() as tx:
        called = {row.shown: row.ref for row in tx.opt_outs.listed(limit=10)}
    assert optouts.lift(imported, called[""], "sms", why="asked", actor=SYSTEM).changed
    assert optouts.lift(imported, MUM, "sms", why="asked", actor=SYSTEM).changed
    assert not optouts.lift(imported, MUM, "sms", why="asked", actor=SYSTEM).changed
    with ledger.look() as tx:
        assert tx.opt_outs.listed(limit=10) == []


@pytest.mark.parametrize(
    ("address", "channel"), [("not a number", "sms"), ("020 7946 0018", "sms"), ("a@b.org", "rss")]
)
def test_what_is_no_address_of_the_channel_is_refused(imported: Ports, address: str, channel: str) -> None:
    with pytest.raises(RuleBroken):
        optouts.add(imported, address, channel, why="asked", actor=SYSTEM)


def test_a_name_that_no_opt_out_has_is_told(imported: Ports) -> None:
    with pytest.raises(NotFound):
        optouts.lift(imported, "5f3a0c9d1b22", "sms", why="asked", actor=SYSTEM)


@pytest.mark.parametrize("written", ["447911100001", "00447911100001", "07911 100001", "7911100001", MUM])
def test_a_number_is_lifted_however_it_is_written(imported: Ports, written: str) -> None:
    """Without its + it looks like the beginning of a hash, by which the list calls an opt-out."""
    optouts.add(imported, MUM, "sms", why="asked", actor=SYSTEM)
    assert optouts.lift(imported, written, "sms", why="asked", actor=SYSTEM).changed
    assert not optouts.lift(imported, written, "sms", why="asked", actor=SYSTEM).changed


def test_what_may_be_a_number_and_the_beginning_of_a_hash_is_what_has_opted_out(
    imported: Ports, ledger: Ledger
) -> None:
    other = bytes.fromhex(MUM[1:]) + bytes(26)
    with ledger.begin() as tx:
        tx.opt_outs.add([other], "sms", source="x")
    optouts.add(imported, MUM, "sms", why="asked", actor=SYSTEM)
    with pytest.raises(NotFound) as refused:
        optouts.lift(imported, MUM[1:], "sms", why="asked", actor=SYSTEM)
    assert refused.value.problem.code == "ambiguous"
    assert optouts.lift(imported, MUM, "sms", why="asked", actor=SYSTEM).changed
    assert optouts.lift(imported, MUM[1:], "sms", why="asked", actor=SYSTEM).changed  # the other one now
    with ledger.look() as tx:
        assert tx.opt_outs.listed(limit=10) == []


def test_a_run_of_digits_that_is_neither_is_one_clear_error(imported: Ports) -> None:
    with pytest.raises(NotFound) as refused:
        optouts.lift(imported, "123456789012", "sms", why="asked", actor=SYSTEM)
    assert (refused.value.problem.code, refused.value.problem.field) == ("unknown_opt_out", "address")


def test_a_stop_between_a_new_key_and_the_next_import_is_honoured(
    imported: Ports, ledger: Ledger, ledger_url: str
) -> None:
    """On file she is known by the old key's hash: the new one's alone would stop nothing."""
    new = HmacSigner(b"another secret")
    other = open_ledger(ledger_url, new)
    ports = replace(imported, ledger=other, signer=new)
    said = Heard(MUM, "STOP", "SM1")
    with other.begin() as tx:
        sms = next(row.id for row in tx.accounts.all() if row.channel == "sms")
        hear(ports, tx, sms, [said], actor=SYSTEM)
        _, stops = tx.stops.recent()
        assert len(stops) == 1
        assert tx.opt_outs.of(hashed(imported, MUM), "sms") is not None
        assert tx.opt_outs.of(hashed(ports, MUM), "sms") is not None
        hear(ports, tx, sms, [replace(said, provider_id="SM2", text="Thank you!")], actor=SYSTEM)
        hear(ports, tx, sms, [replace(said, provider_id="SM3", text="START")], actor=SYSTEM)
        assert tx.opt_outs.listed(limit=10) == []
    other.close()
