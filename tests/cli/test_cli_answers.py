"""`carillon answers` and `carillon bounces`: a mail in at the pipe, and what people then see and do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, create_engine, text

from broker import fanout
from broker.actor import SYSTEM
from broker.incoming.return_path import return_path
from config.assembly import assemble
from config.settings import load
from config.signer import HmacSigner, key_in

pytestmark = pytest.mark.runs_on("sqlite")

POSTFIX = (Path(__file__).parents[1] / "sources" / "mails" / "postfix-unknown.eml").read_bytes()
MAIL = b"From: Mum <mum@home.example>\r\nTo: office@school.example\r\nSubject: Re: coach\r\n\r\n%s\r\n"


@pytest.fixture
def office(school, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CARILLON_ANSWERS__INBOXES__OFFICE__WATCHERS", "Mrs Bell")
    monkeypatch.setenv("CARILLON_ANSWERS__INBOXES__MUSIC__WATCHERS", "Mr Low, Mr High")
    monkeypatch.setenv("CARILLON_ANSWERS__LEAD__WATCHERS", "Ms Safe")
    return school


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path / 'var' / 'carillon.sqlite3'}")
    yield engine
    engine.dispose()


def rows(ledger: Engine, query: str) -> list[Any]:
    with ledger.connect() as connection:
        return list(connection.execute(text(query)).all())


def piped(office, words: bytes, *argv: str):
    ran = office("bounces", "pipe", "--json", *argv, stdin=MAIL % words)
    assert ran.code == 0, ran.out + ran.err
    return ran.json["taken"]


def the_one(office, *argv: str) -> dict[str, Any]:
    [found] = office("answers", "list", "--json", *argv).json["answers"]
    return found


def test_an_answer_is_listed_masked_shown_recorded_and_done(office, ledger):
    assert piped(office, b"Thank you!") == "answer"
    assert piped(office, b"Thank you!") == "known"
    answer = the_one(office)
    assert (answer["inbox"], answer["sender"]) == ("office", "m•••@h•••.example")
    listed = office("answers", "list").out
    assert "mum@" not in listed
    assert "Thank you" not in listed
    shown = office("answers", "show", answer["id"])
    assert "Thank you!" in shown.out
    assert "mum@home.example" in shown.out
    assert office("answers", "done", answer["id"], "--operator", "Mr Ring").code == 0
    assert office("answers", "list", "--json").json["answers"] == []
    assert the_one(office, "--all")["done_by"] == "Mr Ring"
    kept = [
        (row.kind, json.loads(row.body)["actor"]["id"]) for row in rows(ledger, "SELECT * FROM record_entry")
    ]
    assert kept[-3:] == [
        ("answer.recorded", "mail pipe"),
        ("answer.shown", "Mrs Bell"),
        ("answer.done", "Mr Ring"),
    ]


def test_what_may_be_about_harm_is_the_lead_s_until_it_is_released(office):
    piped(office, b"my uncle hits me")
    answer = the_one(office)
    assert (answer["inbox"], answer["sender"]) == ("safeguarding", "")
    refused = office("answers", "show", answer["id"], "--json")
    assert (refused.code, refused.error["code"]) == (2, "for_the_lead")
    assert the_one(office, "--operator", "ms safe")["sender"]
    assert "uncle" in office("answers", "show", answer["id"], "--operator", "Ms Safe").out
    assert (
        office("answers", "release", answer["id"], "--to", "office", "--json").error["code"] == "for_the_lead"
    )
    done = office("answers", "release", answer["id"], "--to", "office", "--operator", "Ms Safe")
    assert done.code == 0
    assert "uncle" in office("answers", "show", answer["id"]).out


def test_the_inboxes_say_who_watches_them_and_how_many_wait(office):
    piped(office, b"Thank you!")
    told = {one["inbox"]: one for one in office("answers", "inboxes", "--json").json["inboxes"]}
    assert told["office"]["open"] == 1
    assert told["music"]["watchers"] == ["Mr Low", "Mr High"]
    assert "Ms Safe" in office("answers", "inboxes").out


def test_a_mail_that_says_unsubscribe_is_an_opt_out_that_the_office_sees(office, ledger):
    mail = b"From: mum@home.example\r\nSubject: unsubscribe\r\n\r\n"
    ran = office("bounces", "pipe", "--json", stdin=mail)
    assert ran.json["taken"] == "opt-out"
    assert [row.channel for row in rows(ledger, "SELECT channel FROM suppression")] == ["email"]
    assert "not answered" in the_one(office)["reply"]


def test_whatever_goes_wrong_at_the_pipe_the_mail_server_keeps_the_mail(office, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("mum@home.example")

    monkeypatch.setattr("cli.bounces.take_piped", broken)
    ran = office("bounces", "pipe", stdin=MAIL % b"Thank you!")
    assert ran.code == 75
    assert "mum@" not in ran.out + ran.err


def test_a_report_at_the_pipe_marks_the_address_it_is_signed_for(office, ledger, monkeypatch, tmp_path):
    path = _sent(office, ledger, tmp_path)
    raw = POSTFIX.replace(b"@RETURN-PATH@", b"bounces@school.example")
    assert office("bounces", "pipe", "--json", stdin=raw).json["taken"] == "unsigned"
    assert rows(ledger, "SELECT * FROM bounced") == []
    # Whom it was for, as Postfix tells a command of an alias.
    monkeypatch.setenv("ORIGINAL_RECIPIENT", path)
    assert office("bounces", "pipe", "--json", stdin=raw).json["taken"] == "bounce"
    assert [row.code for row in rows(ledger, "SELECT code FROM bounced")] == ["5.1.1"]
    assert office("bounces", "pipe", "--json", stdin=raw).json["taken"] == "known"
    doubtful = office("people", "doubtful", "--doubt", "bounced", "--json").json["addresses"]
    assert len(doubtful) == 1
    assert office("people", "confirm", str(doubtful[0]["id"])).code == 0
    assert rows(ledger, "SELECT * FROM bounced") == []


def _sent(office, ledger: Engine, folder: Path) -> str:
    """A mail that has left; returns its return path."""
    said = office("announce", "The coach leaves.", "--to", "everyone", "--via", "email", "--json")
    assert said.code == 0, said.out
    with assemble(load()) as house:
        with ledger.connect() as connection:
            public = connection.execute(text("SELECT public_id FROM announcement")).scalar_one()
        fanout.plan(house.ports, UUID(public), actor=SYSTEM)
    with ledger.begin() as connection:
        delivery = connection.execute(text("SELECT min(id) FROM delivery")).scalar_one()
        connection.execute(
            text("UPDATE delivery SET state = 'sent', fence = 1 WHERE id = :id"), {"id": delivery}
        )
        attempt = connection.execute(
            text(
                "INSERT INTO attempt (delivery_id, fence, account_id, gateway, digest, started_at, evidence)"
                " SELECT id, 1, account_id, 'email', 'd', created_at, 'sent' FROM delivery WHERE id = :id RETURNING id"
            ),
            {"id": delivery},
        ).scalar_one()
    token = HmacSigner(key_in(folder / "var")).sign("attempt", str(attempt))
    return return_path("bounces@school.example", token)


@pytest.mark.parametrize("raw", [b"", b"\x00\xff" * 400_000, b"From: x\r\n" * 50_000])
def test_whatever_comes_through_the_pipe_ends_well(office, raw):
    ran = office("bounces", "pipe", "--recipient", "bounces+1-" + "0" * 32 + "@school.example", stdin=raw)
    assert ran.code == 0
    assert "Traceback" not in ran.err


def test_a_ledger_that_is_away_asks_the_mail_server_to_try_again(office, monkeypatch):
    monkeypatch.setenv("CARILLON_DATABASE_URL", "postgresql://nobody:nothing@127.0.0.1:9/none")
    monkeypatch.setenv("CARILLON_SECRET_KEY", "a-secret-of-the-tests-and-of-nobody-else")
    ran = office("bounces", "pipe", stdin=MAIL % b"Thank you!")
    assert ran.code == 75
    assert "mum" not in ran.out + ran.err


def test_mailboxes_are_read_by_hand(office, monkeypatch, tmp_path):
    box = tmp_path / "box" / "new"
    box.mkdir(parents=True)
    (tmp_path / "box" / "cur").mkdir()
    (box / "1").write_bytes(MAIL % b"Thank you!")
    monkeypatch.setenv("CARILLON_MAILBOXES__BOUNCES__MAILDIR", str(tmp_path / "box"))
    assert office("bounces", "read", "--json").json == {"taken": {"answer": 1}}
    assert "nothing new" in office("bounces", "read").out


def test_a_mail_that_cannot_be_taken_in_is_listed_told_by_the_doctor_and_dealt_with(
    office, monkeypatch, tmp_path
):
    box = tmp_path / "box" / "new"
    box.mkdir(parents=True)
    (tmp_path / "box" / "cur").mkdir()
    (box / "1").write_bytes(MAIL % b"Thank you!")
    monkeypatch.setenv("CARILLON_MAILBOXES__BOUNCES__MAILDIR", str(tmp_path / "box"))

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("mum@home.example")

    monkeypatch.setattr("broker.incoming.mails.take_in", broken)
    read = office("bounces", "read", "--json")
    assert read.json == {"taken": {"set aside": 1}}
    [one] = office("bounces", "aside", "--json").json["aside"]
    assert (one["mailbox"], one["place"]) == ("bounces", "1")
    assert "mum@" not in office("bounces", "aside").out + read.err
    told = office("doctor", "--json").json["findings"]
    assert [each["hint"] for each in told if each["subject"] == "alarm mail_aside"]
    assert office("bounces", "done", str(one["id"]), "--operator", "Mrs Bell").code == 0
    assert office("bounces", "aside", "--json").json["aside"] == []
    assert office("bounces", "done", str(one["id"]), "--json").error["code"] == "not_found"


def test_the_doctor_says_who_watches_an_inbox_and_is_no_operator(office):
    strangers = "is no operator"
    assert not [one for one in findings(office) if strangers in one]
    for name in ("Mrs Bell", "Mr Low", "Mr High"):
        assert office("operators", "add", name, "--role", "author").code == 0
    assert [one for one in findings(office) if strangers in one] == [
        "Ms Safe watches the inbox safeguarding and is no operator"
    ]


def findings(office) -> list[str]:
    return [one["says"] for one in office("doctor", "--json").json["findings"]]


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("answers", "show", "nonsense"), "bad_id"),
        (("answers", "show", "00000000-0000-0000-0000-000000000001"), "not_found"),
        (("answers", "done", "00000000-0000-0000-0000-000000000001"), "not_found"),
        (("answers", "release", "00000000-0000-0000-0000-000000000001", "--to", "nowhere"), "unknown_inbox"),
        (("answers", "list", "--limit", "0"), "wrong_use"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_error(office, argv, code):
    ran = office(*argv, "--json")
    assert (ran.code, ran.error["code"]) == (2, code)
