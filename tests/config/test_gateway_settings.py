"""Gateways of an account: their order, each one's own block of settings, and every fault by the name of its field."""

from __future__ import annotations

from typing import Any

import pytest

from broker.errors import MissingSetting, Problem, SetupError
from config.registry import Registry
from config.settings import Settings, load
from config.ways_out import WaysOut

SID, OTHER = "AC" + "0" * 32, "AC" + "1" * 32
TEXTS = "CARILLON_ACCOUNTS__TEXTS__"
PLAIN = {
    "CHANNEL": "sms",
    "ACCOUNT_SID": SID,
    "AUTH_TOKEN": "a",
    "SENDER": "+447400123456",
    "PER_SECOND": "5",
}
BLOCK = {
    "SECOND__KIND": "twilio",
    "SECOND__ACCOUNT_SID": OTHER,
    "SECOND__AUTH_TOKEN": "b",
    "SECOND__SENDER": "+447400123457",
    "SECOND__PER_SECOND": "2",
}


def read(*parts: dict[str, str], **more: str) -> Settings:
    told = {TEXTS + name: value for part in (*parts, more) for name, value in part.items()}
    return load(environ={"CARILLON_SECRETS_DIR": "", **told}, env_file=None)


def faults(*parts: dict[str, str], **more: str) -> dict[str, Problem]:
    with pytest.raises(MissingSetting) as refused:
        read(*parts, **more)
    return {problem.field: problem for problem in refused.value.problems}


POOL = {"MESSAGING_SERVICE_SID": "MG" + "0" * 32, "NUMBERS": "10", "PER_NUMBER": "1.5"}
OF_A_POOL = {
    **{name: value for name, value in PLAIN.items() if name not in ("SENDER", "PER_SECOND")},
    **POOL,
}
SINCH = {
    "SINCH__SERVICE_PLAN_ID": "plan",
    "SINCH__API_TOKEN": "c",
    "SINCH__POOL": "true",
    "SINCH__NUMBERS": "4",
    "SINCH__PER_NUMBER": "0.5",
}


def ways_of(settings: Settings) -> WaysOut:
    return WaysOut(Registry(), settings.accounts, settings.surroundings())


def test_plain_settings_are_the_one_gateway_of_an_account() -> None:
    settings = read(PLAIN)
    (only,) = ways_of(settings).gateways("texts")
    assert (only.name, only.kind, only.per_second) == ("twilio", "twilio", 5)
    assert settings.accounts["texts"].own.account_sid == SID


def test_gateways_stand_in_the_order_that_was_said_each_with_its_own_settings() -> None:
    settings = read(PLAIN, BLOCK, GATEWAYS="second, twilio")
    told: list[Any] = [
        (way.name, way.kind, way.own.account_sid, way.per_second) for way in settings.accounts["texts"].ways
    ]
    assert told == [("second", "twilio", OTHER, 2), ("twilio", "twilio", SID, 5)]
    assert settings.accounts["texts"].own.account_sid == SID  # the plain ones, wherever they stand
    assert OTHER not in repr(settings)


def test_each_gateway_is_a_channel_of_its_own_and_the_first_is_the_accounts() -> None:
    ways_out = ways_of(read(PLAIN, BLOCK, GATEWAYS="second,twilio"))
    assert ways_out.check() == []
    assert ways_out.open("texts") is ways_out.through("texts", "second")
    assert ways_out.through("texts", "twilio") is not ways_out.through("texts", "second")
    ways_out.close()


def test_an_attempt_from_before_there_were_gateways_is_the_plain_settings() -> None:
    ways_out = ways_of(read(PLAIN, BLOCK, GATEWAYS="second,twilio"))
    assert ways_out.through("texts", "sms") is ways_out.through("texts", "twilio")


def test_a_gateway_that_is_named_no_more_cannot_be_opened() -> None:
    with pytest.raises(SetupError, match="named no more"):
        ways_of(read(PLAIN)).through("texts", "second")


def test_without_the_plain_gateway_nothing_of_it_is_asked_for() -> None:
    settings = read({"CHANNEL": "sms"}, BLOCK, GATEWAYS="second")
    assert [way.name for way in settings.accounts["texts"].ways] == ["second"]
    assert set(faults({"CHANNEL": "sms", "AUTH_TOKEN": "a"}, BLOCK, GATEWAYS="second")) == {
        TEXTS + "AUTH_TOKEN"
    }


@pytest.mark.parametrize(
    ("more", "field", "code"),
    [
        ({"GATEWAYS": "twilio,twilio"}, "GATEWAYS", "bad_gateways"),
        ({"GATEWAYS": "twilio,"}, "GATEWAYS", "bad_gateways"),
        ({"GATEWAYS": "twilio,second,nonsense"}, "NONSENSE", "unknown_gateway"),
        ({"GATEWAYS": "twilio,second", "SECOND__KIND": "carrier-pigeon"}, "SECOND__KIND", "unknown_gateway"),
        (
            {"GATEWAYS": "twilio,second", "SECOND__ACCOUNT_SID": "x"},
            "SECOND__ACCOUNT_SID",
            "string_pattern_mismatch",
        ),
        ({"GATEWAYS": "twilio,second", "SECOND__PER_SECOND": "0"}, "SECOND__PER_SECOND", "greater_than"),
        ({"GATEWAYS": "twilio,second", "SECOND__SENDRE": "x"}, "SECOND__SENDRE", "extra_forbidden"),
        ({"GATEWAYS": "twilio"}, "SECOND", "extra_forbidden"),  # a block that no order names
    ],
)
def test_every_fault_of_a_gateway_is_told_by_its_field(more: dict[str, str], field: str, code: str) -> None:
    told = faults({**PLAIN, **BLOCK, **more})
    assert set(told) == {TEXTS + field}
    assert told[TEXTS + field].code == code


def test_faults_of_two_gateways_are_told_at_once() -> None:
    told = faults({**PLAIN, "AUTH_TOKEN": ""}, {**BLOCK, "SECOND__AUTH_TOKEN": ""}, GATEWAYS="twilio,second")
    assert {TEXTS + "AUTH_TOKEN", TEXTS + "SECOND__AUTH_TOKEN"} <= set(told)


def test_the_pace_of_a_pool_is_that_of_all_its_numbers() -> None:
    settings = read(OF_A_POOL)
    (only,) = ways_of(settings).gateways("texts")
    assert (only.per_second, only.numbers) == (15, 10)
    assert settings.accounts["texts"].per_second == 15  # what the ledger hands out turns by


def test_each_gateway_has_the_pace_of_its_own_pool() -> None:
    settings = read(OF_A_POOL, SINCH, BLOCK, GATEWAYS="twilio,sinch,second")
    told = [(way.name, way.per_second, way.numbers) for way in ways_of(settings).gateways("texts")]
    assert told == [("twilio", 15, 10), ("sinch", 2, 4), ("second", 2, None)]


def test_a_pool_may_go_slower_than_its_numbers_allow() -> None:
    (only,) = ways_of(read(OF_A_POOL, PER_SECOND="8")).gateways("texts")
    assert (only.per_second, only.numbers) == (8, 10)


@pytest.mark.parametrize("kind", ["pool", "pace"])
def test_a_block_that_stands_alone_keeps_its_pace(kind: str) -> None:
    pace = {} if kind == "pool" else {"SINCH__PER_SECOND": "1.5"}
    settings = read({"CHANNEL": "sms"}, SINCH, pace, GATEWAYS="sinch")
    assert settings.accounts["texts"].per_second == (2 if kind == "pool" else 1.5)


@pytest.mark.parametrize(
    ("more", "field", "code"),
    [
        ({"PER_SECOND": "15.1"}, "PER_SECOND", "faster_than_its_numbers"),
        (
            {"GATEWAYS": "twilio,sinch", "SINCH__PER_SECOND": "3"},
            "SINCH__PER_SECOND",
            "faster_than_its_numbers",
        ),
        ({"PER_NUMBER": "one"}, "PER_NUMBER", "float_parsing"),
        ({"PER_NUMBER": "0"}, "PER_NUMBER", "greater_than"),
        ({"NUMBERS": "0"}, "NUMBERS", "greater_than_equal"),
        ({"NUMBERS": "1001"}, "NUMBERS", "less_than_equal"),
        ({"NUMBERS": "ten"}, "NUMBERS", "int_parsing"),
    ],
)
def test_a_pace_that_its_numbers_do_not_allow_is_one_clear_error(
    more: dict[str, str], field: str, code: str
) -> None:
    sinch = SINCH if "GATEWAYS" in more else {}
    told = faults({**OF_A_POOL, **sinch, **more})
    assert {name: one.code for name, one in told.items()} == {TEXTS + field: code}


def test_what_all_numbers_make_is_told_with_the_fault() -> None:
    told = faults(OF_A_POOL, PER_SECOND="20")[TEXTS + "PER_SECOND"]
    assert told.message == "is faster than all numbers of the pool together"
    assert told.hint == "10 numbers make 15 a second: leave it out, or say a slower one"


@pytest.mark.parametrize("left_out", ["NUMBERS", "PER_NUMBER"])
def test_numbers_and_the_pace_of_each_are_said_together(left_out: str) -> None:
    told = faults({name: value for name, value in OF_A_POOL.items() if name != left_out})
    assert {name: one.message for name, one in told.items()} == {
        TEXTS + "PER_NUMBER": "give both numbers and per_number, or neither"
    }


@pytest.mark.parametrize("way", ["twilio", "sinch"])
def test_one_sender_has_no_numbers(way: str) -> None:
    if way == "twilio":
        prefix, told = "", faults({**PLAIN, "NUMBERS": "10", "PER_NUMBER": "1"})
    else:
        alone = {**SINCH, "SINCH__POOL": "false", "SINCH__SENDER": "+447400123456"}
        prefix, told = "SINCH__", faults({"CHANNEL": "sms"}, alone, GATEWAYS="sinch")
    assert {name: one.message for name, one in told.items()} == {
        f"{TEXTS}{prefix}PER_NUMBER": "numbers and per_number are of a pool of numbers, not of one sender"
    }
