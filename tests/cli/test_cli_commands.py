"""What the commands answer, on a real ledger; sending is tried in test_cli_demo and test_cli_up."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.main import get_command

from broker import accounts, fanout
from broker.actor import SYSTEM
from cli.app import app
from config.assembly import assemble
from config.settings import load
from ledger import record
from sandbox.sample_school import write_sample_school

pytestmark = pytest.mark.runs_on("sqlite")

ANNOUNCE = ("announce", "Rehearsal for {pupil} at 15:30", "--to", "Choir")
NUMBER = re.compile(r"\+?\d{10,}")


def planned(school, *argv: str) -> str:
    """An accepted announcement whose deliveries are planned and wait, for no worker is there."""
    accepted = str(school(*ANNOUNCE, "--json", *argv).json["announcement"])
    with assemble(load()) as house:
        assert fanout.plan(house.ports, UUID(accepted), actor=SYSTEM)
    return accepted


def test_an_import_shows_the_difference_first_and_changes_nothing_in_a_dry_run(shell, tmp_path):
    write_sample_school(tmp_path / "school", pupils=30)
    looked = shell("people", "import", "school", "--dry-run")
    assert looked.code == 0
    assert "nothing was changed" in looked.out
    done = shell("people", "import", "school", "--yes", "--json")
    assert done.json["applied"]
    assert done.json["people"]["new"] > 60
    assert [sorted(problem) for problem in done.json["problems"]] == [
        ["code", "column", "file", "message", "row"]
    ] * len(done.json["problems"])
    again = shell("people", "import", "school", "--yes", "--json")
    assert not again.json["applied"]
    assert again.json["people"]["unchanged"] == done.json["people"]["new"]


def test_half_a_school_leaves_only_when_somebody_types_how_many(school, tmp_path):
    (tmp_path / "people.csv").write_text("id,role,given_name,family_name\n1,pupil,Ann,Bell\n")
    refused = school("people", "import", "people.csv", "--yes", "--json")
    assert (refused.code, refused.error["code"]) == (2, "many_leaving")
    leaving = re.search(r"\d+", refused.error["message"])
    assert leaving is not None
    wrong = school("people", "import", "people.csv", "--yes", "--expect-leaving", "1", "--json")
    assert wrong.error["code"] == "many_leaving"
    right = school("people", "import", "people.csv", "--yes", "--expect-leaving", leaving[0], "--json")
    assert right.json["applied"]


def test_an_announcement_is_accepted_with_its_wall_time_in_the_schools_zone(school):
    ran = school(*ANNOUNCE, "--at", "2027-07-01 08:15", "--expires", "2027-07-01 16:00", "--json")
    assert ran.code == 0
    assert ran.json["due_at"] == "2027-07-01T07:15:00+00:00"
    assert ran.json["expires_at"] == "2027-07-01T15:00:00+00:00"
    elsewhere = school(*ANNOUNCE, "--at", "2027-07-01 08:15", "--zone", "Europe/Paris", "--json")
    assert elsewhere.json["due_at"] == "2027-07-01T06:15:00+00:00"


def test_a_message_can_come_from_standard_input_or_a_file(school, tmp_path):
    (tmp_path / "letter.md").write_text("\ufeff**Dear all**", encoding="utf-8")
    assert school("announce", "-", "--to", "Choir", "--json", stdin="Grüße\n".encode()).code == 0
    assert school("announce", "--file", "letter.md", "--to", "Choir", "--json").code == 0


def test_a_dry_run_shows_the_rendering_the_reach_and_the_verdicts_and_keeps_nothing(school):
    entries = school("audit", "verify", "--json").json["entries"]
    ran = school(*ANNOUNCE, "--dry-run", "--json")
    assert ran.code == 0
    told = ran.json
    assert set(told["channels"]) == {"sms", "email"}
    text = told["channels"]["sms"]
    assert "Rehearsal for Ada, Chidi, Ngozi and Zoë at 15:30" in text["example"]["body"]
    assert text["segments"] == 1
    assert text["verdict"] == "The rules allow it."
    assert text["reach"]["addresses"] > 0
    assert "subject" in told["channels"]["email"]["example"]
    assert not NUMBER.search(ran.out.replace(told["due_at"], "").replace(told["expires_at"], ""))
    assert school("audit", "verify", "--json").json["entries"] == entries
    assert school("status", "--json").json == {"announcements": []}


def test_a_dry_run_names_who_is_not_reached_and_why(school):
    ran = school("announce", "hi", "--to", "Year 7", "--dry-run")
    assert ran.code == 0
    assert "no mobile number on file" in ran.out
    assert "nothing was kept" in ran.err


def verdicts_of(school: Any, *more: str) -> Any:
    told = school(*ANNOUNCE, *more, "--dry-run", "--json").json
    return told, {each["channel"]: each for each in told["verdicts"]}


def test_a_dry_run_tells_each_way_that_it_would_wait_and_what_for(school):
    told, each = verdicts_of(school)
    assert told["held"] is None
    assert set(each["sms"]) == {"channel", "account", "answer", "code", "why", "until", "besides", "evidence"}
    assert {one["answer"] for one in each.values()} == {"allow"}
    school("rules", "set", "undo.window", "2 min", "--why", "a test")
    told, each = verdicts_of(school)
    assert told["held"]["code"] == "undo_window"
    assert {(one["answer"], one["code"], one["until"]) for one in each.values()} == {
        ("hold", "undo_window", told["held"]["until"])
    }
    school("rules", "set", "approval.needed", "sms/any/any", "--why", "a test")
    told, each = verdicts_of(school, "--operator", "Mrs Bell")
    assert told["held"]["code"] == "needs_approval"
    assert [one["code"] for one in told["held"]["besides"]] == ["undo_window"]
    assert each["email"]["code"] == "needs_approval"  # a text needs it, and the mail waits with it
    assert each["email"]["answer"] == "hold"
    said = school(*ANNOUNCE, "--dry-run", "--operator", "Mrs Bell").out
    assert said.count("besides: it can still be taken back") == 2


def test_a_dry_run_asks_for_the_same_role_as_announcing(school):
    assert school("operators", "add", "The Head", "--role", "admin", "--operator", "The Head").code == 0
    ran = school(*ANNOUNCE, "--dry-run", "--json", "--operator", "Mr Hook")
    assert ran.json["error"]["code"] == "not_allowed"
    assert school("operators", "add", "Mr Hook", "--role", "author", "--operator", "The Head").code == 0
    assert school(*ANNOUNCE, "--dry-run", "--json", "--operator", "Mr Hook").code == 0


def test_a_dry_run_tells_that_an_account_is_paused(school):
    school("accounts", "pause", "sms", "--why", "too dear")
    verdict = school(*ANNOUNCE, "--dry-run", "--json").json["channels"]["sms"]["verdict"]
    assert verdict == "It would wait: the account it would go by is paused."


def test_a_planned_announcement_is_followed_listed_and_withdrawn(school):
    public_id = planned(school)
    told = school("status", public_id, "--json").json
    assert not told["settled"]
    waiting = told["channels"]["sms"]["states"]["queued"]
    assert told["channels"]["sms"]["deliveries"] == waiting > 1
    assert told["duties"]["open"] > 0
    page = school("deliveries", "--announcement", public_id, "--limit", "1", "--json").json
    [first] = page["deliveries"]
    assert first["announcement"] == public_id
    assert "•••" in first["address"]
    following = school("deliveries", "--limit", "1", "--before", str(page["next"]), "--json").json
    assert following["deliveries"][0]["id"] < first["id"]
    assert school("deliveries", "--failed", "--json").json == {"deliveries": [], "next": None}
    withdrawn = school("withdraw", public_id, "--json")
    assert withdrawn.json["withdrawn"] >= waiting
    assert school("withdraw", public_id, "--json").json["withdrawn"] == 0
    after = school("status", public_id, "--who", "--json").json
    assert after["stage"] == "withdrawn"
    assert after["settled"]
    assert {who["state"] for who in after["who"]} == {"lapsed"}


def test_what_cannot_be_requeued_or_settled_says_so(school):
    public_id = planned(school)
    number = str(school("deliveries", "--json").json["deliveries"][0]["id"])
    assert school("requeue", number, "--json").error["code"] == "illegal_transition"
    assert school("settle", number, "--json").error["code"] == "illegal_transition"
    in_state(Path("var/carillon.sqlite3"), number, "uncertain")
    settled = school("settle", number, "--why", "it came", "--json")
    assert (settled.code, settled.json["settled_by"]) == (0, "Mrs Bell")
    requeued = school("requeue", number, "--why", "it did not", "--json")
    assert (requeued.code, requeued.json["state"]) == (0, "queued")
    in_state(Path("var/carillon.sqlite3"), number, "rejected")
    school("withdraw", public_id)
    assert school("requeue", number, "--json").error["code"] == "announcement_over"


def in_state(ledger: Path, delivery: str, state: str) -> None:
    with closing(sqlite3.connect(ledger)) as connection, connection:
        connection.execute("UPDATE delivery SET state = ? WHERE id = ?", (state, delivery))
    connection.close()


def test_accounts_are_listed_paused_and_resumed(school):
    assert {a["account"] for a in school("accounts", "--json").json["accounts"]} == {"sms", "mail"}
    assert school("accounts", "pause", "mail", "--why", "moving house").code == 0
    assert "moving house" in school("accounts").out
    assert school("accounts", "resume", "mail", "--json").json == {"account": "mail", "paused": False}


def test_what_a_command_writes_is_sealed_when_it_ends(school):
    school(*ANNOUNCE)
    told = school("audit", "verify", "--json")
    assert told.code == 0
    assert {"ok", "entries", "unsealed", "head", "first_fault", "faults"} <= set(told.json)
    assert told.json["ok"]
    assert told.json["unsealed"] == 0


def test_a_changed_record_does_not_verify(school):
    school(*ANNOUNCE)
    with closing(sqlite3.connect("var/carillon.sqlite3")) as connection, connection:
        connection.execute("DROP TRIGGER record_entry_update")
        connection.execute("UPDATE record_entry SET body = replace(body, 'Mrs Bell', 'Mr Hook')")
    connection.close()
    told = school("audit", "verify", "--json")
    assert told.code == 1
    assert not told.json["ok"]
    assert "changed" in told.json["first_fault"]


def test_the_record_names_the_operator(school):
    school(*ANNOUNCE, "--operator", "Mr Hook")
    with closing(sqlite3.connect("var/carillon.sqlite3")) as connection, connection:
        rows = connection.execute(
            "SELECT body FROM record_entry WHERE kind = 'announcement.accepted'"
        ).fetchall()
    connection.close()
    assert b'"id":"Mr Hook","kind":"person"' in bytes(rows[0][0])


def test_looking_makes_no_ledger(shell, tmp_path):
    for argv in (("status",), ("deliveries",), ("accounts",), ("audit", "verify"), (*ANNOUNCE, "--dry-run")):
        assert shell(*argv, "--json").error["code"] == "no_ledger"
    assert not (tmp_path / "var").exists()


def test_a_ledger_is_made_for_its_owner_alone_and_upgraded_safely(shell, tmp_path):
    assert shell("db", "upgrade", "--json").json == shell("db", "upgrade", "--json").json
    assert (tmp_path / "var" / "carillon.sqlite3").stat().st_mode & 0o077 == 0


def test_the_doctor_exits_1_when_something_is_broken(school):
    well = school("doctor", "--json")
    assert (well.code, well.json["ok"]) == (0, True)
    Path("var/secret.key").chmod(0o644)
    broken = school("doctor", "--json")
    assert (broken.code, broken.json["ok"]) == (1, False)


def test_an_unforeseen_fault_is_one_sentence_and_a_place_to_look(school, monkeypatch):
    def broken(_connection: Any, **_more: Any) -> Any:
        raise RuntimeError("secret words")

    monkeypatch.setattr(record, "verify", broken)
    ran = school("audit", "verify", "--json")
    assert ran.code == 70
    assert set(ran.error) == {"code", "field", "message", "hint"}
    assert "Traceback" not in ran.out + ran.err
    log = Path(ran.error["hint"].split(": ")[1])
    assert "RuntimeError" in log.read_text()
    assert "secret words" not in log.read_text() + ran.out + ran.err
    monkeypatch.setenv("CARILLON_DEBUG", "1")
    assert "secret words" in school("audit", "verify").err


def test_the_same_commands_work_on_postgresql(shell, postgres_url, tmp_path, monkeypatch):
    monkeypatch.setenv("CARILLON_DATABASE_URL", postgres_url)
    monkeypatch.setenv("CARILLON_SECRET_KEY", "k" * 40)
    write_sample_school(tmp_path / "school", pupils=30)
    assert shell("people", "import", "school", "--yes", "--json").error["hint"] == "run: carillon db upgrade"
    assert shell("db", "upgrade", "--json").code == 0
    assert shell("people", "import", "school", "--yes", "--json").json["applied"]
    assert shell(*ANNOUNCE, "--dry-run", "--json").code == 0
    public_id = planned(shell)
    assert not shell("status", public_id, "--who", "--json").json["settled"]
    assert shell("withdraw", public_id, "--json").json["withdrawn"] > 1
    assert shell("audit", "verify", "--json").json["unsealed"] == 0


def test_an_alarm_is_seen_by_the_doctor(school):
    with assemble(load()) as house:
        accounts.pause(house.ports, "sms", "its rule failed", actor=SYSTEM, alarm="policy_failed")
    assert "its rule failed" in school("doctor").out
    assert school("accounts", "resume", "sms").code == 0
    assert "its rule failed" not in school("doctor").out


def test_an_answer_survives_a_terminal_that_cannot_show_it(school):
    school("announce", "hi", "--to", "Year 7", "--json")
    ran = subprocess.run(
        [sys.executable, "-m", "cli.app", "announce", "“Grüße” an {pupil}", "--to", "Choir", "--dry-run"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONIOENCODING": "ascii"},
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr


def commands(group: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *path, name)
        else:
            yield (*path, name), command


EVERY = list(commands(get_command(app)))


@pytest.mark.parametrize(("path", "command"), EVERY, ids=[" ".join(path) for path, _ in EVERY])
def test_every_command_has_json_an_example_and_words_for_every_option(path, command, shell):
    options = {option for parameter in command.params for option in parameter.opts}
    assert "--json" in options
    assert all(option == option.lower() for option in options if option.startswith("--"))
    assert f"carillon {' '.join(path)}" in command.help
    assert all(getattr(parameter, "help", None) for parameter in command.params)
    assert shell(*path, "--help").code == 0


def test_the_page_of_the_command_names_every_command():
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    for path, _ in EVERY:
        assert f"`carillon {' '.join(path)}" in page
