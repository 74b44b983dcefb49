"""`carillon correct`, `withdraw --tell`, `resend` and `thread`, as somebody at a school types them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from broker import fanout
from broker.actor import SYSTEM
from config.assembly import assemble
from config.settings import load

pytestmark = pytest.mark.runs_on("sqlite")
LEDGER = Path("var/carillon.sqlite3")


def planned(school, *argv: str) -> str:
    accepted = str(
        school("announce", "The coach leaves at eight.", "--to", "Choir", "--json", *argv).json[
            "announcement"
        ]
    )
    with assemble(load()) as house:
        fanout.plan(house.ports, UUID(accepted), actor=SYSTEM)
    return accepted


def sent(which: str) -> int:
    """Say of these deliveries that they were sent, for nobody is there to send them."""
    with closing(sqlite3.connect(LEDGER)) as connection, connection:
        changed = connection.execute(f"UPDATE delivery SET state = 'sent' WHERE {which}").rowcount
    connection.close()
    return changed


def test_a_correction_is_shown_before_it_goes_and_tells_the_two_texts_apart(school):
    public_id = planned(school, "--via", "sms")
    left = sent("id % 2 = 0")
    shown = school("correct", public_id, "The coach leaves at nine.", "--dry-run", "--json")
    assert shown.code == 0
    assert shown.json["channels"]["sms"]["corrections"] == left
    assert shown.json["channels"]["sms"]["right_text"] > 0
    assert school("thread", public_id, "--json").json["thread"][0]["stage"] == "going out"
    assert "nothing was kept" in school("correct", public_id, "The coach leaves at nine.", "--dry-run").err
    done = school("correct", public_id, "The coach leaves at nine.", "--json").json
    assert (done["as"], done["created"]) == ("correction", True)
    thread = school("thread", public_id, "--json").json["thread"]
    assert [one["follow_up"] for one in thread] == [None, "correction"]
    assert thread[0]["corrected_by"] == done["announcement"]
    assert school("thread", done["announcement"]).code == 0


def test_what_cannot_be_corrected_says_why_and_keeps_nothing(school):
    public_id = planned(school)
    assert school("correct", public_id, "The coach leaves at eight.", "--json").error["code"] == "same_words"
    assert school("correct", public_id, "Nine.", "--typo", "--json").error["code"] == "no_feed"
    assert school("correct", public_id, "Nine.", "--lead", "\x07", "--json").error["code"] == "bad_lead"
    assert school("correct", str(UUID(int=9)), "Nine.", "--json").error["code"] == "not_found"
    assert school("correct", public_id, " ", "--json").error["field"] == "text"
    school("correct", public_id, "The coach leaves at nine.", "--json")
    again = school("correct", public_id, "The coach leaves at ten.", "--json")
    assert (again.code, again.error["code"]) == (2, "corrected")
    school("withdraw", public_id)
    assert school("correct", public_id, "The coach leaves at ten.", "--json").error["code"] == "withdrawn"
    assert len(school("thread", public_id, "--json").json["thread"]) == 2


@pytest.mark.parametrize("width", [80, 100])
def test_a_thread_can_be_read_on_a_narrow_terminal(school, monkeypatch: pytest.MonkeyPatch, width: int):
    public_id = planned(school, "--via", "sms,email")
    sent("id % 2 = 0")
    right = school("correct", public_id, "The coach leaves at nine.", "--json").json["announcement"]
    monkeypatch.setenv("COLUMNS", str(width))
    _, *told = school("thread", public_id).out.splitlines()
    assert [line.split()[0] for line in told if not line.startswith(" ")] == [public_id, right]
    assert any(line.startswith("  deliveries: ") for line in told)
    assert max(map(len, told)) <= width


def test_those_whom_it_reached_are_told_that_it_is_taken_back(school):
    public_id = planned(school, "--via", "sms")
    sent("id % 2 = 0")
    assert school("withdraw", public_id, "--tell", "", "--json").error["field"] == "tell"
    told = school("withdraw", public_id, "--tell", "There is no coach.", "--json").json
    thread = school("thread", public_id, "--json").json["thread"]
    assert [(one["id"], one["stage"]) for one in thread] == [
        (public_id, "withdrawn"),
        (told["told_by"], "being planned"),
    ]


def test_the_thread_and_the_status_have_one_word_for_how_far_it_is(school):
    public_id = planned(school, "--via", "sms")
    sent("true")
    with closing(sqlite3.connect(LEDGER)) as connection, connection:
        connection.execute("UPDATE tally_delta SET state = 'sent'")
    connection.close()
    assert "finished" in school("thread", public_id).out
    assert "finished" in school("status", public_id).out
    assert school("thread", public_id, "--json").json["thread"][0]["settled"] is True


def test_ways_in_order_are_said_again_in_order_and_all_at_once_where_somebody_says_so(school):
    public_id = planned(school, "--via", "sms", "--then", "email")
    sent("true")
    who = school("status", public_id, "--who", "--json").json["who"][0]["name"]
    in_order = school("resend", public_id, "--person", who)
    assert "--all-ways" in in_order.err
    assert "email" not in school("resend", public_id, "--person", who, "--json").json["channels"]
    at_once = school("resend", public_id, "--person", who, "--all-ways", "--json").json
    assert "email" in at_once["channels"]
    assert at_once["in_order"] is False


def test_the_status_of_a_correction_whose_time_was_over_says_what_to_do(school):
    public_id = planned(school, "--via", "sms")
    sent("true")
    right = school("correct", public_id, "The coach leaves at nine.", "--json").json["announcement"]
    with closing(sqlite3.connect(LEDGER)) as connection, connection:
        connection.execute("UPDATE announcement SET expires_at = '2020-01-01 00:00:00' WHERE id = 2")
    connection.close()
    with assemble(load()) as house:
        fanout.plan(house.ports, UUID(right), actor=SYSTEM)
    sent("false")
    with closing(sqlite3.connect(LEDGER)) as connection, connection:
        connection.execute("UPDATE delivery SET state = 'refused' WHERE announcement_id = 2")
    connection.close()
    assert "announce what is right anew" in school("status", right).out
    findings = school("doctor", "--json").json["findings"]
    [alarm] = [one for one in findings if one["subject"] == "alarm correction_over"]
    assert "carillon withdraw" in alarm["hint"]


def test_it_is_sent_again_only_after_it_was_shown_to_whom(school):
    public_id = planned(school, "--via", "sms")
    sent("true")
    who = school("status", public_id, "--who", "--json").json["who"][0]["name"]
    shown = school("resend", public_id, "--person", who, "--json").json
    assert [one["name"] for one in shown["to"]] == [who]
    assert all("•••" in way["address"] for one in shown["to"] for way in one["ways"])
    assert "--send" in school("resend", public_id, "--person", who).err
    assert len(school("thread", public_id, "--json").json["thread"]) == 1
    done = school("resend", public_id, "--person", who, "--send", "--json").json
    assert done["as"] == "resend"
    assert school("resend", public_id, "--joined", "--json").error["code"] == "nobody_joined"
    assert school("resend", public_id, "--person", "Nobody Known", "--json").error["code"] == "unknown_person"
    assert school("resend", public_id, "--json").error["code"] == "nobody"
