"""Operators and approvals, typed: the whole way, and what is typed badly."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Ran, Shell

BELL, HEAD = ("--operator", "Mrs Bell"), ("--operator", "The Head")
ANNOUNCE = ("announce", "The coach leaves at nine.", "--to", "Choir", "--via", "email", "--json")


def ok(ran: Ran) -> Ran:
    assert (ran.code, ran.err) == (0, ran.err), ran.err
    return ran


@pytest.fixture
def two(school: Shell) -> Shell:
    """Two operators, and a rule that everything wants two people."""
    ok(school("operators", "add", "The Head", "--role", "approver", "--role", "admin", *HEAD))
    ok(
        school(
            "operators",
            "add",
            "Mrs Bell",
            "--role",
            "author",
            "--role",
            "approver",
            "--department",
            "office",
            *HEAD,
        )
    )
    ok(school("rules", "set", "approval.needed", "any/any/any", "--why", "the test", *HEAD))
    return school


def group(school: Shell) -> str:
    name: str = school("groups", "--json").json["groups"][0]["name"]
    return name


def announced(school: Shell, *more: str) -> Ran:
    return school(
        "announce", "The coach leaves.", "--to", group(school), "--via", "email", "--json", *more, *BELL
    )


def test_the_whole_way_from_waiting_to_approved(two: Shell) -> None:
    said = ok(announced(two)).json
    assert said["held"]["code"] == "needs_approval"
    [waits] = two("approvals", "--json").json["waiting"]
    assert (waits["announcement"], waits["by"], waits["overridden"]) == (
        said["announcement"],
        "Mrs Bell",
        False,
    )
    shown = ok(two("approvals", "show", said["announcement"], "--json")).json
    assert (shown["waits"], shown["contents"][0]["parts"]) == (True, {"long": "The coach leaves."})
    own = two("approvals", "approve", said["announcement"], "--json", *BELL)
    assert (own.code, own.error["code"]) == (2, "own_announcement")
    assert (
        ok(two("approvals", "reword", said["announcement"], "At nine.", "--json", *BELL)).json[
            "content_version"
        ]
        == 2
    )
    stale = two("approvals", "approve", said["announcement"], "--seen", shown["seen"], "--json", *HEAD)
    assert (stale.code, stale.error["code"]) == (2, "changed_since")
    blind = two("approvals", "approve", said["announcement"], "--json", *HEAD)
    assert (blind.code, blind.error["code"]) == (2, "changed_since")
    assert "--seen" in blind.error["hint"]
    again = ok(two("approvals", "show", said["announcement"], "--json")).json
    yes = ok(two("approvals", "approve", said["announcement"], "--seen", again["seen"], "--json", *HEAD)).json
    assert (yes["decision"], yes["by"]) == ("approved", "The Head")
    assert two("approvals", "list", "--json").json["waiting"] == []
    words = ok(two("approvals", "show", said["announcement"])).out
    assert "At nine." in words
    assert "approved by The Head" in words


@pytest.mark.parametrize("width", ["60", "80", "100"])
def test_what_waits_can_be_read_on_a_narrow_terminal(
    two: Shell, monkeypatch: pytest.MonkeyPatch, width: str
) -> None:
    id_ = ok(announced(two)).json["announcement"]
    monkeypatch.setenv("COLUMNS", width)
    first, *others = ok(two("approvals")).out.splitlines()[1:]
    assert first.startswith(id_)
    assert first.split()[-1] == "office"
    told = " ".join(" ".join(others).split())
    assert told.startswith("by: Mrs Bell why: the school wants two people to agree to such an announcement")
    assert told.endswith("has to agree")
    assert max(map(len, others)) <= int(width)
    assert len(others) <= 4
    why = ok(two("why", id_)).out
    assert why.startswith("announced by Mrs Bell")


def test_whoever_announced_it_is_told_with_it(two: Shell) -> None:
    id_ = ok(announced(two)).json["announcement"]
    status = ok(two("status", id_, "--json")).json
    assert (status["by"], status["on_behalf_of"]) == ("Mrs Bell", None)
    assert status["held"]["code"] == "needs_approval"
    assert "announced by Mrs Bell" in ok(two("status", id_)).out
    why = ok(two("why", id_, "--json")).json
    assert (why["by"], why["on_behalf_of"]) == ("Mrs Bell", None)


def test_a_no_with_its_reason(two: Shell) -> None:
    said = announced(two).json["announcement"]
    assert ok(two("approvals", "reject", said, "--why", "wrong day", *HEAD)).out.startswith(
        "rejected by The Head"
    )
    assert "rejected by The Head" in two("approvals", "show", said).out


def test_an_urgent_one_without_a_second_person_is_listed_until_reviewed(two: Shell) -> None:
    said = ok(announced(two, "--urgent", "--without-approval", "the boiler has failed")).json
    assert said["held"] is None
    [listed] = two("approvals", "--json").json["waiting"]
    assert listed["overridden"]
    assert "the boiler has failed" in listed["why"]
    ok(two("approvals", "review", said["announcement"], "--note", "right to send it", *HEAD))
    assert two("approvals", "--json").json["waiting"] == []


def test_what_is_checked_always_is_refused_whole_with_its_waiver(two: Shell) -> None:
    ok(two("rules", "set", "blast.size", "1", "--why", "the test", *HEAD))
    ran = announced(two, "--urgent", "--without-approval", "the boiler has failed")
    assert (ran.code, ran.error["code"], ran.error["field"]) == (2, "always_checked", "without_approval")
    assert two("approvals", "--json").json["waiting"] == []


def test_the_preview_says_that_it_would_wait(two: Shell) -> None:
    preview = ok(announced(two, "--dry-run")).json
    assert {"hold"} == {each["answer"] for each in preview["verdicts"]}
    assert {"needs_approval"} == {each["code"] for each in preview["verdicts"]}


def test_operators_are_listed_changed_and_taken_away(two: Shell) -> None:
    ok(two("operators", "role", "mrs bell", "--role", "auditor", *HEAD))
    assert two("operators", "--json").json["operators"] == [
        {"name": "Mrs Bell", "roles": ["auditor"], "department": "office"},
        {"name": "The Head", "roles": ["admin", "approver"], "department": None},
    ]
    assert announced(two).error["code"] == "not_allowed"
    ok(two("operators", "remove", "Mrs Bell", *HEAD))
    assert "The Head" in ok(two("operators")).out


BADLY: list[tuple[tuple[str, ...], str]] = [
    (("operators", "add", "X", "--role", "king", *HEAD), "wrong_use"),
    (("operators", "add", "X", *HEAD), "wrong_use"),
    (("operators", "add", "", "--role", "author", *HEAD), "bad_text"),
    (("approvals", "show", "nonsense"), "bad_id"),
    (("approvals", "show", "0198c0de-0000-7000-8000-000000000000"), "not_found"),
    (("approvals", "approve", "0198c0de-0000-7000-8000-000000000000", *HEAD), "not_found"),
    (
        ("approvals", "reject", "0198c0de-0000-7000-8000-000000000000", "--why", "a\x07b", *HEAD),
        "bad_text",
    ),
    (("approvals", "reword", "0198c0de-0000-7000-8000-000000000000", *HEAD), "empty_text"),
    ((*ANNOUNCE, "--without-approval", "hurry", *BELL), "not_urgent"),
    ((*ANNOUNCE, "--copy", "nobody", *BELL), "unknown_copy"),
    (("rules", "set", "approval.needed", "public", "--why", "x", *HEAD), "bad_rule"),
]


def test_what_is_typed_badly_is_one_clear_error(two: Shell) -> None:
    for typed, code in BADLY:
        ran = two(*typed) if "--json" in typed else two(*typed, "--json")
        assert (ran.code, ran.error["code"]) == (2, code), typed


def test_the_doctor_says_when_somebody_is_needed_and_nobody_may(school: Shell) -> None:
    ok(school("rules", "set", "approval.needed", "any/any/any", "--why", "the test", *HEAD))
    assert "nobody is named who may approve" in school("doctor", "--json").out
    ok(school("operators", "add", "The Head", "--role", "approver", *HEAD))
    assert "nobody is named who may approve" not in school("doctor", "--json").out
