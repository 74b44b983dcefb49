"""`carillon licence` as an office meets it: listed, shown, filled in, renewed, exported, and told to parents."""

from __future__ import annotations

import json
import os
import pty
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.support.licences import LONG_AGO, SOON, TODAY, form

pytestmark = pytest.mark.runs_on("sqlite")
School = Callable[..., Any]
DAY = (TODAY + timedelta(days=200)).isoformat()


@pytest.fixture
def real(school: School, monkeypatch: pytest.MonkeyPatch) -> School:
    """The same school where something real could leave, with nothing settled yet."""
    school("accounts")
    with_ledger(Path("var/carillon.sqlite3"), "DELETE FROM licence", "DELETE FROM licence_version")
    monkeypatch.setenv("CARILLON_SANDBOX", "false")
    monkeypatch.delenv("CARILLON_ACCOUNTS__SMS__API_BASE_URL")
    return school


def with_ledger(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def filled(path: str = "sms.json") -> str:
    Path(path).write_text(json.dumps(form()), encoding="utf-8")
    return path


def test_a_sandbox_school_has_licences_that_say_so(school: School) -> None:
    told = school("licence", "--json").json["licences"]
    assert [(each["account"], each["may_speak"], each["specimen"]) for each in told] == [
        ("mail", True, True),
        ("sms", True, True),
    ]
    assert "from the sandbox" in school("licence").out


def test_a_school_that_settled_nothing_is_told_how_to_begin_and_nothing_is_kept(real: School) -> None:
    ran = real("announce", "Hello", "--to", "Choir", "--via", "sms", "--json")
    assert ran.code == 2
    assert (ran.error["code"], ran.error["field"]) == ("unlicensed", "via")
    assert "carillon licence start sms" in ran.error["hint"]
    assert real("status").out == "nothing has been announced yet\n"
    shown = real("licence", "show", "sms")
    assert "sms may not speak" in shown.out
    assert "carillon licence start sms" in shown.err
    assert "no policy for it is on record" in shown.out


def test_a_form_is_written_filled_in_set_and_exported_again(real: School) -> None:
    assert real("licence", "start", "sms", "--form", "empty.toml").code == 0
    empty = Path("empty.toml").read_text()
    assert "the document's name" in empty
    assert real("licence", "set", "sms", "empty.toml", "--json").json["may_speak"] is False
    ran = real("licence", "set", "sms", filled())
    assert f"sms may speak until the end of {SOON}" in ran.out
    assert real("licence", "export", "sms", "--to", "sms.toml").code == 0
    again = real("licence", "set", "sms", "sms.toml", "--json").json
    assert (again["may_speak"], again["version"]) == (True, 2)
    exported = real("licence", "export", "sms", "--json").json
    assert exported["policy"]["title"] == "Texts to families"
    assert real("announce", "Hello", "--to", "Choir", "--via", "sms", "--json").code == 0


def test_what_lapses_is_renewed_in_one_line(real: School) -> None:
    real("licence", "set", "sms", filled())
    before = datetime.now(UTC).date()
    ran = real(
        "licence", "renew", "sms", "--policy", DAY, "--version", "4", "--liability", DAY,
        "--technology", DAY, "--trained", f"Anna Bell={DAY}", "--trained", f"ken ito={DAY}", "--json",
    )  # fmt: skip
    assert ran.code == 0
    told = real("licence", "export", "sms", "--json").json
    assert (told["policy"]["review"], told["policy"]["version"]) == (DAY, "4")
    assert told["policy"]["adopted"] in (str(before), str(datetime.now(UTC).date()))
    assert {owner["valid_until"] for owner in told["safe_use"]["owners"]} == {DAY}
    assert told["liability"]["assessed"] != LONG_AGO


@pytest.mark.parametrize(
    ("words", "code", "field"),
    [
        (("renew", "sms"), "nothing_to_renew", "policy"),
        (("renew", "sms", "--policy", "soon"), "not_a_day", "policy.review"),
        (("renew", "sms", "--policy", "2099-01-01"), "too_far", "policy.review"),
        (("renew", "sms", "--policy", "2020-01-01"), "wrong_way_round", "policy.review"),
        (("renew", "sms", "--trained", "Anna Bell"), "bad_trained", "trained"),
        (("renew", "sms", "--trained", f"Nobody={DAY}"), "no_such_owner", "owner"),
        (("renew", "pigeons", "--policy", DAY), "not_found", "account"),
        (("show", "pigeons"), "not_found", "account"),
        (("show", "a\nb"), "bad_text", "account"),
        (("set", "sms", "nowhere.toml"), "no_file", "text"),
        (("set", "sms", "torn.toml"), "not_a_form", "form"),
        (("set", "sms", "deep.json"), "not_a_form", "form"),
        (("set", "sms", "huge.json"), "too_large", "text"),
        (("set", "sms", "list.json"), "not_a_form", "form"),
        (("letter", "pigeons"), "not_found", "account"),
        (("start", "sms"), "nobody_to_ask", "account"),
        (("start", "sms", "--form", "no/such/folder/form.toml"), "cannot_write", "path"),
    ],
)
def test_each_wrong_word_is_one_clear_error_and_nothing_changes(
    school: School, words: tuple[str, ...], code: str, field: str
) -> None:
    Path("torn.toml").write_text('[policy]\ntitle = "half', encoding="utf-8")
    Path("deep.json").write_text("{" + '"a": {' * 5_000, encoding="utf-8")
    Path("huge.json").write_text(" " * 300_000, encoding="utf-8")
    Path("list.json").write_text("[1, 2]", encoding="utf-8")
    before = school("licence", "--json").json
    ran = school("licence", *words, "--json")
    assert ran.code == 2
    assert (ran.error["code"], ran.error["field"]) == (code, field)
    assert school("licence", "--json").json == before


class Reads(HTMLParser):
    """The words of a page, and the tags that they stand in."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_letter_tells_parents_what_was_settled_and_leaves_out_who_may_not_speak(real: School) -> None:
    real("licence", "set", "sms", filled())
    ran = real("licence", "letter")
    for said in (
        "Nobody is worse off",
        "a wrong number: asked each term",
        "“Texts to families”, version 3",
        "Anna Bell (head) and Ken Ito (network manager)",
        "text messages to mobile numbers",
    ):
        assert said in " ".join(ran.out.split()), said
    assert "mail is left out" in ran.err
    real("licence", "letter", "sms", "--html", "letter.html", "--to", "letter.txt")
    page = Reads()
    page.feed(Path("letter.html").read_text())
    assert {"h1", "h2", "ul", "main"} <= page.tags
    assert "script" not in page.tags
    assert Path("letter.txt").read_text() == ran.out
    assert "a wrong number: asked each term" in page.words


def test_a_licence_with_markup_in_it_is_plain_text_in_the_letter(real: School) -> None:
    odd = form(policy={"title": "<script>alert(1)</script>"})
    Path("odd.json").write_text(json.dumps(odd))
    real("licence", "set", "sms", "odd.json")
    real("licence", "letter", "sms", "--html", "letter.html")
    page = Path("letter.html").read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_licence_is_printed_with_every_line_of_it_and_what_does_not_hold(real: School) -> None:
    real("licence", "set", "sms", filled())
    for account, told in (
        (
            "sms",
            ("The account sms (sms) may speak until", "Safe use: holds until", "name: Anna Bell; post: head"),
        ),
        ("mail", ("may not speak", "Policy: does not hold", "no policy for it is on record")),
    ):
        assert real("licence", "show", account, "--html", f"{account}.html").code == 0
        page = Reads()
        page.feed(Path(f"{account}.html").read_text())
        words = " ".join(page.words)
        assert all(said in words for said in told), words


def test_a_letter_without_any_licence_is_not_written(real: School) -> None:
    ran = real("licence", "letter", "--json")
    assert (ran.code, ran.error["code"]) == (2, "no_licence")


def test_the_walk_asks_for_each_line_and_keeps_each_angle(real: School, tmp_path: Path) -> None:
    """On a real terminal, with somebody who mistypes a day."""
    answers = [
        "Texts to families", "3", LONG_AGO, "whenever", "", "",  # a day that is none: the angle is asked again
        "Texts to families", "3", LONG_AGO, SOON, "", "",
        "Governors", LONG_AGO, SOON, "a wrong number", "asked each term", "n", "", "",
        "Anna Bell", "head", LONG_AGO, SOON, "y", "", "y", "Ken Ito", "IT", LONG_AGO, SOON, "n", "", "n",
        "Ken Ito", LONG_AGO, SOON, "the safe",
    ]  # fmt: skip
    command = [sys.executable, "-m", "cli.app", "licence", "start", "sms"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=tmp_path,
    ) as walk:
        os.close(theirs)
        os.write(ours, "".join(f"{answer}\n" for answer in answers).encode())
        out, _ = walk.communicate(timeout=60)
    os.close(ours)
    told = out.decode()
    assert walk.returncode == 0, told
    assert "must be a day" in told
    assert "sms may speak until the end of" in told


def test_the_doctor_says_which_account_may_not_speak_and_what_to_do(real: School) -> None:
    told = real("doctor").out
    assert "licence sms" in told
    assert "carillon licence start sms" in " ".join(told.split())
    real("licence", "set", "sms", filled())
    assert "licence sms" not in real("doctor").out


def test_what_was_found_on_an_account_is_listed_and_seen(school: School) -> None:
    school("accounts")
    now = "2026-11-02 09:00:00.000000"
    with_ledger(
        Path("var/carillon.sqlite3"),
        "INSERT INTO found_post (account_id, provider_id, text, posted_at, found_at, why_not)"
        f" SELECT id, '20', 'Has anybody seen a trombone?', '{now}', '{now}', '' FROM account WHERE name = 'sms'",
        "INSERT INTO alarm (kind, subject, message, raised_at)"
        f" VALUES ('found_post', 'sms', 'something was posted', '{now}')",
    )
    assert school("accounts", "posts", "mail").out == "there are none\n"
    assert "trombone" in school("accounts", "posts").out
    (one,) = school("accounts", "posts", "sms", "--json").json["posts"]
    assert (one["account"], one["provider_id"]) == ("sms", "20")
    assert "alarm found_post" in school("doctor").out
    assert school("accounts", "posts", "sms", "--seen").out == "sms: seen\n"
    assert "alarm found_post" not in school("doctor").out
    assert school("accounts", "posts", "pigeons", "--seen", "--json").error["code"] == "not_found"
