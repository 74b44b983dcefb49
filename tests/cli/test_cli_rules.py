"""`carillon rules`, `stop`, `go`, `undo`, `expect`, `why`, and what a dry run says of verdicts."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from broker.rules.book import RULES
from tests.cli.conftest import Shell

HELLO = ("announce", "Rehearsal at 15:30.", "--to", "everyone", "--via", "sms", "--json")


def test_every_rule_is_shown_and_explained_with_its_source(school: Shell) -> None:
    shown = school("rules", "--json").json
    assert shown["rules"].keys() == RULES.keys()
    assert shown["rules"]["undo.window"]["value"] == "0 s"  # a sandbox school begins so
    assert shown["rules"]["undo.window"]["default"] == "1 min"
    explained = school("rules", "explain", "undo.window")
    assert RULES["undo.window"].words in explained.out.replace("\n", " ")
    assert RULES["undo.window"].source in explained.out.replace("\n", " ")
    assert school("rules").code == 0


def test_a_rule_is_set_kept_with_its_reason_and_set_back(school: Shell) -> None:
    told = school("rules", "set", "undo.window", "120s", "--why", "two wrong groups", "--json").json
    assert told["rule"]["value"] == "2 min"
    assert (
        school("rules", "reset", "undo.window", "--why", "as it was", "--json").json["rule"]["changed"]
        is False
    )
    versions = school("rules", "history", "--json").json["versions"]
    assert [each["version"] for each in versions] == [3, 2, 1]
    assert (versions[1]["by"], versions[1]["why"]) == ("Mrs Bell", "two wrong groups")
    assert versions[1]["changed"]["undo.window"] == "2 min"
    assert "undo.window = its default" in " ".join(school("rules", "history").out.split())
    assert school("rules", "reset", "--all", "--why", "done", "--json").json["version"] == 4


NONSENSE = [
    (("set", "undo.window", "-5 s", "--why", "x"), "bad_rule", "undo.window"),
    (("set", "undo.window", "2 weeks", "--why", "x"), "bad_rule", "undo.window"),
    (("set", "undo.windwo", "5 s", "--why", "x"), "unknown_rule", "rule"),
    (("set", "undo.window", "0 s", "--why", "x"), "same_rule", "rule"),
    (("set", "undo.window", "5 s", "--why", "\x07"), "bad_text", "why"),
    (
        ("set", "windows.open", "sms mon 08:00-10:00; sms mon 09:00-11:00", "--why", "x"),
        "bad_rule",
        "windows.open",
    ),
    (("explain", "nothing"), "unknown_rule", "rule"),
    (("reset", "--why", "x"), "which_rule", "rule"),
    (("reset", "undo.window", "--all", "--why", "x"), "which_rule", "rule"),
    (("set", "undo.window", "5 s"), "wrong_use", "why"),
]


def test_nonsense_is_one_clear_error_and_the_rules_stay(school: Shell) -> None:
    before = school("rules", "--json").json
    for words, code, field in NONSENSE:
        ran = school("rules", *words, "--json")
        assert (ran.code, ran.error["code"], ran.error["field"]) == (2, code, field), words
        assert ran.error["message"]
    assert school("rules", "--json").json == before


def test_what_can_still_be_undone_says_so_and_how(school: Shell) -> None:
    school("rules", "set", "undo.window", "5 min", "--why", "x")
    said = school(*HELLO).json
    assert said["held"]["code"] == "undo_window"
    id_ = said["announcement"]
    told = school("status", id_)
    assert "held" in told.out
    assert "taken back" in told.out
    assert school("status", id_, "--json").json["held"]["code"] == "undo_window"
    assert school("undo", id_, "--json").json == {"announcement": id_, "undone": True}
    assert school("status", id_, "--json").json["stage"] == "withdrawn"
    spoken = school(*HELLO[:-1])
    assert "carillon undo" in spoken.err


def test_a_large_audience_waits_for_its_number(school: Shell) -> None:
    school("rules", "set", "blast.size", "20", "--why", "x")
    people = school(*HELLO, "--dry-run").json["counted"]
    wrong = school(*HELLO, "--expect", "1")
    assert (wrong.code, wrong.error["code"], wrong.error["field"]) == (2, "size_differs", "expect")
    assert str(people) in wrong.error["hint"]
    said = school(*HELLO).json
    assert said["held"]["code"] == "size_unconfirmed"
    assert school("expect", said["announcement"], "1", "--json").error["code"] == "size_differs"
    assert school("expect", said["announcement"], str(people), "--json").json["people"] == people
    assert school(*HELLO, "--expect", str(people)).json["held"] is None


def test_everything_can_be_stopped_is_listed_and_goes_on(school: Shell) -> None:
    assert school("stop", "--json").json == {"stopped": []}
    assert school("stop", "everything", "--why", "a wrong list", "--json").json["new"] is True
    assert school("stop", "everything", "--why", "a wrong list", "--json").json["new"] is False
    assert school("stop", "account", "sms", "--why", "the bill", "--json").code == 0
    off = school("stop", "--json").json["stopped"]
    assert [(each["kind"], each["subject"], each["why"]) for each in off] == [
        ("everything", "", "a wrong list"),
        ("account", "sms", "the bill"),
    ]
    assert "a wrong list" in school("stop").out
    [verdict] = school(*HELLO, "--dry-run").json["verdicts"]
    assert (verdict["answer"], verdict["code"]) == ("hold", "stopped")
    assert "carillon go everything" in " ".join(school("doctor").out.split())
    assert school("go", "everything", "--json").json["new"] is True
    assert school("go", "account", "sms", "--json").code == 0
    assert school("stop", "--json").json == {"stopped": []}


BAD_INPUT = [
    (("stop", "everything"), "no_reason"),
    (("stop", "everything", "sms", "--why", "x"), "bad_text"),
    (("stop", "channel", "--why", "x"), "no_name"),
    (("stop", "channel", "fax", "--why", "x"), "not_found"),
    (("stop", "department", "fax", "--why", "x"), "not_found"),
    (("stop", "account", "fax", "--why", "x"), "not_found"),
    (("stop", "something", "--why", "x"), "wrong_use"),
    (("go", "channel", "fax"), "not_found"),
    (("go",), "wrong_use"),
    (("undo", "nothing"), "bad_id"),
    (("undo", "01900000-0000-7000-8000-000000000000"), "not_found"),
    (("expect", "01900000-0000-7000-8000-000000000000", "5"), "not_found"),
    (("expect", "01900000-0000-7000-8000-000000000000", "-5"), "wrong_use"),
    (("why", "01900000-0000-7000-8000-000000000000"), "not_found"),
]


def test_bad_input_is_one_clear_error(school: Shell) -> None:
    for words, code in BAD_INPUT:
        ran = school(*words, "--json")
        assert (ran.code, ran.error["code"]) == (2, code), words


def test_a_dry_run_tells_a_verdict_for_each_way(school: Shell) -> None:
    found = school("announce", "Rehearsal.", "--to", "everyone", "--dry-run", "--json").json
    assert [(v["channel"], v["account"], v["answer"]) for v in found["verdicts"]] == [
        ("sms", "sms", "allow"),
        ("email", "mail", "allow"),
    ]
    assert all(
        {"channel", "account", "answer", "code", "why", "until"} <= v.keys() for v in found["verdicts"]
    )
    school("rules", "set", "windows.open", "sms mon-sun 08:00-09:00", "--why", "x")
    day = datetime.now(ZoneInfo("Europe/London")).date() + timedelta(days=3)
    times = ("--at", f"{day} 03:00", "--expires", f"{day} 23:00", "--dry-run", "--json")
    held = school("announce", "Rehearsal.", "--to", "everyone", *times).json["verdicts"]
    by_channel = {verdict["channel"]: verdict for verdict in held}
    assert (by_channel["sms"]["answer"], by_channel["sms"]["code"]) == ("hold", "window_closed")
    opens = datetime.fromisoformat(by_channel["sms"]["until"]).astimezone(ZoneInfo("Europe/London"))
    assert f"{opens:%Y-%m-%d %H:%M}" == f"{day} 08:00"
    assert by_channel["email"]["answer"] == "allow"


def test_why_tells_each_answer_with_its_version(school: Shell) -> None:
    school("rules", "set", "undo.window", "5 min", "--why", "x")
    said = school(*HELLO, "--urgent").json
    [verdict] = school("why", said["announcement"], "--json").json["verdicts"]
    assert (verdict["answer"], verdict["code"], verdict["rules"]) == ("allow", "undo_skipped", 2)
    assert "urgent" in school("why", said["announcement"]).out
