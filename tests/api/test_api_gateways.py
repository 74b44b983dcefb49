"""An account of several gateways over the API: how each stands, in order, and by which a delivery's attempts went."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select

from broker import accounts, fanout
from broker.gateways import Health, Stand
from ledger import tables as t
from ledger.connect import Ledger
from tests.support.api import HEAD, Calling, a_school, announced

SMS = "CARILLON_ACCOUNTS__SMS__"
SECRETS = ("the-second-secret", "the-third-secret")
TWO_MORE = {
    f"{SMS}GATEWAYS": "third,twilio,second",
    **{
        f"{SMS}{name}__{setting}": value
        for name, secret in zip(("SECOND", "THIRD"), SECRETS, strict=True)
        for setting, value in {
            "KIND": "twilio",
            "ACCOUNT_SID": "AC" + 32 * "1",
            "AUTH_TOKEN": secret,
            "SENDER": "+447400123457",
            "API_BASE_URL": "http://127.0.0.1:9",
        }.items()
    },
}


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calling]:
    """A school whose texts go by three gateways."""
    home: Path = tmp_path_factory.mktemp("three")
    with a_school(f"sqlite:///{home / 'carillon.sqlite3'}", home, **TWO_MORE) as calling:
        yield calling


def told(calling: Calling, account: str = "sms") -> list[dict[str, Any]]:
    (one,) = [one for one in calling.get("/accounts").json()["items"] if one["account"] == account]
    ways: list[dict[str, Any]] = one["gateways"]
    return ways


def keep(calling: Calling, gateway: str, health: Health) -> None:
    def work(tx: Any) -> None:
        tx.gateways.keep(tx.accounts.named("sms").id, gateway, health)

    calling.house.ports.ledger.transact(work)


WELL = {"stand": "closed", "since": None, "until": None, "why": "", "held_by": None}


def test_gateways_are_told_in_their_order_and_are_well_until_something_is_noted(three: Calling) -> None:
    assert told(three) == [{"gateway": name, **WELL} for name in ("third", "twilio", "second")]


def test_each_says_how_it_stands_since_when_until_when_and_why(three: Calling) -> None:
    with three.house.ledger.look() as tx:
        since = tx.now
    keep(
        three, "third", Health(Stand.OPEN, since=since, until=since + timedelta(seconds=30), why="no answer")
    )
    accounts.hold_out(three.house.ports, "sms", "second", "its prices doubled", actor=HEAD)
    third, twilio, second = told(three)
    assert (third["stand"], third["why"], third["held_by"]) == ("open", "no answer", None)
    assert datetime.fromisoformat(third["since"]) == since
    assert datetime.fromisoformat(third["until"]) == since + timedelta(seconds=30)
    assert twilio == {"gateway": "twilio", **WELL}
    assert (second["stand"], second["held_by"], second["why"]) == ("out", "Head", "its prices doubled")
    accounts.take_back(three.house.ports, "sms", "second", actor=HEAD, why="they halved again")
    assert [(one["stand"], one["why"], one["held_by"]) for one in told(three)][2] == ("closed", "", None)


def test_what_pauses_and_resumes_an_account_tells_of_its_gateways_too(three: Calling) -> None:
    for verb in ("pause", "resume"):
        answer = three.post(f"/accounts/sms/{verb}", {"why": "a test"})
        assert [one["gateway"] for one in answer.json()["gateways"]] == ["third", "twilio", "second"]


def test_no_secret_of_any_gateway_is_in_the_answer(three: Calling) -> None:
    answer = three.get("/accounts").text
    assert not [secret for secret in (*SECRETS, "nobodys", "AC" + 32 * "1") if secret in answer]


def test_an_account_of_one_gateway_has_none_to_tell_of(school: Calling) -> None:
    assert told(school) == []


def test_a_delivery_names_the_gateways_of_its_attempts_in_order(three: Calling) -> None:
    said = three.post("/announcements", announced()).json()["id"]
    ledger = three.house.ledger
    assert isinstance(ledger, Ledger)
    fanout.plan(three.house.ports, UUID(said), actor=HEAD)
    listed = three.get(f"/deliveries?announcement={said}").json()["items"]
    assert listed
    assert all(one["gateways"] == [] for one in listed)
    first = listed[0]["id"]
    with ledger.begin() as tx:
        account = tx.hand.connection.execute(
            select(t.delivery.c.account_id).where(t.delivery.c.id == first)
        ).scalar_one()
        for fence, gateway in enumerate(("third", "third", "twilio"), 1):
            values = {"delivery_id": first, "fence": fence, "account_id": account, "gateway": gateway}
            tx.hand.connection.execute(insert(t.attempt).values(**values, digest="d", started_at=tx.now))
    assert three.get(f"/deliveries/{first}").json()["gateways"] == ["third", "twilio"]
    again = three.get(f"/deliveries?announcement={said}").json()["items"]
    assert [one["gateways"] for one in again if one["id"] == first] == [["third", "twilio"]]


def test_the_description_says_what_each_word_of_a_gateway_means(three: Calling) -> None:
    described = three.client.get("/v1/openapi.json").json()["components"]["schemas"]
    gateway = described["GatewayTold"]
    assert "passed over" in gateway["description"]
    assert set(described["Stand"]["enum"]) == {one.value for one in Stand}
    assert "in the order" in json.dumps(described["AccountTold"]["properties"]["gateways"]).lower()
