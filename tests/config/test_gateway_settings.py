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
