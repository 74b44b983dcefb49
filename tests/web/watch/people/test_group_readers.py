"""Who else can read what a group is told: publishing and hiding, private links made and ended, from its page."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import httpx2
import pytest

from broker.actor import SYSTEM
from broker.diary import event_book
from broker.diary.events import ALONE, ToldEvent
from broker.office import groups
from broker.office.private_links import listed
from broker.ports.approvals import OperatorRole
from broker.rosters.imports import import_roster
from ledger.reads.groups import groups as every_group
from tests.support.forms import press
from tests.support.watching import Serve, Watched
from tests.web.watch.people.conftest import group_of, recorded, said, school
from tests.web.watch.people.test_people_actions import as_, followed

BASE = "http://127.0.0.1:9"


def readers(here: Watched, name: str) -> str:
    """Where a group's page of readers is."""
    return f"/watch/groups/{group_of(here, name)}/readers"


def is_public(here: Watched, name: str) -> bool:
    with here.ledger.reading() as hand:
        return next(one.public for one in every_group(hand, today=hand.now.date()) if one.name == name)


def plan(here: Watched, group: str, title: str, starts: datetime) -> None:
    """Something of a group's in three days or so, as somebody types it in."""
    wall = starts.astimezone(ZoneInfo("Europe/London")).replace(tzinfo=None)
    told = ToldEvent(
        uid=f"{title}-uid",
        original=ALONE,
        wall=wall,
        starts_at=starts,
        ends_at=starts + timedelta(hours=1),
        title=title,
        place="Hall",
    )
    event_book.add(here.tower.house.ports, told, department="music", audience=group, actor=SYSTEM)


def followed_html(here: Watched, answer: httpx2.Response) -> str:
    """The page that a form led to."""
    assert answer.status_code == 303, said(answer.text)
    return here.client.get(str(answer.url.join(answer.headers["location"]))).text


def secret(html: str) -> str:
    """Of a link that was just made."""
    found = re.search(r"/feeds/private/([A-Za-z0-9_-]{43})<", html)
    assert found is not None, said(html)
    return found[1]


def test_what_strangers_would_read_is_said_before_a_group_is_published_and_it_is_hidden_again(here):
    path = readers(here, "Choir")
    assert "Who else can read it" in said(here.get(path.removesuffix("/readers")))
    words = said(here.get(path))
    assert "not public" in words
    assert "Nothing has gone out to it by feed yet" in words
    assert "No event of it is to come" in words
    assert "Never who is in it, and no name, number or email of anybody" in words
    assert "It is public. The addresses stand below." in followed(
        here, press(here, path, "Make Choir public")
    )
    assert is_public(here, "Choir")
    assert "/feeds/groups/choir.ics" in here.get(path)
    assert here.client.get("/feeds/groups/choir.ics").status_code == 200
    assert "It is hidden again" in followed(here, press(here, path, "Hide Choir"))
    assert not is_public(here, "Choir")
    assert recorded(here)[-2:] == ["group.made_public", "group.made_private"]


@pytest.mark.parametrize("account", [False, True])
def test_only_addresses_that_lead_somewhere_are_told(serve: Serve, account: bool):
    own = {"CARILLON_ACCOUNTS__FEEDS__CHANNEL": "rss", "CARILLON_PUBLIC_URL": BASE} if account else {}
    here = serve(CARILLON_DEPARTMENTS="office, music", **own)
    import_roster(here.tower.house.ports, school().roster(), actor=SYSTEM, expect_leaving=None)
    here.sign_in()
    path = readers(here, "Choir")
    html = followed_html(here, press(here, path, "Make Choir public"))
    assert ("strangers read the events of a public group alone" in said(html)) is not account
    told = set(re.findall(r"<code>(/[a-z]+/groups/choir[a-z.]*)</code>", html.replace(BASE, "")))
    assert "/feeds/groups/choir.ics" in told
    assert ("/feeds/groups/choir.rss" in told) is account
    for address in told:
        assert here.client.get(address).status_code == 200, address


def test_the_events_that_strangers_would_read_stand_there_by_name(here):
    with here.ledger.reading() as hand:
        starts = hand.now.replace(second=0, microsecond=0) + timedelta(days=3)
    plan(here, "Choir", "Dress rehearsal", starts)
    plan(here, "7B", "Visit to the mill", starts)
    words = said(here.get(readers(here, "Choir")))
    assert "1 event is to come: Dress rehearsal" in words
    assert "mill" not in words


def test_an_address_that_is_taken_is_said_and_nothing_is_published(here):
    groups.keep(here.tower.house.ports, "Music", department=None, actor=SYSTEM)
    refused = press(here, readers(here, "Music"), "Make Music public")
    assert refused.status_code == 422
    assert "The feed address music is taken by a department. Rename the group." in said(refused.text)
    assert not is_public(here, "Music")


def test_a_private_link_is_shown_once_and_opens_until_it_is_taken_back(here):
    path = readers(here, "Choir")
    made = press(here, path, "Make a link", about="the choir’s course")
    assert made.status_code == 200
    assert "shown this once" in said(made.text)
    opened = f"/feeds/private/{secret(made.text)}"
    assert here.client.get(opened).status_code == 200
    page = here.get(path)
    assert "/feeds/private/" not in page
    assert "the choir’s course" in said(page)
    ended = press(here, path, "Take the link for the choir’s course back")
    assert "That link opens nothing any more." in followed(here, ended)
    assert "taken back" in said(here.get(path))
    assert [one.revoked_at is None for one in listed(here.tower.house.ports)] == [False]


def test_a_link_wants_to_know_what_it_is_for_and_keeps_what_was_typed(here):
    path = readers(here, "Choir")
    refused = press(here, path, "Make a link", about="x" * 101)
    assert refused.status_code == 422
    assert 'id="wrong-about"' in refused.text
    assert "x" * 101 in refused.text
    assert not listed(here.tower.house.ports)


def test_the_link_of_another_group_is_not_taken_back_here(here):
    made = press(here, readers(here, "7B"), "Make a link", about="the form’s wall")
    assert made.status_code == 200
    (link,) = listed(here.tower.house.ports)
    token = re.search(r'name="token" value="([^"]+)"', made.text)[1]  # type: ignore[index]
    fields = {"token": token, "do": "end", "link": str(link.id)}
    path = readers(here, "Choir")
    assert here.client.post(path, data=fields, headers={"Origin": here.url}).status_code == 404
    assert listed(here.tower.house.ports)[0].revoked_at is None


def test_whoever_acts_for_a_department_opens_its_own_groups_alone(here):
    ports = here.tower.house.ports
    groups.keep(ports, "Ours", department="music", actor=SYSTEM)
    groups.keep(ports, "Theirs", department="office", actor=SYSTEM)
    as_(here, "Mr Horn", OperatorRole.AUTHOR, department="music")
    ours, theirs, choir = readers(here, "Ours"), readers(here, "Theirs"), readers(here, "Choir")
    here.get(theirs, 404)
    assert "Make Ours public" in said(here.get(ours))
    words = said(here.get(choir))
    assert "Strangers read nothing of it" in words
    assert "Make a link" not in words
    token = re.search(r'name="token" value="([^"]+)"', here.get(ours))[1]  # type: ignore[index]
    for do in ("publish", "make"):
        fields = {"token": token, "do": do, "about": "the wall"}
        assert here.client.post(choir, data=fields, headers={"Origin": here.url}).status_code == 403
    assert not is_public(here, "Choir")
    assert not listed(ports)


def test_who_only_looks_sees_how_it_stands_and_changes_nothing(here):
    as_(here, "A Governor", OperatorRole.AUDITOR)
    path = readers(here, "Choir")
    html = here.get(path)
    assert "Make Choir public" not in html
    assert "Make a link" not in html
    token = re.search(r'name="token" value="([^"]+)"', html)[1]  # type: ignore[index]
    for do in ("publish", "hide", "make", "end"):
        fields = {"token": token, "do": do, "about": "the wall", "link": "1"}
        assert here.client.post(path, data=fields, headers={"Origin": here.url}).status_code == 403


def test_of_a_group_that_was_given_up_there_is_nothing_to_read(here):
    made = groups.keep(here.tower.house.ports, "Quartet", department=None, actor=SYSTEM)
    groups.retire(here.tower.house.ports, "Quartet", actor=SYSTEM)
    here.get(f"/watch/groups/{made.id}/readers", 404)
