"""The API knows a way out by its channel's own word: whatever is installed can be rehearsed and announced by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.registry import Registry
from sandbox.stand_ins import found
from tests.support.api import Calling, a_school, announced

PREFIX = "CARILLON_ACCOUNTS__"
WORDS = {"long": "The rehearsal is at 15:30 in the hall.", "short": "Rehearsal at 15:30."}
# Where nothing listens: a rehearsal asks nobody.
STAND_INS = {
    name: dict(stand_in.account(f"http://127.0.0.1:9/{name}"))
    for name, stand_in in found().items()
    if hasattr(stand_in, "account")
}
ACCOUNTS: dict[str, dict[str, Any]] = {
    name: told
    for name, told in STAND_INS.items()
    if Registry().kit(str(told["channel"])).traits.address_kind is None
}
CLASSES = [("moodle", "forum"), ("classroom", "course"), ("teams", "workflow")]


@pytest.fixture(scope="module")
def many_ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calling]:
    """Every channel that has a stand-in; of the class platforms with a place for 7B and for nobody else."""
    home: Path = tmp_path_factory.mktemp("ways")
    accounts = {name: {**told} for name, told in ACCOUNTS.items()}
    for name, everybody in CLASSES:
        del accounts[name][everybody]
    settings = {
        f"{PREFIX}{name.upper()}__{key.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, told in accounts.items()
        for key, value in told.items()
    }
    with a_school(f"sqlite:///{home / 'carillon.sqlite3'}", home, **settings) as calling:
        yield calling


@pytest.mark.parametrize("name", sorted(ACCOUNTS))
def test_each_way_is_rehearsed_with_what_stands_there(many_ways: Calling, name: str) -> None:
    channel = str(ACCOUNTS[name]["channel"])
    seen = many_ways.post("/announcements/preview", announced(to="7B", ways=["sms", channel], words=WORDS))
    assert seen.status_code == 200, seen.text
    way = seen.json()["ways"][channel]
    assert "15:30" in json.dumps(way["example"])


def test_the_accounts_are_listed_with_their_channels(many_ways: Calling) -> None:
    told = {one["account"]: one["channel"] for one in many_ways.get("/accounts").json()["items"]}
    assert {name: str(account["channel"]) for name, account in ACCOUNTS.items()}.items() <= told.items()


@pytest.mark.parametrize("name", [name for name, _ in CLASSES])
def test_for_whom_a_platform_has_no_class_is_one_clear_error(many_ways: Calling, name: str) -> None:
    said = announced(to="Choir", ways=["sms", name], words=WORDS)
    for path in ("/announcements/preview", "/announcements"):
        refused = many_ways.post(path, said)
        assert (refused.status_code, refused.json()["code"]) == (422, "no_class"), refused.text
        assert name in refused.json()["hint"]


def test_a_way_that_wants_an_account_elsewhere_is_never_the_only_one(many_ways: Calling) -> None:
    refused = many_ways.post("/announcements", announced(to="7B", ways=["mastodon"], words=WORDS))
    assert refused.status_code == 422, refused.text
