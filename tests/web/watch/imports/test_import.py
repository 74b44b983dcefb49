"""An import by page: chosen, read, looked at by name and number, and taken in all at once, or thrown away."""

from __future__ import annotations

import io
import re
import time
import zipfile
from datetime import date

import httpx2
import pytest
from sqlalchemy import func, select

from broker.actor import SYSTEM, Actor, ActorKind
from broker.authority import operators
from broker.ports.approvals import OperatorRole
from broker.privacy import erasure
from broker.rosters.imports import look
from config.import_kinds import read_one
from ledger import tables as t
from tests.support.watching import Serve, Watched

HEAD = "id,role,given_name,family_name,mobile,email,year,form,groups,guardian_of\n"
ANN = "P1,pupil,Ann,Lee,,,7,7B,Choir,\n"
BOB = "P2,pupil,Bob,Lee,,,9,9A,,\n"
MARY = "G1,guardian,Mary,Lee,07911 123456,mary@example.org,,,,P1;P2\n"
SCHOOL = HEAD + MARY + ANN + BOB
DRUM = Actor(ActorKind.PERSON, "Mrs Drum")


@pytest.fixture
def school(serve: Serve) -> Watched:
    here = serve(CARILLON_DEPARTMENTS="office,music")
    here.sign_in()
    return here


def token(here: Watched) -> str:
    return re.findall(r'name="token" value="([0-9a-f]+)"', here.get("/watch/search"))[-1]


def send(here: Watched, path: str, file: tuple[str, bytes] | None = None, **fields: str) -> httpx2.Response:
    files = {"file": (file[0], file[1])} if file else {"nothing": ("", b"")}
    data = {"token": token(here), **fields}
    return here.client.post(path, data=data, files=files, headers={"Origin": here.url})


def choose(here: Watched, text: str | bytes, name: str = "people.csv", **fields: str) -> str:
    """The address of what was staged, once it is read."""
    data = text.encode() if isinstance(text, str) else text
    answer = send(here, "/watch/import", (name, data), **{"kind": "people", **fields})
    assert answer.status_code == 303, answer.text
    return settled(here, "/" + answer.headers["location"].lstrip("./"))


def settled(here: Watched, address: str) -> str:
    for _ in range(200):
        if 'id="progress"' not in here.get(address):
            return address
        time.sleep(0.05)
    raise AssertionError("it never came to an end")


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<main")[2]).split())


def do(here: Watched, address: str, verb: str, **fields: str) -> httpx2.Response:
    return send(here, address, do=verb, **fields)


def take(here: Watched, address: str, **fields: str) -> httpx2.Response:
    seen = re.findall(r'name="seen" value="([0-9a-f]+)"', here.get(address))
    answer = do(here, address, "take", seen=seen[0] if seen else "", **fields)
    if answer.status_code == 303:
        settled(here, address)
    return answer


def names(here: Watched) -> set[str]:
    with here.ledger.reading() as hand:
        query = select(t.person.c.given_name).where(t.person.c.active)
        return set(hand.connection.execute(query).scalars())


def count(here: Watched, table: object) -> int:
    with here.ledger.reading() as hand:
        return int(hand.connection.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


def test_a_file_is_read_and_nothing_changes_until_it_is_taken_in(school: Watched) -> None:
    address = choose(school, SCHOOL)
    page = text_of(school.get(address))
    assert "What people.csv would change" in page
    assert "Nothing is changed yet." in page
    assert "Ann Lee pupil, 7B" in page
    assert names(school) == set()
    answer = take(school, address)
    assert answer.status_code == 303
    assert names(school) == {"Ann", "Bob", "Mary"}
    assert "the school is as the file says now" in school.get("/watch/import?done=import_taken")
    assert "3 new" in text_of(school.get("/watch/import"))
    assert count(school, t.staged_file) == 0


def test_the_difference_is_told_by_name_and_number(school: Watched) -> None:
    take(school, choose(school, SCHOOL))
    changed = HEAD + MARY.replace("07911 123456", "07911 654321") + ANN.replace("7B", "7C") + BOB
    changed += "P3,pupil,Cat,Okafor,,,7,7B,,\n"
    page = text_of(school.get(choose(school, changed)))
    assert "Cat Okafor" in page
    assert "Ann Lee pupil, 7C form 7B → 7C" in page
    assert "Mary Lee guardian goes:" in page
    assert "123456" not in page
    assert "654321" not in page


def test_whoever_would_lose_every_way_stands_before_everything_else(school: Watched) -> None:
    take(school, choose(school, SCHOOL))
    page = text_of(school.get(choose(school, SCHOOL.replace("07911 123456,mary@example.org", ","))))
    unreached = page.index("Nobody could be told about them any more 2")
    assert unreached < page.index("Would lose their last number or email 1")
    assert "Ann Lee" in page[unreached:]


def test_far_more_gone_than_usual_is_held_back_and_asked_for_by_its_number(school: Watched) -> None:
    take(school, choose(school, SCHOOL))
    address = choose(school, HEAD + MARY.replace(";P2", "") + ANN)
    assert "1 of 3 would leave: far more than usual" in text_of(school.get(address))
    for wrong in ("", "2", "one", "٣"):
        answer = take(school, address, leaving=wrong)
        assert answer.status_code == 422
        assert 'id="wrong-leaving"' in answer.text
        assert names(school) == {"Ann", "Bob", "Mary"}
    assert take(school, address, leaving="1").status_code == 303
    assert names(school) == {"Ann", "Mary"}


def test_another_tab_and_another_browser_find_it_again(school: Watched) -> None:
    address = choose(school, SCHOOL)
    assert "What people.csv would change" in school.get(address)
    with httpx2.Client(base_url=school.url, timeout=10) as other:
        school.sign_in(other, Actor(ActorKind.PERSON, "Mr Hand"))
        assert address.rpartition("/")[2] in other.get("/watch/import").text
        assert "chosen by Mrs Bell" in text_of(other.get("/watch/import").text)
        assert "Ann Lee" in other.get(address).text


def test_what_was_thrown_away_or_taken_in_is_over(school: Watched) -> None:
    address = choose(school, SCHOOL)
    assert do(school, address, "throw").status_code == 303
    assert "thrown away" in text_of(school.get(address))
    assert names(school) == set()
    assert do(school, address, "take", seen="0").status_code == 422
    assert do(school, address, "again").status_code == 422
    assert count(school, t.staged_file) == 0
    address = choose(school, SCHOOL)
    take(school, address)
    assert "taken in by Mrs Bell" in text_of(school.get(address))
    assert do(school, address, "throw").status_code == 422


def test_what_has_changed_since_is_compared_once_more_and_not_taken_in(school: Watched) -> None:
    first = choose(school, SCHOOL)
    second = choose(school, SCHOOL)
    assert take(school, first).status_code == 303
    assert take(school, second).status_code == 303  # it was asked for, and then:
    page = text_of(school.get(second))
    assert "The school has changed since this was compared" in page
    assert "There is nothing to change." in page


def test_a_form_of_an_older_comparison_takes_nothing_in(school: Watched) -> None:
    address = choose(school, SCHOOL)
    answer = do(school, address, "take", seen="0123456789abcdef")
    assert answer.status_code == 422
    assert "not what you looked at" in answer.text
    assert names(school) == set()


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (b"PK\x03\x04 not a zip", "damaged"),
        (b"\xd0\xcf\x11\xe0 xls", "a spreadsheet, not a CSV file"),
        ((HEAD + ANN + ANN).encode(), "This id stands in the file twice"),
        ((HEAD + ",pupil,Ann,Lee\n").encode(), "This row has no id"),
        (HEAD.encode("utf-16"), "UTF-16"),
    ],
)
def test_what_cannot_be_trusted_is_refused_whole_with_where_and_what_to_do(
    school: Watched, file: bytes, says: str
) -> None:
    page = text_of(school.get(choose(school, file)))
    assert says in page
    assert "nothing was changed" in page
    assert names(school) == set()


def test_a_fault_of_a_row_names_its_row(school: Watched) -> None:
    page = text_of(school.get(choose(school, HEAD + ANN + ",pupil,Bob,Lee\n")))
    assert "people.csv:3" in page


def test_a_value_that_cannot_be_used_is_told_with_row_and_column(school: Watched) -> None:
    page = text_of(school.get(choose(school, SCHOOL.replace("07911 123456", "020 7946 0000"))))
    assert "1 value cannot be used as it stands" in page
    assert "people.csv 2 mobile" in page
    assert "7946" not in page


def test_a_zip_of_the_whole_school_is_read(school: Watched) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("people.csv", SCHOOL)
    assert "Ann Lee" in school.get(choose(school, packed.getvalue(), "export.zip"))


def test_a_part_of_the_school_leaves_the_others_as_they_are(school: Watched) -> None:
    take(school, choose(school, SCHOOL))
    staff = HEAD + "S1,staff,Tom,Hall,,tom@example.org,,,,\n"
    address = choose(school, staff, "staff.csv", only="staff")
    page = text_of(school.get(address))
    assert "It speaks for staff alone" in page
    take(school, address)
    assert names(school) == {"Ann", "Bob", "Mary", "Tom"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"kind": "everything"}, "kind"), ({"kind": "group"}, "group"), ({"only": "aliens"}, "only")],
)
def test_what_was_not_said_is_asked_for_beside_its_field(
    school: Watched, fields: dict[str, str], field: str
) -> None:
    answer = send(school, "/watch/import", ("people.csv", SCHOOL.encode()), **{"kind": "people", **fields})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text or f'id="wrong-{field}"' in answer.text


def test_no_file_or_an_empty_one_is_said_beside_the_field(school: Watched) -> None:
    for file in (None, ("people.csv", b"")):
        answer = send(school, "/watch/import", file, kind="people")
        assert answer.status_code == 422
        assert 'id="wrong-file"' in answer.text


def test_a_file_that_is_too_large_is_given_up(school: Watched) -> None:
    answer = send(school, "/watch/import", ("people.csv", b"x" * (33 * 1024 * 1024)), kind="people")
    assert answer.status_code == 413


def test_only_who_acts_for_the_whole_school_may(school: Watched) -> None:
    ports = school.tower.house.ports
    address = choose(school, SCHOOL)
    operators.add(ports, "Mrs Bell", [OperatorRole.ADMIN], None, actor=SYSTEM)
    operators.add(ports, "Mrs Drum", [OperatorRole.AUTHOR], "music", actor=SYSTEM)
    operators.add(ports, "Gov", [OperatorRole.AUDITOR], None, actor=SYSTEM)
    for who in ("Mrs Drum", "Gov"):
        school.sign_in(actor=Actor(ActorKind.PERSON, who))
        for path in ("/watch/import", address, f"{address}/new", "/watch/import/mappings"):
            assert school.client.get(path).status_code == 403, (who, path)
        assert send(school, "/watch/import", ("people.csv", b"x"), kind="people").status_code == 403
        assert do(school, address, "throw").status_code == 403
    school.client.cookies.clear()
    assert school.client.get("/watch/import").status_code == 401
    forged = school.client.post(address, data={"do": "throw"}, headers={"Origin": "https://evil.example"})
    assert forged.status_code == 403


def test_a_list_of_names_goes_on_by_pages(school: Watched) -> None:
    many = HEAD + "".join(f"P{n},pupil,Pupil{n:03},Lee,,,7,7B,,\n" for n in range(150))
    address = choose(school, many)
    assert "All 150 of them" in text_of(school.get(address))
    first = school.get(f"{address}/new")
    assert "Pupil000" in first
    assert "Pupil120" not in first
    assert "Pupil120" in school.get(f"{address}/new?after=100")
    school.get(f"{address}/everything", 404)


def test_hostile_names_are_shown_as_text(school: Watched) -> None:
    page = school.get(choose(school, HEAD + "P1,pupil,<script>alert(1)</script>,Lee,,,7,7B,,\n", "<b>.csv"))
    assert "<script>alert" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page


def test_a_name_that_leads_out_of_the_folder_leads_nowhere(school: Watched) -> None:
    page = text_of(school.get(choose(school, SCHOOL, "../../etc/passwd")))
    assert "What passwd would change" in page


def test_it_is_gone_when_anybody_is_erased_and_within_a_day(school: Watched) -> None:
    take(school, choose(school, SCHOOL))
    address = choose(school, SCHOOL.replace("7B", "7C"))
    ports = school.tower.house.ports
    erasure.erase(ports, "P2", confirmed="P2", ground=erasure.Ground.REQUEST, actor=SYSTEM)
    school.get(address, 404)
    assert count(school, t.staged_import) == 0


def test_taking_it_in_is_the_same_as_by_the_other_doors(school: Watched) -> None:
    take(school, choose(school, SCHOOL))
    roster = read_one(SCHOOL.encode(), "people.csv", region="GB", today=date(2026, 11, 23))
    assert not look(school.tower.house.ports, roster).any
