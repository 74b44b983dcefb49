"""What makes a file no roster: encodings, headers, structure, zips. It is refused whole, with one clear error."""

from __future__ import annotations

import contextlib
import os
import stat
import struct
import zipfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.rosters import LIMITS, RosterRefused, read
from tests.support.rosters import (
    MANIFEST,
    PEOPLE_HEADERS,
    TODAY,
    USERS,
    people_csv,
    reading,
    refused,
    zipped,
)

HEADERS = "id,role,given_name,family_name"
ROW = "p1,pupil,Ann,Lee"
ROSTER = f"{HEADERS}\n{ROW}\n"


def written(tmp_path, content: bytes | str):
    path = tmp_path / "people.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# ---- what a spreadsheet does and loses nothing by


@pytest.mark.parametrize(
    "content",
    [
        ROSTER,
        "\ufeff" + ROSTER,
        ROSTER.replace(",", ";"),
        "\ufeff" + ROSTER.replace(",", ";"),
        ROSTER.replace(",", "\t"),
        ROSTER.replace("\n", "\r\n"),
        ROSTER.replace("\n", "\r"),
        ROSTER.rstrip("\n"),
        f"{HEADERS}\n\n,,,\n{ROW}\n,,,\n\n",
        f"{HEADERS},,\n{ROW},,\n",
        f"{HEADERS},mobile,email\n{ROW}\n",
        "Id,ROLE,Given Name,familyName\n" + ROW,
        '"id","role","given_name","family_name"\n"p1","pupil","Ann","Lee"\n',
        "family_name,given_name,role,id\nLee,Ann,pupil,p1\n",
    ],
)
def test_what_spreadsheets_do_to_a_file_is_tolerated(tmp_path, content):
    roster = reading(written(tmp_path, content))
    assert [(p.source_id, p.given_name, p.family_name) for p in roster.people] == [("p1", "Ann", "Lee")]
    assert roster.problems == ()


def test_a_cell_may_hold_a_line_break_and_rows_count_as_a_spreadsheet_shows_them(tmp_path):
    path = people_csv(tmp_path, 'p1,pupil,"Ann\nMay",Lee', "", "p2,pupil,Bob,Lee,020 7946 0123")
    roster = reading(path)
    assert roster.people[0].given_name == "Ann May"
    assert [(problem.row, problem.code) for problem in roster.problems] == [(4, "landline")]


# ---- encodings


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_refused_with_the_way_out(tmp_path, encoding):
    code, where = refused(written(tmp_path, ROSTER.encode(encoding)))
    assert code in {"utf16", "nul"}
    assert where.startswith("people.csv")


def test_another_encoding_is_refused_and_not_guessed_at(tmp_path):
    assert refused(written(tmp_path, f"{HEADERS}\np1,pupil,Zoë,Lee\n".encode("cp1252"))) == (
        "not_utf8",
        "people.csv",
    )


def test_a_nul_is_refused_with_its_row(tmp_path):
    assert refused(written(tmp_path, f"{HEADERS}\n{ROW}\np2,pupil,B\0b,Lee\n")) == ("nul", "people.csv:3")


# ---- headers and structure


@pytest.mark.parametrize(
    ("code", "where", "content"),
    [
        ("empty_file", "people.csv", ""),
        ("missing_header", "people.csv:1", "\n"),
        ("missing_header", "people.csv:1", "id,role,given_name\np1,pupil,Ann\n"),
        ("missing_header", "people.csv:1", f"{ROW}\n"),
        ("duplicate_header", "people.csv:1", f"{HEADERS},id\n{ROW},x\n"),
        ("duplicate_header", "people.csv:1", f"{HEADERS},Given Name\n{ROW},x\n"),
        ("ragged_row", "people.csv:3", f"{HEADERS}\n{ROW}\np2,pupil,Ann,Lee,Smith\n"),
        ("unterminated_quote", "people.csv:3", f'{HEADERS}\n{ROW}\np2,pupil,"Ann,Lee\np3,pupil,Bob,Lee\n'),
        ("stray_quote", "people.csv:3", f'{HEADERS}\n{ROW}\np2,pupil,"An"n",Lee\n'),
        ("huge_cell", "people.csv:2", f"{HEADERS}\np1,pupil,{'x' * 32_768},Lee\n"),
        ("huge_cell", "people.csv:2", f"{HEADERS}\np1,pupil,{'x' * 200_000},Lee\n"),
        ("huge_cell", "people.csv:2", f"{HEADERS}\np1,pupil,{'x' * 2_000_000},Lee\n"),
        ("huge_cell", "people.csv:2", f'{HEADERS}\np1,pupil,"' + "x\n" * 200_000),
        ("missing_id", "people.csv:3", f"{HEADERS}\n{ROW}\n,pupil,Bob,Lee\n"),
        ("duplicate_id", "people.csv:3", f"{HEADERS}\n{ROW}\np1,pupil,Bob,Lee\n"),
        ("nobody", "people.csv", f"{HEADERS}\n"),
    ],
)
def test_a_fault_of_the_file_refuses_it_whole_and_says_where(tmp_path, code, where, content):
    assert refused(written(tmp_path, content)) == (code, where)


def test_a_file_with_too_many_rows_is_refused(tmp_path):
    path = people_csv(tmp_path, *(f"p{n},pupil,Ann,Lee" for n in range(10)))
    assert refused(path, limits=replace(LIMITS, rows=10)) == ("too_many_rows", "people.csv:11")


def test_a_file_with_too_many_bytes_is_refused_before_it_is_read(tmp_path):
    assert refused(written(tmp_path, ROSTER), limits=replace(LIMITS, file_bytes=20)) == (
        "too_big",
        "people.csv",
    )


@given(st.binary(max_size=300) | st.text(alphabet='ab,;"\n\r\t\0é', max_size=200).map(str.encode))
def test_no_bytes_whatever_cause_anything_but_a_roster_or_a_refusal(tmp_path_factory, content):
    path = written(tmp_path_factory.getbasetemp(), HEADERS.encode() + b"\n" + content)
    with contextlib.suppress(RosterRefused):
        reading(path)


# ---- what is at the path


def test_a_path_where_nothing_is_is_refused(tmp_path):
    assert refused(tmp_path / "gone.csv") == ("not_found", "gone.csv")


def test_a_folder_without_a_roster_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    assert refused(tmp_path)[0] == "no_roster"


def test_a_folder_may_hold_a_people_csv(tmp_path):
    people_csv(tmp_path, ROW)
    assert len(reading(tmp_path).people) == 1


def test_spreadsheets_are_refused_with_the_way_to_save_them(tmp_path):
    xls = tmp_path / "people.xls"
    xls.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100)
    assert refused(xls) == ("spreadsheet", "people.xls")
    xlsx = zipped(tmp_path / "people.xlsx", {"[Content_Types].xml": "<x/>", "xl/workbook.xml": "<x/>"})
    assert refused(xlsx) == ("spreadsheet", "people.xlsx")


def test_a_link_in_a_folder_is_refused(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(ROSTER)
    folder = tmp_path / "drop"
    folder.mkdir()
    (folder / "people.csv").symlink_to(secret)
    assert refused(folder) == ("not_a_file", "people.csv")


def test_a_pipe_is_refused_and_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "people.csv")
    assert refused(tmp_path) == ("not_a_file", "people.csv")
    assert refused(tmp_path / "people.csv") == ("not_a_file", "people.csv")


def test_two_files_that_differ_by_case_are_refused(tmp_path):
    people_csv(tmp_path, ROW)
    (tmp_path / "People.csv").write_text(ROSTER)
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this file system does not tell case apart")
    assert refused(tmp_path)[0] == "duplicate_file"


# ---- zips


def test_a_zip_may_have_one_folder_around_everything_and_the_shadows_of_a_mac(tmp_path):
    entries: dict[str, str | bytes] = {
        "export/": "",
        "export/manifest.csv": MANIFEST,
        "export/Users.csv": f"{USERS}\np1,,,student,Ann,Lee,,,,,,\n",
        "export/inner.zip": b"PK\x03\x04 never opened",
        "__MACOSX/export/._manifest.csv": b"\0\1",
        "__MACOSX/export/manifest.csv": b"\0\1",
        "notes/readme.txt": "hello",
    }
    assert [person.source_id for person in reading(zipped(tmp_path / "a.zip", entries)).people] == ["p1"]


def test_a_people_csv_may_come_in_a_zip(tmp_path):
    assert len(reading(zipped(tmp_path / "a.zip", {"people.csv": ROSTER})).people) == 1


@pytest.mark.parametrize(
    "name", ["../people.csv", "a/../../people.csv", "/people.csv", "..\\people.csv", "C:\\people.csv", "a/.."]
)
def test_a_name_that_leads_out_of_the_zip_is_refused(tmp_path, name):
    assert refused(zipped(tmp_path / "a.zip", {"people.csv": ROSTER, name: "x"})) == ("unsafe_name", "a.zip")


def test_a_link_in_a_zip_is_refused(tmp_path):
    link = zipfile.ZipInfo("people.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert refused(tmp_path / "a.zip") == ("not_a_file", "a.zip")


def test_a_bomb_is_refused_by_its_ratio(tmp_path):
    path = zipped(tmp_path / "a.zip", {"people.csv": HEADERS + "\n" + "," * 5_000_000})
    assert path.stat().st_size < 10_000
    assert refused(path) == ("zip_bomb", "a.zip")


def test_a_bomb_of_many_entries_is_refused_by_their_sum(tmp_path):
    path = zipped(tmp_path / "a.zip", {f"{n}.csv": "x" * 1_000 for n in range(20)})
    assert refused(path, limits=replace(LIMITS, total_bytes=10_000)) == ("zip_bomb", "a.zip")


def test_a_bomb_that_lies_about_its_size_gives_no_more_than_it_declared(tmp_path):
    path = zipped(tmp_path / "a.zip", {"people.csv": ROSTER + "p2,pupil,Bob,Lee\n" * 50})
    content = bytearray(path.read_bytes())
    central = content.index(b"PK\x01\x02")
    struct.pack_into("<L", content, central + 24, len(ROSTER))
    path.write_bytes(content)
    assert refused(path) == ("damaged_zip", "people.csv")


def test_a_zip_of_too_many_entries_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {f"{n}.txt": "" for n in range(30)})
    assert refused(path, limits=replace(LIMITS, entries=20)) == ("too_many_entries", "a.zip")


def test_a_huge_table_of_contents_is_refused_before_it_is_read(tmp_path):
    path = zipped(tmp_path / "a.zip", {f"{'n' * 200}{n}.txt": "" for n in range(30)})
    content = bytearray(path.read_bytes())
    end = content.rindex(b"PK\x05\x06")
    struct.pack_into("<2H", content, end + 8, 1, 1)  # it says that there is one entry
    path.write_bytes(content)
    assert refused(path, limits=replace(LIMITS, directory_bytes=1_000)) == ("too_many_entries", "a.zip")


def test_a_password_is_refused_with_the_way_out(tmp_path):
    path = zipped(tmp_path / "a.zip", {"people.csv": ROSTER})
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)
    assert refused(path) == ("encrypted_zip", "people.csv")


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(tmp_path, compression):
    path = zipped(tmp_path / "a.zip", {"people.csv": ROSTER}, compression)
    assert refused(path) == ("odd_compression", "people.csv")


def test_two_rosters_in_one_zip_are_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a/people.csv": ROSTER, "b/people.csv": ROSTER})
    assert refused(path) == ("two_rosters", "a.zip")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_name_twice_in_a_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("people.csv", ROSTER)
        archive.writestr("people.csv", PEOPLE_HEADERS)
    assert refused(tmp_path / "a.zip") == ("duplicate_file", "people.csv")


def test_a_zip_cut_short_or_with_a_flipped_byte_is_refused(tmp_path):
    whole = zipped(tmp_path / "a.zip", {"people.csv": ROSTER + "p2,pupil,Bob,Lee\n" * 500}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    assert refused(tmp_path / "cut.zip") == ("damaged_zip", "cut.zip")
    flipped = bytearray(whole)
    flipped[60] ^= 0xFF
    (tmp_path / "flipped.zip").write_bytes(flipped)
    assert refused(tmp_path / "flipped.zip")[0] in {"damaged_zip", "not_utf8", "duplicate_id"}


@given(st.data())
def test_no_damage_to_a_zip_causes_anything_but_a_roster_or_a_refusal(tmp_path_factory, data):
    path = zipped(tmp_path_factory.getbasetemp() / "fuzz.zip", {"people.csv": ROSTER, "x/y.txt": "z"})
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with contextlib.suppress(RosterRefused):
        reading(path)


# ---- how far it has come


@pytest.mark.parametrize("packed", [False, True])
def test_whoever_waits_hears_how_far_the_reading_has_come(tmp_path, packed):
    rows = "".join(f"p{n},pupil,Ann,Lee\n" for n in range(5_000))
    path = people_csv(tmp_path, rows.rstrip(), headers=HEADERS)
    if packed:
        path = zipped(tmp_path / "roster.zip", {"people.csv": path.read_bytes()})
    heard: list[float] = []
    roster = read(path, region="GB", today=TODAY, tell=heard.append)
    assert len(roster.people) == 5_000
    assert len(heard) > 5
    assert heard == sorted(heard)
    assert heard[-1] == 1.0


def test_a_million_people_are_no_school(tmp_path):
    path = written(tmp_path, f"{HEADERS}\n{ROW}\n" + "".join(f"x{n},pupil,Ann,Lee\n" for n in range(10)))
    assert refused(path, limits=replace(LIMITS, people=5)) == ("too_many_people", "people.csv:7")


def test_one_csv_goes_by_the_name_that_it_was_given(tmp_path):
    path = written(tmp_path, f"{HEADERS}\n{ROW}\n{ROW}\n").rename(tmp_path / "Year 7.csv")
    assert refused(path) == ("duplicate_id", "Year 7.csv:3")
