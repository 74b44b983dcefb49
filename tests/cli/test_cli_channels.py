"""`carillon channels`: what is installed, what each can do, and what an account of it lacks."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any


def by_name(told: Any) -> dict[str, Any]:
    return {entry["channel"]: entry for entry in told.json["channels"]}


def test_every_installed_channel_is_listed_with_its_traits_and_settings(school):
    found = by_name(school("channels", "--json"))
    assert {"sms", "email", "rss", "twitter"} <= found.keys()
    assert found["sms"]["traits"]["can_reconcile"]
    assert found["rss"]["traits"]["broadcast"]
    assert {"name": "reply_to", "needed": True} in found["email"]["settings"]


def test_an_account_stands_with_its_channel_paused_or_not(school):
    school("accounts", "pause", "sms", "--why", "the bill")
    found = by_name(school("channels", "--json"))
    assert [(one["name"], one["paused"]) for one in found["sms"]["accounts"]] == [("sms", True)]
    assert found["twitter"]["accounts"] == []


def test_what_an_account_lacks_is_said_with_what_to_do(school, monkeypatch):
    monkeypatch.setenv("CARILLON_ACCOUNTS__SMS__API_BASE_URL", "https://api.twilio.com")
    told = school("channels", "--json")
    assert told.code == 0
    (missing,) = by_name(told)["sms"]["accounts"][0]["missing"]
    assert missing["hint"]


def test_it_is_told_in_words_for_people(school):
    told = school("channels")
    assert told.code == 0
    assert "rss: speaks to the public" in told.out
    assert "look up a lost answer" in told.out


def test_what_an_account_looked_like_at_its_provider_is_told(school, tmp_path):
    with closing(sqlite3.connect(tmp_path / "var" / "carillon.sqlite3")) as ledger, ledger:
        ledger.execute("UPDATE account SET posture = ? WHERE name = 'sms'", ('{"following": "3"}',))
    ledger.close()
    assert by_name(school("channels", "--json"))["sms"]["accounts"][0]["posture"] == {"following": "3"}
    assert "sms, when last looked at: following 3" in school("channels").out
