"""`carillon templates`: saved, versioned, looked at with a real family's words, and announced."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import create_engine, select

from ledger import tables as t

pytestmark = pytest.mark.runs_on("sqlite")
WORDS = "Dear {guardian}, {pupil} of {class}: rehearsal at {time} in {place}."


@pytest.fixture
def saved(school):
    assert school("templates", "save", "Rehearsal", WORDS, "--department", "music").code == 0
    return school


def a_family(school) -> str:
    """A pupil whose guardian has a mail address."""
    for one in school("groups", "show", "everyone", "--json").json["members"]:
        told = school("people", "show", one["id"], "--json").json
        if any(held["kind"] == "email" for tie in told["guardians"] for held in tie["addresses"]):
            return str(one["id"])
    raise AssertionError


def test_a_new_wording_is_a_new_version_and_the_same_is_none(saved):
    again = saved("templates", "save", "rehearsal", WORDS, "--department", "music", "--json").json
    assert (again["version"], again["gaps"]) == (1, ["time", "place"])
    changed = saved(
        "templates", "save", "Rehearsal", f"{WORDS} Bring {{what}}.", "--department", "music", "--json"
    )
    assert changed.json["version"] == 2
    told = saved("templates", "show", "Rehearsal", "--department", "music", "--version", "1", "--json").json
    assert (told["parts"], told["versions"]) == ({"long": WORDS}, [2, 1])
    listed = saved("templates", "--json").json["templates"]
    assert [(one["name"], one["department"], one["version"]) for one in listed] == [("Rehearsal", "music", 2)]
    assert saved("templates", "--department", "office", "--json").json["templates"] == []
    assert "Rehearsal" in saved("templates").out


def test_a_real_family_reads_its_own_words_before_anything_is_sent(saved):
    pupil = a_family(saved)
    ran = saved(
        *("templates", "preview", "Rehearsal", "--family", pupil, "--department", "music", "--via", "email"),
        *("--fill", "time=15:30", "--fill", "place=the hall", "--json"),
    )
    assert ran.code == 0, ran.out
    mail = ran.json["messages"][0]
    assert "rehearsal at 15:30 in the hall." in mail["fields"]["text"]
    assert "{" not in mail["fields"]["text"]
    assert "•" in mail["to"]
    name = saved("people", "show", pupil, "--json").json["name"].split()[0]
    assert name in mail["fields"]["text"]
    assert saved("templates", "preview", "Rehearsal", "--family", pupil, "--department", "music",
                 "--fill", "time=1", "--fill", "place=x").code == 0  # fmt: skip


def test_it_is_announced_with_its_gaps_filled(saved):
    ran = saved(
        *("announce", "--template", "Rehearsal", "--fill", "time=15:30", "--fill", "place=the hall"),
        *("--to", "Year 7", "--department", "music", "--via", "email", "--dry-run", "--json"),
    )
    assert ran.code == 0, ran.out
    assert "rehearsal at 15:30 in the hall." in ran.json["channels"]["email"]["example"]["text"]


def test_an_own_title_stands_before_the_templates(saved):
    ran = saved(
        *(
            "announce",
            "--template",
            "Rehearsal",
            "--fill",
            "time=1",
            "--fill",
            "place=x",
            "--title",
            "Changed",
        ),
        *("--to", "Year 7", "--department", "music", "--via", "email", "--dry-run", "--json"),
    )
    assert ran.json["channels"]["email"]["example"]["subject"] == "Changed"


REHEARSAL = ("announce", "--template", "Rehearsal", "--to", "Year 7", "--department", "music")


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        ((*REHEARSAL, "--fill", "time=1"), "missing_fill"),
        ((*REHEARSAL, "--fill", "time=1", "--fill", "place=x", "--fill", "tiem=2"), "unknown_fill"),
        (("announce", "--template", "Rehearsal", "--to", "Year 7", "--department", "office"), "unknown_template"),
        (("announce", "x", "--template", "Rehearsal", "--to", "Year 7", "--department", "music"), "text_twice"),
        (("announce", "At {time}", "--to", "Year 7"), "unknown_placeholder"),
        ((*REHEARSAL, "--fill", "time"), "bad_fill"),
        (("templates", "save", " ", "x", "--department", "music"), "bad_name"),
        (("templates", "save", "X", "\u200b", "--department", "music"), "invisible_text"),
        (("templates", "save", "X", "--department", "music"), "empty_text"),
        (("templates", "save", "X", "x", "--department", "cooking"), "unknown_department"),
        (("templates", "show", "Nothing", "--department", "music"), "unknown_template"),
        (("templates", "retire", "Nothing", "--department", "music"), "unknown_template"),
        (("templates", "preview", "Rehearsal", "--department", "music", "--family", "Nobody", "--fill", "time=1",
          "--fill", "place=x"), "unknown_person"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_clear_error(saved, argv, code):
    ran = saved(*argv, "--json")
    assert (ran.code, ran.error["code"]) == (2, code), ran.out
    assert ran.error["hint"] or ran.error["message"]


def test_a_retired_template_is_offered_no_more_and_may_come_back(saved):
    assert saved("templates", "retire", "Rehearsal", "--department", "music").code == 0
    assert saved("templates", "--json").json["templates"] == []
    assert (
        saved("templates", "show", "Rehearsal", "--department", "music", "--json").error["code"]
        == "unknown_template"
    )
    back = saved("templates", "save", "Rehearsal", WORDS, "--department", "music", "--json").json
    assert back["version"] == 2


def test_its_files_go_with_every_announcement_and_one_typed_stands_before_its_own(saved, tmp_path):
    (tmp_path / "form.pdf").write_bytes(b"%PDF-1 the form")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "form.pdf").write_bytes(b"%PDF-1 another form")
    (tmp_path / "map.pdf").write_bytes(b"%PDF-1 the map")
    save = ("templates", "save", "Trip", "{pupil} goes to the museum.", "--attach", "form.pdf")
    made = saved(*save, "--json").json
    assert [file["name"] for file in made["files"]] == ["form.pdf"]
    assert saved(*save, "--json").json["version"] == 1, "the same file is no new version"
    assert "with form.pdf, 15 bytes" in saved("templates", "show", "Trip").out
    assert saved("templates", "preview", "Trip", "--family", a_family(saved), "--via", "email").code == 0
    announce = ("announce", "--template", "Trip", "--to", "Year 7", "--via", "email", "--json")
    for more, expected in (
        ((), {"form.pdf": 15}),
        (("--attach", "map.pdf", "--attach", "new/form.pdf"), {"form.pdf": 19, "map.pdf": 14}),
    ):
        said = saved(*announce, *more)
        assert said.code == 0, said.out
        assert files_of(tmp_path, said.json["announcement"]) == expected
    bare = saved("templates", "save", "Trip", "{pupil} goes to the museum.", "--json").json
    assert (bare["version"], bare["files"]) == (2, []), "a new version has the files that are named with it"
    told = saved("templates", "show", "Trip", "--version", "1", "--json").json
    assert [file["name"] for file in told["files"]] == ["form.pdf"]


def test_two_files_of_one_name_are_one_clear_error(saved, tmp_path):
    (tmp_path / "form.pdf").write_bytes(b"a")
    ran = saved("templates", "save", "Trip", "x", "--attach", "form.pdf", "--attach", "./form.pdf", "--json")
    assert (ran.code, ran.error["code"], ran.error["field"]) == (2, "same_name", "attach")


def files_of(folder: Path, announcement: str) -> dict[str, int]:
    engine = create_engine(f"sqlite:///{folder / 'var' / 'carillon.sqlite3'}")
    link, held, said = t.content_attachment, t.attachment, t.announcement
    query = (
        select(link.c.name, held.c.bytes)
        .join(held, held.c.sha256 == link.c.sha256)
        .join(said, said.c.id == link.c.announcement_id)
        .where(said.c.public_id == UUID(announcement))
    )
    with engine.connect() as connection:
        found = {row.name: len(row.bytes) for row in connection.execute(query)}
    engine.dispose()
    return found
