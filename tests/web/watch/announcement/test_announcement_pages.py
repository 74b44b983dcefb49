"""What an announcement's pages tell: how it stands, who was told, what happened; and to whom they tell nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from uuid import uuid4

import pytest
from sqlalchemy import event

from broker import fanout
from broker.actor import SYSTEM
from broker.announcement import Announcement, Draft, Part, People, Step
from broker.delivery import State
from broker.intake import accept
from broker.ladders import climbing
from broker.ladders.ladder import Ladder, Opening
from broker.ports.approvals import OperatorRole
from ledger import tables as t
from tests.support.staff import name
from tests.support.watching import Serve, Watched
from web.watch.announcement.difference import Piece, difference

MOST_STATEMENTS = 12
PATHS = (
    "",
    "/people",
    "/people?show=told",
    "/people?show=open",
    "/people?show=never",
    "/history",
    "/papers",
    "/correct",
    "/again",
    "/withdraw",
    "/undo",
    "/failed/bell",
    "/expect",
)


def text_of(html: str) -> str:
    """What a page says."""

    class Text(HTMLParser):
        said = ""

        def handle_data(self, data: str) -> None:
            self.said += f" {data}"

    reader = Text()
    reader.feed(html)
    return " ".join(reader.said.split())


def half_told(here: Watched) -> Announcement:
    """Four of six are told, one cannot be, and of one nobody knows yet."""
    said = here.plan(here.announce("Coach"))
    here.move(said, State.SENT, 4)
    here.move(said, State.REJECTED, 1, "21211", "the number is not in use")
    return said


def laddered(here: Watched) -> Announcement:
    """By the bell, then by email in two hours, then on paper."""
    draft = Draft(
        department="office",
        audience="everyone",
        people=People.GUARDIANS,
        ways=(Step(("bell",)), Step(("email",))),
        parts={Part.TITLE: "Coach", Part.SHORT: "The coach leaves at eight."},
        ladder=Ladder((Opening(timedelta(hours=2)), Opening(timedelta(hours=4)))),
    )
    said = accept(here.tower.house.ports, draft, actor=SYSTEM).announcement
    fanout.plan(here.tower.house.ports, said.public_id, actor=SYSTEM)
    return said


def climb(here: Watched, said: Announcement) -> None:
    with here.ledger.begin() as tx:
        tx.hand.connection.execute(t.ladder.update().values(look_at=tx.now - timedelta(days=1)))
    climbing.climb_one(here.tower.house.ports, said.public_id, actor=SYSTEM)


def numbers(here: Watched, said: Announcement) -> tuple[str, str]:
    """A person's place on the page of people, and a delivery's."""
    html = here.get(f"/watch/{said.public_id}/people") + here.get(f"/watch/{said.public_id}")
    person, delivery = re.search(r"/people/(\d+)", html), re.search(r"/deliveries/(\d+)", html)
    assert person
    assert delivery
    return person[1], delivery[1]


def test_every_page_is_there_and_asks_the_ledger_little(watched: Watched) -> None:
    said = half_told(watched)
    person, delivery = numbers(watched, said)
    asked: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            asked.append(statement)

    engine = watched.ledger.engine
    event.listen(engine, "before_cursor_execute", count)
    try:
        for path in (*PATHS, f"/people/{person}", f"/deliveries/{delivery}"):
            asked.clear()
            watched.get(f"/watch/{said.public_id}{path}")
            assert len(asked) <= MOST_STATEMENTS, (path, len(asked), asked)
    finally:
        event.remove(engine, "before_cursor_execute", count)


def test_people_are_told_apart_and_each_stands_on_one_page_alone(watched: Watched) -> None:
    said = half_told(watched)

    def named(show: str) -> list[str]:
        return re.findall(r">(Pupil\d)", watched.get(f"/watch/{said.public_id}/people?show={show}"))

    told, still, never, rest = named("told"), named("open"), named("never"), named("")
    assert (len(told), len(still), len(never)) == (4, 1, 1)
    assert sorted([*told, *still, *never]) == [f"Pupil{n}" for n in range(6)]
    assert sorted(rest) == sorted([*still, *never])


def test_a_person_has_each_way_with_its_times_and_what_comes_next(serve: Serve) -> None:
    here = with_mails(serve)
    said = laddered(here)
    here.move(said, State.SENT, 5)
    assert "Ways in order" in here.get(f"/watch/{said.public_id}")
    html = here.get(f"/watch/{said.public_id}/ladder")
    assert "6" in text_of(html)
    duty = numbers(here, said)[0]
    text = text_of(here.get(f"/watch/{said.public_id}/people/{duty}"))
    assert "Bell under way" in text
    assert "Comes next:" in text
    assert "unless a message was sent by then; sooner if everything before it fails" in text
    here.move(said, State.REJECTED, 1, "21211", "the number is not in use")
    text = text_of(here.get(f"/watch/{said.public_id}/people/{duty}"))
    assert "Comes next: in a moment" in text
    climb(here, said)
    text = text_of(here.get(f"/watch/{said.public_id}/people/{duty}"))
    assert "Bell did not arrive" in text
    assert "Opened" in text
    assert ": the way before failed." in text
    assert "A further way opened for those not reached" in text_of(
        here.get(f"/watch/{said.public_id}/history")
    )
    climb(here, said)
    sheet = here.get(f"/watch/{said.public_id}/ladder?step=2&unmet=1")
    assert len(re.findall(r">Pupil\d", sheet)) == 1
    assert "For the 1 who stand on the slip sheet" in text_of(here.get(f"/watch/{said.public_id}/papers"))


def test_what_happened_stands_in_its_order_with_who_did_it(watched: Watched) -> None:
    said = half_told(watched)
    text = text_of(watched.get(f"/watch/{said.public_id}/history"))
    assert text.index("Announced") < text.index("Everybody it is for was found")
    assert "6 messages" in text
    assert "Nothing of it starts after this (still to come)" in text


def test_a_message_has_a_page_with_each_try(watched: Watched) -> None:
    said = half_told(watched)
    delivery = numbers(watched, said)[1]
    html = watched.get(f"/watch/{said.public_id}/deliveries/{delivery}")
    assert "•••" in html
    assert "1 person" in text_of(html)
    other = watched.announce("Other")
    watched.get(f"/watch/{other.public_id}/deliveries/{delivery}", 404)
    watched.get(f"/watch/{said.public_id}/deliveries/999999", 404)
    watched.get(f"/watch/{said.public_id}/people/999999", 404)


def test_what_is_another_departments_is_not_there(serve: Serve) -> None:
    here = serve(CARILLON_DEPARTMENTS__MUSIC="Music", CARILLON_DEPARTMENTS__OFFICE="The office")
    here.tower.bring(6)
    here.sign_in()
    said = half_told(here)
    person, delivery = numbers(here, said)
    name(here, "Mrs Head", OperatorRole.ADMIN)
    theirs = name(here, "Mr Reed", OperatorRole.AUTHOR, OperatorRole.ADMIN, department="music")
    here.sign_in(actor=theirs)
    for path in (*PATHS, f"/people/{person}", f"/deliveries/{delivery}", "/ladder"):
        here.get(f"/watch/{said.public_id}{path}", 404)
    token = re.search(r'name="token" value="([0-9a-f]+)"', here.get("/watch"))
    assert token
    for path in (
        "/undo",
        "/withdraw",
        "/correct",
        "/again",
        "/failed/bell",
        f"/deliveries/{delivery}/requeue",
    ):
        form = {"token": token[1], "do": "quietly", "which": "failed", "seen": "1", "tell": "x"}
        answer = here.client.post(f"/watch/{said.public_id}{path}", data=form, headers={"Origin": here.url})
        assert answer.status_code == 404, path
    assert here.tower.states(said) == {"sent": 4, "rejected": 1, "queued": 1}


def test_an_announcement_that_is_not_there_is_not_found(watched: Watched) -> None:
    for path in PATHS:
        watched.get(f"/watch/{uuid4()}{path}", 404)
    said = watched.announce("Coach")
    for path in ("/people?show=everybody", "/people?after=x", "/ladder", "/papers/banknotes", "/failed/sms"):
        assert watched.client.get(f"/watch/{said.public_id}{path}").status_code in (404, 405), path


@pytest.mark.parametrize(
    ("before", "after", "pieces"),
    [
        ("at eight", "at nine", [("same", "at "), ("gone", "eight"), ("new", "nine")]),
        ("", "new", [("new", "new")]),
        ("gone", "", [("gone", "gone")]),
        ("same", "same", [("same", "same")]),
        ("", "", []),
        ("x " * 2000, "y " * 2000, [("gone", "x " * 2000), ("new", "y " * 2000)]),
    ],
)
def test_a_difference_is_told_word_by_word(before: str, after: str, pieces: list[tuple[str, str]]) -> None:
    assert list(difference(before, after)) == [Piece(*piece) for piece in pieces]


def with_mails(serve: Serve) -> Watched:
    """With a way more, and somebody signed in."""
    mails = {
        "CHANNEL": "email",
        "HOST": "127.0.0.1",
        "SENDER": "office@school.example",
        "REPLY_TO": "office@school.example",
    }
    here = serve(**{f"CARILLON_ACCOUNTS__MAILS__{key}": value for key, value in mails.items()})
    here.tower.bring(6)
    here.sign_in()
    return here
