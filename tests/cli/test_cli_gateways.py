"""`carillon accounts hold-out` and `take-back`: one gateway of an account, said by a person and kept in the record."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sandbox.settings import ACCOUNT_SID, AUTH_TOKEN
from tests.cli.conftest import NOWHERE, Shell

SMS = "CARILLON_ACCOUNTS__SMS__"
SECOND = {
    "GATEWAYS": "twilio,second",
    "SECOND__KIND": "twilio",
    "SECOND__ACCOUNT_SID": ACCOUNT_SID,
    "SECOND__AUTH_TOKEN": AUTH_TOKEN,
    "SECOND__SENDER": "+447400123457",
    "SECOND__API_BASE_URL": NOWHERE,
}
WHY = "its prices doubled"


@pytest.fixture
def two(school: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The sample school, whose texts go by two gateways."""
    for name, value in SECOND.items():
        monkeypatch.setenv(SMS + name, value)
    return school


def stands(shell: Shell) -> dict[str, tuple[str, str, str]]:
    told: Any = shell("accounts", "--json").json["gateways"]
    return {one["gateway"]: (one["stand"], one["held_by"], one["why"]) for one in told}


def recorded(folder: Path) -> list[tuple[str, str, dict[str, Any]]]:
    """What the record says of gateways: its kind, in whose name, and its facts."""
    with closing(sqlite3.connect(folder / "var" / "carillon.sqlite3")) as ledger:
        rows = ledger.execute(
            "SELECT kind, body FROM record_entry WHERE kind LIKE 'gateway.%' ORDER BY id"
        ).fetchall()
    told = [(kind, json.loads(body)) for kind, body in rows]
    return [(kind, entry["actor"]["id"], entry["facts"]) for kind, entry in told]


def test_one_is_held_out_in_somebodys_name_and_taken_back(two: Shell, tmp_path: Path) -> None:
    assert stands(two) == {"twilio": ("closed", "", ""), "second": ("closed", "", "")}
    told = two("accounts", "hold-out", "sms", "twilio", "--why", WHY, "--json")
    assert told.code == 0
    assert told.json == {"account": "sms", "gateway": "twilio", "held_out": True, "why": WHY}
    assert stands(two) == {"twilio": ("out", "Mrs Bell", WHY), "second": ("closed", "", "")}
    told = two("accounts", "take-back", "sms", "twilio", "--why", "they halved again", "--json")
    assert (told.code, told.json) == (0, {"account": "sms", "gateway": "twilio", "held_out": False})
    assert stands(two) == {"twilio": ("closed", "", ""), "second": ("closed", "", "")}
    assert recorded(tmp_path) == [
        ("gateway.out", "Mrs Bell", {"account": "sms", "gateway": "twilio", "why": WHY}),
        ("gateway.closed", "Mrs Bell", {"account": "sms", "gateway": "twilio", "why": "they halved again"}),
    ]


def test_it_is_told_in_words_for_people(two: Shell) -> None:
    assert (
        two("accounts", "hold-out", "sms", "second", "--why", WHY).out.strip() == "second of sms is held out"
    )
    table = two("accounts").out
    assert {"✕", "Mrs", "●", "well"} <= set(table.split())  # narrow terminals break its lines
    told = two("accounts", "take-back", "sms", "second")
    assert told.out.strip() == "second of sms is used again in its turn"
    assert "held out" not in two("accounts").out


def test_taking_back_what_is_well_changes_nothing_and_records_nothing(two: Shell, tmp_path: Path) -> None:
    assert two("accounts", "take-back", "sms", "twilio").code == 0
    assert recorded(tmp_path) == []


def test_the_last_that_is_left_cannot_be_held_out_and_the_way_out_is_told(two: Shell, tmp_path: Path) -> None:
    two("accounts", "hold-out", "sms", "twilio", "--why", WHY)
    told = two("accounts", "hold-out", "sms", "second", "--why", "this one too", "--json")
    assert told.code != 0
    assert (told.error["code"], told.error["field"]) == ("last_gateway", "gateway")
    assert "carillon accounts pause sms" in told.error["hint"]
    assert stands(two)["second"] == ("closed", "", "")
    assert len(recorded(tmp_path)) == 1


@pytest.mark.parametrize("verb", [("hold-out", "--why", WHY), ("take-back",)], ids=["hold-out", "take-back"])
@pytest.mark.parametrize(
    ("account", "gateway", "code", "hint"),
    [
        ("sms", "third", "not_found", "its gateways: twilio, second"),
        ("nobody", "twilio", "not_found", "carillon accounts"),
        ("mail", "twilio", "not_found", "its gateways: "),
        ("sms", " ", "bad_text", ""),
        ("sms", "x" * 5_000, "bad_text", ""),
    ],
    ids=["no such gateway", "no such account", "of another account", "nothing", "too long"],
)
def test_a_wrong_name_is_one_clear_error_and_nothing_is_done(
    two: Shell, tmp_path: Path, verb: tuple[str, ...], account: str, gateway: str, code: str, hint: str
) -> None:
    command, *more = verb
    told = two("accounts", command, account, gateway, *more, "--json")
    assert told.code != 0
    assert told.error["field"] in {"gateway", "name"}
    assert told.error["code"] == code
    assert hint in told.error["hint"]
    assert "Traceback" not in told.out + told.err
    assert recorded(tmp_path) == []


def test_holding_out_wants_a_reason(two: Shell, tmp_path: Path) -> None:
    told = two("accounts", "hold-out", "sms", "twilio", "--json")
    assert told.code != 0
    assert "Traceback" not in told.out + told.err
    assert recorded(tmp_path) == []


def test_the_pace_of_each_is_told_in_words(two: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"NUMBERS": "10", "PER_NUMBER": "1", "MESSAGING_SERVICE_SID": "MG" + "0" * 32}.items():
        monkeypatch.setenv(f"{SMS}SECOND__{name}", value)
    monkeypatch.delenv(f"{SMS}SECOND__SENDER")
    told: Any = two("accounts", "--json").json["gateways"]
    assert {one["gateway"]: one["pace"] for one in told} == {
        "twilio": "no limit",
        "second": "10 a second by 10 numbers",
    }
    assert "as below" in two("accounts").out
