"""`carillon audit`: checked, searched, handed out."""

from __future__ import annotations

import json
import re
import shlex
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "record.md").read_text(encoding="utf-8")
ANNOUNCE = ("announce", "Rehearsal at 15:30", "--to", "Choir", "--via", "sms")


def test_a_verified_record_tells_of_its_rows_and_heads(school):
    said = school(*ANNOUNCE, "--json").json["announcement"]
    assert said
    told = school("audit", "verify", "--json").json
    assert told["ok"]
    assert told["faults"] == []
    assert told["seals"] > 0
    assert "stand as the record says" in school("audit", "verify").out


def test_a_head_kept_elsewhere_shows_a_record_that_was_cut_off(school, tmp_path):
    line = school("audit", "head").out
    Path("heads.txt").write_text(line)
    school(*ANNOUNCE)
    later = school("audit", "head", "--json").json["head"]
    assert school("audit", "verify", "--head", "heads.txt", "--head", later, "--json").json["heads"] == 2
    with closing(sqlite3.connect("var/carillon.sqlite3")) as connection, connection:
        connection.executescript("DROP TRIGGER record_seal_delete; DROP TRIGGER record_entry_delete;")
        last = connection.execute("SELECT number, first_mark FROM record_seal ORDER BY 1 DESC").fetchone()
        connection.execute("DELETE FROM record_seal WHERE number = ?", last[:1])
        connection.execute("DELETE FROM record_entry WHERE mark >= ?", last[1:])
        connection.execute("DELETE FROM content")
    connection.close()
    assert school("audit", "verify", "--head", "heads.txt", "--seals-only").code == 0
    ran = school("audit", "verify", "--head", later, "--seals-only", "--json")
    assert ran.code == 1
    assert "cut off" in ran.json["faults"][0]["what"]


def test_what_is_no_head_is_refused(school):
    Path("empty.txt").write_text("nothing of the kind")
    for given in ("empty.txt", "abcdef", "gone.txt"):
        ran = school("audit", "verify", "--head", given, "--json")
        assert ran.code == 2
        assert ran.error["hint"]


def test_the_record_is_searched_by_kind_actor_time_and_announcement(school):
    said = school(*ANNOUNCE, "--operator", "Mr Hook", "--json").json["announcement"]
    found = school("audit", "search", "--actor", "Mr Hook", "--json").json["entries"]
    assert "announcement.accepted" in {entry["kind"] for entry in found}
    assert {entry["actor"]["id"] for entry in found} == {"Mr Hook"}
    about = school(
        "audit", "search", "--announcement", said, "--kind", "announcement.accepted", "--json"
    ).json
    assert [entry["announcement"] for entry in about["entries"]] == [said]
    assert school("audit", "search", "--until", "2001-01-01 00:00", "--json").json["entries"] == []
    assert school("audit", "search", "--since", "2001-01-01 00:00", "--kind", "people", "--json").code == 0


def test_a_search_goes_page_by_page_to_the_beginning(school):
    for _ in range(3):
        school("accounts", "pause", "sms", "--why", "a test")
        school("accounts", "resume", "sms")
    seen: list[int] = []
    before: tuple[str, ...] = ()
    while True:
        page = school("audit", "search", "--kind", "account", "--limit", "2", *before, "--json").json
        seen += [entry["id"] for entry in page["entries"]]
        if page["next"] is None:
            break
        before = ("--before", str(page["next"]))
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 6


def test_looking_for_a_person_wants_a_name_and_is_recorded(school):
    who = pupil(school)
    assert school("audit", "search", "--person", who, "--json").code == 0
    [entry] = school("audit", "search", "--kind", "record.searched", "--json").json["entries"]
    assert entry["actor"]["kind"] == "person"


def pupil(school) -> str:
    with closing(sqlite3.connect("var/carillon.sqlite3")) as connection, connection:
        [found] = connection.execute("SELECT source_id FROM person WHERE is_pupil LIMIT 1").fetchone()
    connection.close()
    return str(found)


def test_what_somebody_typed_is_masked_where_it_looks_like_an_address(school):
    school("accounts", "pause", "sms", "--why", "ring 07911 123456 or ann.lee@example.org")
    [entry] = school("audit", "search", "--kind", "account.paused", "--json").json["entries"]
    assert "07911" not in json.dumps(entry)
    assert "ann.lee" not in json.dumps(entry)


@pytest.mark.parametrize(
    "argv",
    [
        ("--announcement", "nonsense"),
        ("--announcement", "0193a000-0000-7000-8000-000000000000"),
        ("--delivery", "minus"),
        ("--person", "Nobody At All"),
        ("--since", "some day"),
        ("--limit", "9999"),
        ("--kind", "x\u0000y"),
    ],
)
def test_a_search_for_nonsense_is_refused_in_one_shape(school, argv):
    ran = school("audit", "search", *argv, "--json")
    assert ran.code == 2
    assert set(ran.error) == {"code", "field", "message", "hint"}


def test_the_bundle_is_checked_by_its_own_script_and_its_writing_is_recorded(school, tmp_path):
    school(*ANNOUNCE)
    told = school("audit", "export", "record.zip", "--json").json
    with zipfile.ZipFile("record.zip") as archive:
        archive.extractall("bundle")
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "bundle/verify.py", told["head"]],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert (ran.returncode, ran.stdout[:3]) == (0, "OK:")
    [entry] = school("audit", "search", "--kind", "record.exported", "--json").json["entries"]
    assert entry["facts"]["sha256"] == told["sha256"]
    assert school("audit", "export", "record.zip", "--json").error["code"] == "file_exists"
    assert school("audit", "verify", "--json").json["heads"] == 1, (
        "the ledger remembers the head it gave away"
    )


def test_the_head_on_a_printed_sheet_verifies_and_the_ledger_remembers_it(school):
    before = school("audit", "verify", "--json").json["heads"]
    assert school("reach", "--to", "Choir", "--via", "sms").code == 0
    assert school("audit", "verify", "--json").json["heads"] == before, "nothing was printed"
    assert school("reach", "--to", "Choir", "--via", "sms", "--slips", "slips.html").code == 0
    assert school("audit", "verify", "--json").json["heads"] == before + 1
    assert school("audit", "verify", "--head", "slips.html", "--json").json["ok"]


def test_the_auditors_page_is_walked_command_by_command(school):
    """With no Carillon from the export on: the bundle's own script, by a Python that sees nothing of ours."""
    school(*ANNOUNCE)
    head = school("audit", "head", "--json").json["head"]
    Path("heads.txt").write_text(school("audit", "head").out)
    known = {"3f2a91bc…": head, "4711": "1", "Ann Lee": pupil(school)}
    walked = [
        [known.get(word, word) for word in shlex.split(line)]
        for line in re.findall(r"`carillon (audit [^`>]+)`", PAGE)
        if line != "audit export record.zip"
    ]
    assert len(walked) >= 8
    for argv in walked:
        ran = school(*argv)
        assert ran.code == 0 or argv == ["audit", "search", "--delivery", "1"], (argv, ran.err)
    assert school("audit", "export", "record.zip").code == 0
    with zipfile.ZipFile("record.zip") as archive:
        archive.extractall("out")
    script = [sys.executable, "-I", "-S", "verify.py"]
    for held, code in ((head, 0), ("0" * 64, 1)):
        ran = subprocess.run([*script, held], cwd="out", capture_output=True, check=False, timeout=20)
        assert ran.returncode == code, ran.stderr
