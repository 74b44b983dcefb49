"""What a search finds: by the beginnings of words, whatever their case and accents; each its own, a page at a time."""

from __future__ import annotations

import re
import time

import pytest
from sqlalchemy import event, insert, update

from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Draft, Part, People, Step
from broker.authority import operators
from broker.incoming import answers
from broker.incoming.answering import Inbound
from broker.intake import accept
from broker.office import groups
from broker.ports.approvals import OperatorRole
from broker.rosters.imports import import_roster
from ledger import tables as t
from ledger.reads import finding
from tests.support.school import SmallSchool
from tests.support.watching import Serve, Watched

DRUM = Actor(ActorKind.PERSON, "Mrs Drum")


@pytest.fixture
def school(serve: Serve) -> Watched:
    here = serve(CARILLON_DEPARTMENTS="office,music")
    pupils = SmallSchool()
    zoe = pupils.pupil("Zoë Okafor", "Choir")
    pupils.guardian("Siân O’Brien-Smith", zoe, mobiles=("+447911123456",), emails=("sian@example.org",))
    for n in range(60):
        pupils.pupil(f"Pupil{n} Lee", "Choir")
    import_roster(here.tower.house.ports, pupils.roster(), actor=SYSTEM)
    here.sign_in()
    return here


def find(here: Watched, q: str, status: int = 200, **more: str) -> str:
    token = re.findall(r'name="token" value="([0-9a-f]+)"', here.get("/watch/search"))[-1]
    sent = {"token": token, "q": q, **more}
    answer = here.client.post("/watch/search", data=sent, headers={"Origin": here.url})
    assert answer.status_code == status, answer.text
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2]).split())


def say(
    here: Watched, title: str, words: str = "The coach leaves at eight.", department: str = "office"
) -> None:
    draft = Draft(
        department=department,
        audience="everyone",
        people=People.GUARDIANS,
        ways=(Step(("bell",)),),
        parts={Part.TITLE: title, Part.SHORT: words},
    )
    accept(here.tower.house.ports, draft, actor=SYSTEM)


@pytest.mark.parametrize("typed", ["zoe", "ZOË", "oka zo", "Okafor, Zoë", "zoe  okafor"])
def test_somebody_is_found_by_the_beginnings_of_words_whatever_case_and_accents(
    school: Watched, typed: str
) -> None:
    assert "0 announcements and 1 person found" in (page := find(school, typed))
    assert "Zoë Okafor" in page


@pytest.mark.parametrize("typed", ["obrien", "O'Brien", "o brien", "brien-smi", "Siân o’brien"])
def test_an_apostrophe_is_written_in_every_way(school: Watched, typed: str) -> None:
    page = find(school, typed)
    assert "1 person found" in page
    assert "guardian of Zoë Okafor" in page


@pytest.mark.parametrize("typed", ["07911 123456", "+447911123456", "SIAN@example.org"])
def test_a_whole_number_or_email_finds_who_has_it_and_is_not_shown_elsewhere(
    school: Watched, typed: str
) -> None:
    assert "1 person found" in (page := find(school, typed))
    assert "O’Brien-Smith" in page


@pytest.mark.parametrize("typed", ["koa", "z", "", "%%%", "' OR 1=1 --", "\x00"])
def test_what_begins_no_word_finds_nobody(school: Watched, typed: str) -> None:
    assert "Okafor" not in find(school, typed).replace("finds Zoë Okafor", "")


def test_a_word_of_an_announcement_finds_it_the_newest_first(school: Watched) -> None:
    say(school, "Café outing", "Bring a packed lunch.")
    say(school, "Concert")
    say(school, "Café again")
    page = find(school, "cafe")
    assert page.index("Café again") < page.index("Café outing")
    assert "2 announcements and 0 people" in page
    assert "Café outing" in find(school, "lunch pack")
    say(school, "A third café")
    assert "3 announcements" in find(school, "cafe")


def test_a_long_list_has_pages_and_its_count(school: Watched) -> None:
    first = find(school, "lee")
    assert "60 people found" in first
    assert "1 to 25, by family name" in first
    assert "26 to 50" in find(school, "lee", only="people", after="25")
    last = find(school, "lee", only="people", after="50")
    assert "51 to 60" in last
    assert "The next ones" not in last


def test_each_department_finds_its_own_announcements_alone(school: Watched) -> None:
    say(school, "Office matters")
    say(school, "Music matters", department="music")
    operators.add(school.tower.house.ports, "Mrs Drum", [OperatorRole.AUTHOR], "music", actor=SYSTEM)
    school.sign_in(actor=DRUM)
    page = find(school, "matters")
    assert "Music matters" in page
    assert "Office matters" not in page
    assert "1 announcement and" in page


def test_a_group_is_found_by_the_beginnings_of_its_words_and_leads_to_its_page(school: Watched) -> None:
    ports = school.tower.house.ports
    for called in ("Café helpers", "Late helpers", "Éclair club"):
        groups.keep(ports, called, department="office", actor=SYSTEM)
    page = find(school, "help cafe")
    assert "0 announcements, 1 group and 0 people found" in page
    assert "Café helpers Kept here · Office" in page
    assert "2 groups" in find(school, "HELPERS")
    assert "1 group" in find(school, "eclair")
    assert "Groups" not in find(school, "elpers")
    token = re.findall(r'name="token" value="([0-9a-f]+)"', school.get("/watch/search"))[-1]
    sent = {"token": token, "q": "choir"}
    html = school.client.post("/watch/search", data=sent, headers={"Origin": school.url}).text
    led = re.search(r'href="\.\./(watch/groups/\d+)">Choir</a>', html)
    assert led
    assert "<h1>Choir" in school.get(f"/{led[1]}")


def test_each_department_finds_its_own_groups_and_the_schools(school: Watched) -> None:
    ports = school.tower.house.ports
    for called, whose in (("Helpers of the office", "office"), ("Helpers of music", "music")):
        groups.keep(ports, called, department=whose, actor=SYSTEM)
    assert "2 groups" in find(school, "helpers")
    operators.add(ports, "Mrs Drum", [OperatorRole.AUTHOR], "music", actor=SYSTEM)
    school.sign_in(actor=DRUM)
    page = find(school, "helpers")
    assert "Helpers of music" in page
    assert "1 group and" in page
    assert "of the office" not in page
    assert "Choir" in find(school, "choir")


def test_a_group_that_was_given_up_or_renamed_is_not_found_as_it_was(school: Watched) -> None:
    ports = school.tower.house.ports
    groups.keep(ports, "Helpers", department="office", actor=SYSTEM)
    assert "1 group" in find(school, "helpers")
    groups.retire(ports, "Helpers", actor=SYSTEM)
    assert "group" not in find(school, "helpers")


def test_many_groups_have_pages_in_the_order_of_their_own_list(school: Watched) -> None:
    with school.ledger.begin() as tx:
        rows = [
            {"name": f"Team {n}", "folded_name": f"team {n}", "kind": "club", "active": True, "public": False}
            for n in range(60)
        ]
        tx.hand.connection.execute(insert(t.people_group), rows)
    first = find(school, "team")
    assert "60 groups" in first
    assert "1 to 25, by name" in first
    assert first.index("Team 9 ") < first.index("Team 10 ")
    last = find(school, "team", only="groups", after="50")
    assert "51 to 60" in last
    assert "60 groups found" in last
    assert "The next ones" not in last
    assert "All that was found" in last


def test_no_search_asks_the_ledger_more_than_a_dozen_things(school: Watched) -> None:
    say(school, "Siân’s coach", department="music")
    operators.add(school.tower.house.ports, "Mrs Drum", [OperatorRole.AUTHOR], "music", actor=SYSTEM)
    school.sign_in(actor=DRUM)
    assert "1 announcement and 1 person found" in find(school, "sian")
    token = re.findall(r'name="token" value="([0-9a-f]+)"', school.get("/watch/search"))[-1]
    asked: list[str] = []
    event.listen(school.ledger.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    time.sleep(finding.ASKED_EVERY)  # whether anybody came or went is asked again
    school.client.post("/watch/search", data={"token": token, "q": "sian"}, headers={"Origin": school.url})
    sent = [one for one in asked if not one.startswith(("PRAGMA", "BEGIN"))]
    assert len(sent) <= 12, (len(sent), sent)


def test_whoever_was_erased_or_renamed_is_not_found_by_the_old_name(school: Watched) -> None:
    assert "1 person found" in find(school, "zoe")
    with school.ledger.begin() as tx:  # without a word to anybody, as the worst may come
        tx.hand.connection.execute(
            update(t.person)
            .where(t.person.c.given_name.startswith("Zoë"))
            .values(given_name="Amy", source_id="P1")
        )
    assert "0 people found" in find(school, "zoe")
    assert "1 person found" in find(school, "amy")


def test_words_that_were_struck_out_of_an_announcement_find_it_no_more(school: Watched) -> None:
    say(school, "Zebra crossing")
    assert "1 announcement and" in find(school, "zebra")
    with school.ledger.begin() as tx:
        tx.hand.connection.execute(update(t.content).values(text="…"))
    assert "0 announcements" in find(school, "zebra")


def test_the_houses_own_notes_are_nobodys_to_find(school: Watched) -> None:
    ports = school.tower.house.ports
    inbound = Inbound("bell", "+447911123456", "hello", "1")
    ports.ledger.transact(lambda tx: answers.record_inbound(ports, tx, inbound, actor=SYSTEM))
    assert "0 announcements" in find(school, "read live")


def test_what_was_typed_stands_in_no_address(school: Watched) -> None:
    page = school.get("/watch/search?q=zoe")
    assert "Okafor" not in page.replace("finds Zoë Okafor", "")
    assert not re.search(r'method="get"', page)


def test_what_a_form_may_not_say_is_refused(school: Watched) -> None:
    assert "found" in find(school, "lee", after="25", only="people")
    for odd in ({"after": "-1"}, {"after": "1e9"}, {"only": "answers"}):
        find(school, "lee", status=400, **odd)
    answer = school.client.post(
        "/watch/search", data={"token": "0", "q": "lee"}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    school.client.cookies.clear()
    assert school.client.get("/watch/search").status_code == 401


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Müller", {"muller", "mueller"}),
        ("D'Arcy", {"darcy", "d", "arcy"}),
        ("Łukasz", {"lukasz"}),
        ("Straße 7B", {"strasse", "7b"}),
        ("jean-luc", {"jean", "luc"}),
    ],
)
def test_a_name_is_folded_as_english_keyboards_write_it(text: str, words: set[str]) -> None:
    assert set(finding.folded(text).split()) == words
