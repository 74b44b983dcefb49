"""`carillon budget`, and what an announcement would cost, on a school whose texts have a price."""

from __future__ import annotations

import pytest

ANNOUNCE = ("announce", "Rehearsal at 15:30", "--to", "Choir", "--via", "sms")


@pytest.fixture
def priced(school, monkeypatch):
    monkeypatch.setenv("CARILLON_ACCOUNTS__SMS__PRICE", "0.04")
    return school


def test_a_dry_run_tells_what_it_would_cost_and_what_is_left(priced):
    told = priced(*ANNOUNCE, "--dry-run", "--json").json
    cost = told["channels"]["sms"]["cost"]
    assert (cost["unit"], cost["currency"], cost["left"]) == ("0.04", "GBP", None)
    assert float(cost["total"]) == pytest.approx(0.04 * cost["messages"])
    assert told["cost"]["total"] == cost["total"]
    assert cost["messages"] == told["channels"]["sms"]["reach"]["addresses"]
    priced("budget", "set", "office", "100")
    said = priced(*ANNOUNCE, "--dry-run")
    assert "£100.00 is left of this month's budget" in said.out


def test_a_dry_run_of_what_there_is_no_money_for_says_that_it_would_wait(priced):
    priced("budget", "set", "office", "0.05")
    told = priced(*ANNOUNCE, "--dry-run", "--json").json
    [verdict] = told["verdicts"]
    assert (verdict["answer"], verdict["code"]) == ("hold", "budget_used_up")
    assert "0.05 left of this month's 0.05" in verdict["why"]


def test_the_character_that_makes_a_text_dearer_is_pointed_at(priced):
    told = priced(
        "announce", "Rehearsal \u2603 " + "a" * 80, "--to", "Choir", "--via", "sms", "--dry-run", "--json"
    ).json
    [note] = [note for note in told["channels"]["sms"]["notes"] if "\u2603" in note]
    assert note.startswith("2 texts, each of them paid, instead of 1: ")
    assert "\u2603 (character " in note
    assert told["channels"]["sms"]["cost"]["unit"] == "0.08"


def test_what_costs_nothing_has_no_cost(school):
    told = school(*ANNOUNCE, "--dry-run", "--json").json
    assert told["cost"] is None
    assert told["channels"]["sms"]["cost"] is None


def test_budgets_are_set_shown_forecast_and_taken_away(priced):
    assert priced("budget", "set", "office", "120", "--json").json == {
        "department": "office",
        "month": None,
        "amount": "120",
    }
    assert (
        "office: £200.50 in 2099-12" in priced("budget", "set", "office", "200.50", "--month", "2099-12").out
    )
    assert priced("budget", "show", "--month", "2099-12", "--json").json["departments"] == [
        {"department": "office", "budget": "200.5", "spent": "0", "accounts": {}}
    ]
    priced(*ANNOUNCE)
    told = priced("budget", "forecast", "office", "--json").json
    assert (told["spent"], told["budget"], told["beyond"]) == ("0", "120", False)
    assert float(told["waiting"]) > 0
    assert "within its budget of £120.00" in priced("budget", "forecast", "office").out
    priced("budget", "set", "office", "--none")
    assert priced("budget", "forecast", "office", "--json").json["budget"] is None


@pytest.mark.parametrize(
    ("argv", "code", "field"),
    [
        (("set", "office", "minus one"), "bad_amount", "amount"),
        (("set", "office", "NaN"), "bad_amount", "amount"),
        (("set", "office", "1.001"), "bad_amount", "amount"),
        (("set", "office", "1e99"), "bad_amount", "amount"),
        (("set", "office"), "no_amount", "amount"),
        (("set", "office", "5", "--none"), "no_amount", "amount"),
        (("set", "office", "5", "--month", "November"), "bad_month", "month"),
        (("set", "astronomy", "5"), "unknown_department", "department"),
        (("forecast", "astronomy"), "unknown_department", "department"),
        (("show", "--month", "2026-13"), "bad_month", "month"),
    ],
)
def test_nonsense_is_refused_and_nothing_is_changed(priced, argv, code, field):
    priced("budget", "set", "office", "7")
    ran = priced("budget", *argv, "--json")
    assert ran.code == 2
    assert (ran.error["code"], ran.error["field"]) == (code, field)
    assert priced("budget", "show", "--json").json["departments"][0]["budget"] == "7"


def test_a_budget_is_an_entry_of_the_record(priced):
    priced("budget", "set", "office", "7", "--operator", "Mr Hook")
    [entry] = priced("audit", "search", "--kind", "budget", "--json").json["entries"]
    assert (entry["actor"]["id"], entry["facts"]["amount"]) == ("Mr Hook", 7_000_000)
