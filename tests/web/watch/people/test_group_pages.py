"""Groups from their pages: tried, made, filled, renamed, given up, brought back."""

from __future__ import annotations

import re

from sqlalchemy import select

from broker.actor import SYSTEM
from broker.announcement import People
from broker.audience import parse
from broker.moments import today_of
from broker.office import expressions, groups
from ledger import tables as t
from ledger.audience import members
from tests.support.forms import press
from tests.support.watching import Watched
from tests.web.watch.people.conftest import group_of, recorded, said
from tests.web.watch.people.test_people_actions import followed


def inside(here: Watched, name: str) -> set[str]:
    """Who is in a group that has members of its own, by the school's ids."""
    with here.ledger.look() as tx:
        found = set[str]()
        for side in (People.PUPILS, People.STAFF):
            told = members(expressions.resolve(tx, parse(name)), side, today_of(tx)).subquery()
            query = select(t.person.c.source_id).where(t.person.c.id.in_(select(told.c.person_id)))
            found |= set(tx.hand.connection.execute(query).scalars())
        return found


def test_an_expression_is_tried_with_how_many_and_a_few_names(here):
    words = said(here.get("/watch/groups/try?expression=Choir+%26+7B"))
    assert "1 pupil today" in words
    assert "Ann Bell (7B)" in words or "Ann Bell" in words
    part = here.client.get("/watch/groups/try?expression=Choir+%2B+7B", headers={"HX-Request": "true"}).text
    assert "<html" not in part
    assert "6 pupils" in part
    wrong = here.client.get("/watch/groups/try?expression=Choir+%26")
    assert wrong.status_code == 422
    assert "A name is missing after the last sign" in said(wrong.text)
    assert 'value="Choir &amp;"' in wrong.text


def test_a_group_is_begun_filled_by_name_and_each_step_has_its_way_back(here):
    made = press(here, "/watch/groups/new", "Make the group", name="Quartet", of="members")
    assert "The group is there" in followed(here, made)
    path = f"/watch/groups/{group_of(here, 'Quartet')}/members"
    found = press(here, path, "Find", q="ann")
    assert "1 person found" in said(found.text)
    added = press(here, path, "Add to the group", found.text)
    words = followed(here, added)
    assert "Ann Bell was added" in words
    assert "Ann" not in added.headers["location"]
    assert inside(here, "Quartet") == {"ann"}
    page = here.client.get(str(added.url.join(added.headers["location"]))).text
    back = press(here, path, "Take them out again", page)
    assert inside(here, "Quartet") == set()
    page = here.client.get(str(back.url.join(back.headers["location"]))).text
    assert "Ann Bell was taken out" in said(page)
    press(here, path, "Put them back", page)
    assert inside(here, "Quartet") == {"ann"}


def test_somebody_who_was_in_it_already_is_not_taken_out_by_the_way_back(here):
    ports = here.tower.house.ports
    groups.keep(ports, "Quartet", department=None, actor=SYSTEM)
    groups.add_members(ports, "Quartet", ["ann"], actor=SYSTEM)
    path = f"/watch/groups/{group_of(here, 'Quartet')}/members"
    page = here.get(path)
    ann = re.search(r'name="who" value="(\d+)"', page)[1]  # type: ignore[index]
    found = press(here, path, "Find", q="be").text
    ben = next(one for one in re.findall(r'name="who" value="(\d+)"', found) if one != ann)
    both = {"token": re.search(r'name="token" value="([^"]+)"', page)[1], "do": "add", "who": [ann, ben]}  # type: ignore[index]
    sent = here.client.post(path, data=both, headers={"Origin": here.url})
    page = here.client.get(str(sent.url.join(sent.headers["location"]))).text
    press(here, path, "Take them out again", page)
    assert inside(here, "Quartet") == {"ann"}


def test_a_guardian_is_in_no_group_and_the_page_says_so(here):
    groups.keep(here.tower.house.ports, "Quartet", department=None, actor=SYSTEM)
    path = f"/watch/groups/{group_of(here, 'Quartet')}/members"
    found = press(here, path, "Find", q="mum")
    refused = press(here, path, "Add to the group", found.text)
    assert refused.status_code == 422
    assert "is a guardian, who is reached through the child" in said(refused.text)


def test_a_list_shows_what_it_would_change_before_it_does(here):
    ports = here.tower.house.ports
    groups.keep(ports, "Quartet", department=None, actor=SYSTEM)
    groups.add_members(ports, "Quartet", ["ann", "ben"], actor=SYSTEM)
    path = f"/watch/groups/{group_of(here, 'Quartet')}/list"
    looked = press(here, path, "Look at it", list="id\nben\ncat\nnobody\nmum")
    words = said(looked.text)
    assert "1 person joins, 1 person leaves, 1 person stays" in words
    assert "passed over: nobody" in words
    assert "reached through the child: mum" in words
    assert inside(here, "Quartet") == {"ann", "ben"}
    followed(here, press(here, path, "Make these the members", looked.text))
    assert inside(here, "Quartet") == {"ben", "cat"}
    assert press(here, path, "Look at it", list="").status_code == 422


def test_a_group_made_of_others_is_made_changed_given_up_and_brought_back(here):
    made = press(
        here, "/watch/groups/new", "Make the group", name="Trip", of="others", expression="Choir & 7B"
    )
    assert "worked out anew" in followed(here, made)
    number = group_of(here, "Trip")
    change = f"/watch/groups/{number}/change"
    wrong = press(here, change, "Make it of these", expression="Choir & Trip")
    assert wrong.status_code == 422
    assert 'id="wrong-expression"' in wrong.text
    assert 'value="Choir &amp; Trip"' in wrong.text
    followed(here, press(here, change, "Make it of these", expression="Choir + 7B"))
    assert "6 pupils" in said(here.get(f"/watch/groups/{number}"))
    assert "The group is given up" in followed(here, press(here, change, "Give up Trip"))
    assert "Trip" in said(here.get("/watch/groups"))  # among those that were given up
    assert "there again" in followed(here, press(here, f"/watch/groups/{number}", "Bring it back"))
    assert recorded(here)[-1] == "group.brought_back"


def test_a_group_is_renamed_but_not_under_what_is_made_of_it(here):
    ports = here.tower.house.ports
    groups.keep(ports, "Quartet", department=None, actor=SYSTEM)
    groups.define(ports, "Players", "Quartet + Choir", actor=SYSTEM)
    change = f"/watch/groups/{group_of(here, 'Quartet')}/change"
    refused = press(here, change, "Rename", name="Quintet")
    assert refused.status_code == 422
    assert "the group “Players” names this group" in said(refused.text).replace("The group", "the group")
    groups.retire(ports, "Players", actor=SYSTEM)
    assert "has its new name" in followed(here, press(here, change, "Rename", name="Quintet"))


def test_what_the_roster_brought_only_the_roster_changes(here):
    choir = group_of(here, "Choir")
    here.get(f"/watch/groups/{choir}/change", 403)
    assert "change it there, and import again" in said(here.get(f"/watch/groups/{choir}"))
    taken = press(here, "/watch/groups/new", "Make the group", name="choir", of="members")
    assert taken.status_code == 422
    assert 'value="choir"' in taken.text
