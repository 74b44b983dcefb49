"""`carillon announce --then`, `carillon ladder` and `carillon seen`: ways in order, who is on which rung, who knows."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest

from broker import fanout
from broker.actor import SYSTEM
from broker.ladders import climbing
from cli.then import in_order
from config.assembly import assemble
from config.settings import load
from ledger import tables as t

pytestmark = pytest.mark.runs_on("sqlite")
THEN = ("--via", "sms", "--then", "email after 2 h", "--then", "sheet after 4 h")


def announced(school, *more: str) -> str:
    ran = school("announce", "We close at noon.", "--to", "Year 7", *THEN, *more, "--json")
    assert ran.code == 0, ran.out
    return str(ran.json["announcement"])


def planned(said: str) -> None:
    """What a worker would do, but for the sending."""
    from uuid import UUID

    with assemble(load(), serves=False) as house:
        fanout.plan(house.ports, UUID(said), actor=SYSTEM)
        climbing.climb_one(house.ports, UUID(said), actor=SYSTEM)
        climbing.climb_one(house.ports, UUID(said), actor=SYSTEM)


def test_ways_are_typed_in_order_with_their_times(school):
    said = announced(school)
    told = school("ladder", said, "--json").json
    assert [rung["ways"] for rung in told["rungs"]] == [["sms"], ["email"], ["sheet"]]
    assert [rung["unless"] for rung in told["rungs"]] == [None, "reached", "reached"]
    assert told["rungs"][0]["opens_at"] is None
    assert told["rungs"][1]["opens_at"] < told["rungs"][2]["opens_at"]


def test_who_is_on_which_rung_and_why(school, tmp_path: Path):
    said = announced(school)
    planned(said)
    told = school("ladder", said, "--json").json
    # In Year 7 who has no number has no email.
    assert {one["rung"] for one in told["who"]} == {"sms", "sheet"}
    lost = next(one for one in told["who"] if one["rung"] == "sheet")
    assert [way["ways"] for way in lost["ways"]] == [
        {"sms": "not applicable"},
        {"email": "not applicable"},
        {"sheet": "on the slip sheet"},
    ]
    assert [way["why"] for way in lost["ways"]] == [None, "not_applicable", "not_applicable"]
    shown = school("ladder", said, "--rung", "sheet", "--slips", "slips.html")
    assert shown.code == 0
    assert "not applicable" in shown.out
    assert stat.S_IMODE((tmp_path / "slips.html").stat().st_mode) == 0o600
    assert lost["name"] in (tmp_path / "slips.html").read_text()
    assert "We close at noon." in (tmp_path / "slips.html").read_text()


def test_no_slip_can_be_printed_once_the_words_are_gone(school):
    said = announced(school)
    planned(said)
    with assemble(load(), serves=False) as house, house.ledger.begin() as tx:
        tx.hand.connection.execute(t.content.delete())
    for words in (("ladder", said, "--slips", "slips.html"), ("reach", said, "--slips", "s.html")):
        ran = school(*words, "--json")
        assert (ran.code, ran.error["code"]) == (2, "no_words"), ran.out


def test_the_office_says_that_somebody_knows(school):
    said = announced(school)
    planned(said)
    somebody = school("ladder", said, "--json").json["who"][0]
    ran = school("seen", said, somebody["name"], "--why", "her mother rang", "--json")
    assert (ran.code, ran.json["changed"]) == (0, True)
    assert school("seen", said, somebody["name"], "--json").json["changed"] is False
    now = school("ladder", said, "--json").json["who"][0]
    assert now["state"] == "met"
    assert now["seen_at"]


@pytest.mark.parametrize(
    ("then", "code"),
    [
        (("email after 1 min",), "too_soon"),
        (("email by 2020-01-01 10:00",), "too_soon"),
        (("email after 30 h",), "too_late"),
        (("email unless delivered",), "no_time"),
        (("email unless loved",), "bad_then"),
        (("email whenever",), "bad_then"),
        (("",), "bad_then"),
        (("x" * 300,), "bad_then"),
        (("sheet", "email"), "sheet_last"),
        (("sms",), "way_twice"),
        (("pigeon",), "unknown_channel"),
        (("email by half past",), "bad_time"),
        (("email after 2 h unless seen",), "no_public_url"),
    ],
)
def test_a_slip_in_the_order_of_ways_is_one_clear_error(school, then, code):
    typed = [word for way in then for word in ("--then", way)]
    ran = school("announce", "Hello.", "--to", "Year 7", "--via", "sms", *typed, "--json")
    assert (ran.code, ran.error["code"]) == (2, code), ran.out
    assert ran.error["hint"] or code == "unknown_channel"


def test_an_announcement_without_ways_in_order_says_so(school):
    plain = school("announce", "Hello.", "--to", "Year 7", "--via", "sms", "--json").json["announcement"]
    assert school("ladder", plain, "--json").error["code"] == "no_ladder"
    laddered = announced(school)
    assert school("ladder", laddered, "--rung", "pigeon", "--json").error["code"] == "unknown_rung"
    assert school("ladder", "x", "--json").error["code"] == "bad_id"
    assert school("seen", laddered, "Nobody At All", "--json").error["code"] == "unknown_person"


def test_a_dry_run_tells_of_every_way(school):
    ran = school("announce", "Hello.", "--to", "Year 7", *THEN, "--dry-run", "--json")
    assert set(ran.json["channels"]) == {"sms", "email"}


def test_a_time_of_day_is_of_the_day_on_which_it_starts():
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from broker.moments import instant

    london = ZoneInfo("Europe/London")

    def moment(typed, field):
        return None if typed is None else instant(typed, zone="Europe/London", field=field)

    starts = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)  # the second of July in London
    _, ladder = in_order("sms", ["email by 9:15"], seen=False, moment=moment, starts=starts, zone=london)
    assert ladder is not None
    assert ladder.openings[0].at == datetime(2026, 7, 2, 8, 15, tzinfo=UTC)
    _, after = in_order("sms", ["email after 2 d"], seen=False, moment=moment, starts=starts, zone=london)
    assert after is not None
    assert after.openings[0].at == timedelta(days=2)


def test_the_link_stands_in_what_is_shown_before_it_goes_and_is_reckoned_with(school, monkeypatch):
    words = ("We close at noon, and the coach waits at the gate until one o'clock: " + "please. " * 9).strip()
    monkeypatch.setenv("CARILLON_ACCOUNTS__SMS__PRICE", "0.04")
    plain = school("announce", words, "--to", "Year 7", "--via", "sms,email", "--dry-run", "--json").json
    monkeypatch.setenv("CARILLON_PUBLIC_URL", "https://news.stcecilias.example.org")
    asked = ("announce", words, "--to", "Year 7", "--via", "sms,email", "--seen", "--dry-run", "--json")
    linked = school(*asked).json
    assert "https://news.stcecilias.example.org/s/" in str(linked)
    assert float(linked["cost"]["total"]) > float(plain["cost"]["total"])
