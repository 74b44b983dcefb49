"""What people wrote back, on the pages: listed without words, read by a button that records it, for the lead alone."""

from __future__ import annotations

import re

import httpx2
import pytest
from sqlalchemy import select

from broker.actor import SYSTEM, Actor, ActorKind
from broker.authority import operators
from broker.delivery import State
from broker.incoming import answers
from broker.incoming.answering import Inbound
from broker.ports.approvals import OperatorRole
from ledger import tables as t
from tests.support.watching import Serve, Watched

SAFE = Actor(ActorKind.PERSON, "Ms Safe")
WORDS = "Amy is ill <script>alert(1)</script>"
HARM = "my uncle hits me"


MUSIC = {
    "CARILLON_DEPARTMENTS": "office,music",
    "CARILLON_ANSWERS__INBOXES__OFFICE__DEPARTMENTS": "office",  # the first takes what no other is for
    "CARILLON_ANSWERS__INBOXES__MUSIC__DEPARTMENTS": "music",
    "CARILLON_ANSWERS__LEAD__WATCHERS": "Ms Safe",
}


@pytest.fixture
def school(serve: Serve) -> Watched:
    here = serve(CARILLON_ANSWERS__LEAD__WATCHERS="Ms Safe")
    here.tower.bring(2)
    here.sign_in()
    return here


def hear(school: Watched, text: str, key: str) -> str:
    inbound = Inbound("bell", "+447911123456", text, key)
    ports = school.tower.house.ports
    told = ports.ledger.transact(lambda tx: answers.record_inbound(ports, tx, inbound, actor=SYSTEM))
    return str(told.public_id)


def press(school: Watched, answer: str, do: str, **more: str) -> httpx2.Response:
    page = school.get("/watch/answers")
    token = re.findall(r'name="token" value="([0-9a-f]+)"', page)[-1]
    sent = {"token": token, "do": do, **more}
    return school.client.post(f"/watch/answers/{answer}", data=sent, headers={"Origin": school.url})


def record(school: Watched) -> list[str]:
    with school.ledger.reading() as hand:
        query = select(t.record_entry.c.kind).order_by(t.record_entry.c.id)
        return list(hand.connection.execute(query).scalars())


def alarms(school: Watched) -> list[str]:
    with school.ledger.reading() as hand:
        query = select(t.alarm.c.subject).where(t.alarm.c.cleared_at.is_(None))
        return list(hand.connection.execute(query).scalars())


def test_the_list_shows_no_word_and_no_number(school: Watched) -> None:
    answer = hear(school, WORDS, "1")
    page = school.get("/watch/answers")
    assert answer in page
    assert "Amy" not in page
    assert "123456" not in page


def test_only_the_button_shows_it_and_that_is_recorded(school: Watched) -> None:
    answer = hear(school, WORDS, "1")
    asked = school.get(f"/watch/answers/{answer}")
    assert "Amy" not in asked
    assert "answer.shown" not in record(school)
    shown = press(school, answer, "read").text
    assert "Amy is ill &lt;script&gt;" in shown
    assert record(school)[-1] == "answer.shown"
    done = press(school, answer, "done")
    assert done.status_code == 303
    assert "It is dealt with." in school.get(done.headers["location"].replace("../../", "/"))
    assert answer not in school.get("/watch/answers")
    assert answer in school.get("/watch/answers?show=done")


def test_what_may_be_about_harm_is_shown_to_the_lead_alone(school: Watched) -> None:
    answer = hear(school, HARM, "1")
    assert "for the safeguarding lead" in school.get("/watch/answers")
    assert answer not in school.get("/watch/answers")
    refused = press(school, answer, "read")
    assert refused.status_code == 403
    assert "uncle" not in refused.text
    assert press(school, answer, "done").status_code == 403
    overview = school.get("/watch")
    assert answer in overview  # the alarm says where to look
    assert "uncle" not in overview
    school.sign_in(actor=SAFE)
    assert "uncle" in press(school, answer, "read").text


def test_nobody_who_is_not_signed_in_and_no_other_site_gets_anything(school: Watched) -> None:
    answer = hear(school, WORDS, "1")
    forged = school.client.post(
        f"/watch/answers/{answer}", data={"token": "0" * 64, "do": "read"}, headers={"Origin": school.url}
    )
    elsewhere = school.client.post(
        f"/watch/answers/{answer}",
        data={"token": "0", "do": "read"},
        headers={"Origin": "https://evil.example"},
    )
    assert {forged.status_code, elsewhere.status_code} == {403}
    for path in ("nonsense", "00000000-0000-0000-0000-000000000001"):
        assert school.client.get(f"/watch/answers/{path}").status_code == 404
    assert press(school, "00000000-0000-0000-0000-000000000001", "read").status_code == 404
    school.client.cookies.clear()
    for path in ("/watch/answers", f"/watch/answers/{answer}"):
        assert school.client.get(path).status_code == 401


def test_of_another_departments_inbox_nothing_is_there(serve: Serve) -> None:
    here = serve(**MUSIC)
    plain, harm = hear(here, WORDS, "1"), hear(here, HARM, "2")  # the account is the school's: to the office
    there = {
        "Mrs Drum": ("music", ()),
        "Mrs Bell": ("office", (plain,)),
        "Ms Safe": ("music", (plain, harm)),
        "Head": (None, (plain,)),
    }
    for who, (department, _) in there.items():
        operators.add(here.tower.house.ports, who, [OperatorRole.AUTHOR], department, actor=SYSTEM)
    for who, (_, theirs) in there.items():
        here.sign_in(actor=Actor(ActorKind.PERSON, who))
        listed = here.get("/watch/answers")
        assert [answer for answer in (plain, harm) if answer in listed] == list(theirs), who
        hidden = who in {"Mrs Drum", "Mrs Bell"}
        assert ("for the safeguarding lead" in listed) == (who == "Head")
        for answer in (plain, harm):
            expected = 200 if answer in theirs else 404 if hidden else 403
            assert here.client.get(f"/watch/answers/{answer}").status_code == (
                404 if expected == 404 else 200
            ), who
            assert press(here, answer, "read").status_code == expected, who
            if expected != 200:
                assert press(here, answer, "done").status_code == expected, who


def test_a_note_of_the_house_is_no_announcement_to_watch(school: Watched) -> None:
    hear(school, WORDS, "1")
    assert "not read live" not in school.get("/watch")


def test_what_nobody_has_read_stands_before_what_somebody_has(school: Watched) -> None:
    first, second = hear(school, "one", "1"), hear(school, "two", "2")
    press(school, second, "read")
    page = school.get("/watch/answers")
    assert page.index("Nobody has read these") < page.index(first)
    assert page.index(first) < page.index("Read, and still to be dealt with") < page.index(second)
    assert "read by Mrs Bell" in page
    assert second not in school.get("/watch/answers?show=new")
    assert first not in school.get("/watch/answers?show=open")


def test_a_long_list_goes_on_by_pages(school: Watched) -> None:
    heard = [hear(school, f"{n}", str(n)) for n in range(30)]
    assert "All 30 of them" in school.get("/watch/answers")
    page = school.get("/watch/answers?show=new")
    assert heard[-1] in page
    assert heard[0] not in page
    (older,) = re.findall(r'href="(\?show=new&amp;before=\d+)"', page)
    page = school.get("/watch/answers" + older.replace("&amp;", "&"))
    assert heard[0] in page
    assert heard[-1] not in page


def test_the_number_is_masked_until_its_own_button_which_is_recorded(school: Watched) -> None:
    answer = hear(school, WORDS, "1")
    assert "123456" not in press(school, answer, "read").text
    shown = press(school, answer, "number").text
    assert "+447911123456" in shown
    assert "Amy is ill" in shown
    assert "answer.sender_shown" in record(school)
    assert "123456" not in press(school, answer, "read").text


def test_dealt_with_can_be_taken_back_and_then_it_waits_again(school: Watched) -> None:
    answer = hear(school, WORDS, "1")
    press(school, answer, "read")
    press(school, answer, "done")
    assert "It is not dealt with after all" in press(school, answer, "read").text
    assert press(school, answer, "undone").status_code == 303
    assert answer in school.get("/watch/answers")
    assert "answer.reopened" in record(school)
    assert press(school, answer, "undone").status_code == 303  # again is nothing new
    assert record(school).count("answer.reopened") == 1


def test_a_concern_that_is_not_dealt_with_after_all_raises_its_alarm_again(school: Watched) -> None:
    answer = hear(school, HARM, "1")
    school.sign_in(actor=SAFE)
    assert "May be about harm" in school.get("/watch/answers")
    assert alarms(school) == [answer]
    press(school, answer, "done")
    assert alarms(school) == []
    press(school, answer, "undone")
    assert alarms(school) == [answer]


def test_the_lead_gives_it_to_an_inbox_and_then_others_may_read_it(school: Watched) -> None:
    answer = hear(school, HARM, "1")
    assert press(school, answer, "release", inbox="office").status_code == 403
    school.sign_in(actor=SAFE)
    wrong = press(school, answer, "release", inbox="nowhere")
    assert wrong.status_code == 422
    assert "There is no such inbox" in wrong.text
    assert press(school, answer, "release", inbox="office").status_code == 303
    school.sign_in()
    assert "uncle" in press(school, answer, "read").text


def test_who_has_the_number_and_what_it_is_about_are_linked(school: Watched) -> None:
    announcement = school.announce("Coach")
    school.plan(announcement)
    school.move(announcement, State.SENT, 2)
    inbound = Inbound("bell", "+447911000000", "Thank you", "9")
    ports = school.tower.house.ports
    told = ports.ledger.transact(lambda tx: answers.record_inbound(ports, tx, inbound, actor=SYSTEM))
    shown = press(school, str(told.public_id), "read").text
    assert "Parent0 Bell" in shown
    assert re.search(r'href="[./]*watch/people/[0-9a-f-]{36}"', shown)
    assert f"watch/{announcement.public_id}" in shown
    assert f"watch/{announcement.public_id}" in school.get("/watch/answers")
    assert "Parent0" not in school.get("/watch/answers")


def test_odd_questions_are_refused(school: Watched) -> None:
    answer = hear(school, WORDS, "1")
    assert press(school, answer, "delete").status_code == 400
    for odd in ("?show=everything", "?before=-1", "?before=x"):
        school.get(f"/watch/answers{odd}", 404)
