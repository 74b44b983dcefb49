"""The pages of people as somebody reads them: who is there, who hears, what they were sent; and what no page shows."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from uuid import uuid4

from sqlalchemy import event, update

from broker.actor import SYSTEM
from broker.delivery import State
from broker.office import groups
from ledger import tables as t
from ledger.reads.households import kin_of
from ledger.reads.people import Sought, people
from tests.support.forms import press
from tests.support.watching import Serve, Watched
from tests.web.watch.people.conftest import address_of, group_of, id_of, said, school

NUMBER = "+447911100001"


def places(here: Watched) -> list[str]:
    """Every page of the family that is asked for by an address."""
    gwen, rick, choir = id_of(here, "gwen"), id_of(here, "rick"), group_of(here, "Choir")
    kept = groups.keep(here.tower.house.ports, "Band", department=None, actor=SYSTEM).id
    made = groups.define(here.tower.house.ports, "Trip", "Choir & 7B", department=None, actor=SYSTEM).id
    return [
        "people", "people?role=pupil&in=Choir", "people?role=guardian&in=Choir+%26+7B", "people?role=staff",
        f"people/{gwen}", f"people/{gwen}/messages", f"people/{gwen}/consent", f"people/{gwen}/consent/new",
        f"people/{gwen}/data", f"people/{gwen}/erase", f"people/{gwen}/block", f"people/{gwen}/block/{rick}",
        "families", "families?in=7B", "families?without=1",
        "groups", "groups?kind=kept&q=b", "groups/try", "groups/try?expression=Choir+%26+7B", "groups/new",
        f"groups/{choir}", f"groups/{choir}/members", f"groups/{kept}", f"groups/{kept}/change",
        f"groups/{kept}/members", f"groups/{kept}/list", f"groups/{made}", f"groups/{made}/change",
        f"groups/{choir}/readers", f"groups/{kept}/readers",
        "doubtful", "doubtful?doubt=failing", "doubtful?doubt=bounced", "doubtful?doubt=unconfirmed",
        "doubtful/twice", f"doubtful/{address_of(here, NUMBER)}",
        "consent", "consent?channel=bell&said=no", "consent/sheet", "consent/import",
        "optouts", "optouts?channel=bell", "optouts/new",
    ]  # fmt: skip


def test_every_page_answers_and_shows_no_number_or_email_in_full(here):
    for place in places(here):
        html = here.get(f"/watch/{place}")
        assert "79111000" not in html, place
        assert "bells@example.org" not in html.casefold(), place
        assert "Undefined" not in html


def test_no_page_asks_the_ledger_more_than_a_dozen_things(here):
    asked: list[str] = []
    event.listen(here.ledger.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    for place in places(here):
        asked.clear()
        here.get(f"/watch/{place}")
        sent = [one for one in asked if not one.startswith(("PRAGMA", "BEGIN"))]
        assert len(sent) <= 12, (place, len(sent), sent)


def test_somebody_is_found_by_a_form_and_no_name_stands_in_an_address(here):
    html = press(here, "/watch/people", "Find", q="gwe").text
    assert f"people/{id_of(here, 'gwen')}" in html
    assert not re.search(r'(href|action)="[^"]*gwen', html, re.IGNORECASE)
    by_number = said(press(here, "/watch/people", "Find", q="07911 100001").text)
    assert "Mum Bell" in by_number
    assert NUMBER not in by_number
    assert "Type at least two letters" in said(press(here, "/watch/people", "Find", q="g").text)
    assert "Nobody at the school is called that" in said(
        press(here, "/watch/people", "Find", q="Nobody").text
    )
    again = here.client.get("/watch/people/found")  # a page that is read again begins anew
    assert again.status_code == 303


def test_a_list_goes_on_and_back_from_a_number_and_nobody_is_left_out(here):
    today = date(2026, 11, 23)
    with here.ledger.reading() as hand:
        every = [one.id for one in people(hand, Sought(), today=today).people]
        assert len(every) == len(school().people)
        walked, after, pages = [], None, []
        while True:
            page = people(hand, Sought(), today=today, after=after, limit=4)
            walked += [one.id for one in page.people]
            pages.append(page)
            if page.after is None:
                break
            after = page.after
        assert walked == every
        assert pages[0].before is None
        back = people(hand, Sought(), today=today, before=pages[2].before, limit=4)
        assert [one.id for one in back.people] == [one.id for one in pages[1].people]
        first = people(hand, Sought(), today=today, before=pages[1].before, limit=4)
        assert (first.before, [one.id for one in first.people]) == (None, [one.id for one in pages[0].people])


def test_a_list_is_of_those_who_are_asked_for(here):
    def shown(asked: str, status: int = 200) -> str:
        return said(here.get(f"/watch/people?{asked}", status).split('id="list"')[-1])

    assert "Mum Bell" not in shown("role=pupil")
    assert "Zoe Bell" not in shown("in=7B")
    assert "Gwen Bell" in shown("in=7B")
    guardians = shown("role=guardian&in=7B")
    assert "Hugo Bell" in guardians
    assert "Mum Bell" in guardians  # of Ann
    assert "Teacher Bell" in shown("role=staff&in=Choir")
    assert "There is no group called “7C”" in shown("in=7C", 422)
    here.get("/watch/people?role=king", 404)
    here.get("/watch/people?after=x", 404)


def test_a_family_says_who_hears_and_what_is_kept_from_a_child(here):
    words = said(here.get(f"/watch/people/{id_of(here, 'gwen')}"))
    assert "Hugo Bell" in words
    assert "shared: gets no names" in words
    assert "blocked: hears nothing about this child" in words
    assert "kept from this child by a block" in words
    nobody = said(here.get("/watch/families?without=1"))
    assert "Zoe Bell" in nobody
    assert "Gwen Bell" not in nobody
    with here.ledger.reading() as hand:
        gwen = people(hand, Sought(), today=date(2026, 11, 23)).people
        kin = kin_of(hand, next(one for one in gwen if one.source_id == "gwen"))
    assert [(one.guardian.source_id, one.hears) for one in kin.guardians] == [("hugo", True), ("rick", False)]


def test_what_somebody_was_sent_stands_with_what_became_of_it(here):
    announced = here.plan(here.announce("Coach"))
    here.move(announced, State.SENT, 3)
    child = said(here.get(f"/watch/people/{id_of(here, 'ann')}/messages"))
    assert "Coach" in child
    mother = said(here.get(f"/watch/people/{id_of(here, 'mum')}/messages"))
    assert "about Ann Bell, Ben Bell, Cat Bell, Dan Bell" in mother
    assert "sent" in mother
    assert "Nothing was sent lately" in said(here.get(f"/watch/people/{id_of(here, 'rick')}/messages"))
    of_it = said(here.get(f"/watch/doubtful/{address_of(here, NUMBER)}"))
    assert "Coach" in of_it


def test_what_failed_or_is_old_is_listed_under_its_doubt(here):
    announced = here.plan(here.announce("Coach"))
    here.move(announced, State.REJECTED, 1, "21211", "no such number")
    here.move(announced, State.SENT, 1)
    assert "no such number" in said(here.get("/watch/doubtful?doubt=failing"))
    assert "Nothing is doubtful here" in said(here.get("/watch/doubtful?doubt=unconfirmed"))
    with here.ledger.begin() as tx:
        old = datetime(2024, 1, 1, tzinfo=UTC)
        tx.hand.connection.execute(update(t.address).values(confirmed_at=old))
    assert "Mum Bell" in said(here.get("/watch/doubtful?doubt=unconfirmed"))
    here.get("/watch/doubtful?doubt=none", 404)


def test_what_is_not_there_is_no_page(here):
    for place in (
        "people/nobody",
        f"people/{uuid4()}",
        "groups/999999",
        "doubtful/999999",
        "optouts/bell/00",
    ):
        here.get(f"/watch/{place}", 404)


def test_without_people_the_pages_say_what_to_do_next(serve: Serve):
    empty = serve()
    empty.sign_in()
    for place, words in (
        ("people", "Nobody is here yet"),
        ("families", "No families are here yet"),
        ("groups", "No groups are here yet"),
        ("doubtful", "Nothing is doubtful here"),
        ("consent", "Nothing is on record"),
        ("optouts", "Nobody has asked for no more messages"),
    ):
        assert words in said(empty.get(f"/watch/{place}")), place
