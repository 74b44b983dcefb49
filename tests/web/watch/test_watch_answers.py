"""What people wrote back, on the pages: listed without words, read by a button that records it, for the lead alone."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from broker.actor import SYSTEM, Actor, ActorKind
from broker.authority import operators
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


def press(school: Watched, answer: str, do: str):
    page = school.get("/watch/answers")
    token = re.findall(r'name="token" value="([0-9a-f]+)"', page)[-1]
    return school.client.post(
        f"/watch/answers/{answer}", data={"token": token, "do": do}, headers={"Origin": school.url}
    )


def record(school: Watched) -> list[str]:
    with school.ledger.reading() as hand:
        query = select(t.record_entry.c.kind).order_by(t.record_entry.c.id)
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
    assert press(school, answer, "done").status_code == 303
    assert answer not in school.get("/watch/answers")
    assert answer in school.get("/watch/answers?all=1")


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
        listed = here.get("/watch/answers?all=1")
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
