"""Private links: what a group is told, for whoever was given the address, until it is taken back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import feedparser
import pytest
from sqlalchemy import select

from broker import fanout, intake
from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import FollowUp, Part, People
from broker.authority import operators
from broker.corrections import verbs
from broker.delivery import State
from broker.errors import NotAllowed, NotFound, NotToBeChanged, UnknownAudience
from broker.office import private_links
from broker.ports.approvals import OperatorRole
from ledger import tables as t
from tests.support.noticeboard import bring_events, put_up
from tests.support.press import Press

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ENDINGS = ("", ".rss", ".atom", ".json", ".ics")


@pytest.fixture
def choir(press: Press) -> Press:
    press.bring("Choir", "Band")
    return press


@pytest.fixture(autouse=True)
def _ask_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.private_feeds.ASK_EVERY", timedelta(seconds=-1))


def link(press: Press, group: str = "Choir") -> str:
    return private_links.make(press.house.ports, group, "the Moodle course", actor=SYSTEM).secret


def titles(press: Press, secret: str) -> list[str]:
    return [item["title"] for item in press.get(f"/feeds/private/{secret}.json").json()["items"]]


def test_a_link_shows_what_exactly_this_group_was_told_by_whichever_way(choir: Press) -> None:
    put_up(choir, ("By text", "At six.", ""), audience="Choir", channel="sms")
    put_up(choir, ("By feed", "At six.", ""), audience="choir")
    put_up(choir, ("To others", "At six.", ""), audience="Band", channel="sms")
    put_up(choir, ("To more", "At six.", ""), audience="Choir + Band", channel="sms")
    put_up(choir, ("To staff", "At six.", ""), audience="Choir", channel="sms", people=People.STAFF)
    put_up(choir, ("Never left", "At six.", ""), audience="Choir", channel="sms", state=State.REFUSED)
    put_up(choir, ("For each alone", "For {pupil}.", ""), audience="Choir", channel="sms")
    put_up(choir, ("Names somebody", "Ann Bell sings.", ""), audience="Choir", channel="sms")
    secret = link(choir)
    assert titles(choir, secret) == ["By feed", "By text"]
    for ending in (".rss", ".atom"):
        read = feedparser.parse(choir.get(f"/feeds/private/{secret}{ending}").content)
        assert [entry.title for entry in read.entries] == ["By feed", "By text"]
    page = choir.get(f"/feeds/private/{secret}").text
    assert "By text" in page
    assert "To others" not in page


def items(press: Press, secret: str) -> list[tuple[str, str]]:
    found = press.get(f"/feeds/private/{secret}.json").json()["items"]
    return [(item["id"].rpartition(":")[2], item["title"]) for item in found]


@pytest.mark.parametrize("channel", ["rss", "sms"])
def test_a_correction_and_an_edit_speak_in_place_of_the_first_under_its_id(
    choir: Press, channel: str
) -> None:
    (first,) = put_up(choir, ("At six", "At six.", ""), audience="Choir", channel=channel)
    secret = link(choir)
    for title in ("At six o’clock", "At six sharp"):
        put_up(choir, (title, "At six.", ""), audience="Choir", follows=(first, FollowUp.EDIT))
    assert items(choir, secret) == [(first, "At six sharp")]

    def correct(wrong: str, title: str, version: int) -> str:
        follows = wrong, FollowUp.CORRECTION
        said = (title, "In the hall.", "")
        return put_up(choir, said, audience="Choir", channel=channel, follows=follows, version=version)[0]

    second = correct(first, "At seven", 2)
    choir.sql(t.announcement.update().where(t.announcement.c.follow_up == "edit").values(corrected_at=NOW))
    # Not as those read it who had read the wrong one: "2: At seven" here.
    assert items(choir, secret) == [(first, "At seven")]
    correct(second, "At eight", 1)
    assert items(choir, secret) == [(first, "At eight")]


def test_what_real_verbs_corrected_in_a_feed_keeps_its_id_here_too(choir: Press) -> None:
    first = choir.publish("At six", audience="Choir")
    secret = link(choir)
    for make, title in ((verbs.edit, "At six o’clock"), (verbs.correction, "At seven")):
        draft = make(choir.house.ports, first.public_id, {Part.TITLE: title, Part.SHORT: "In the hall."})
        made = intake.accept(choir.house.ports, draft, actor=SYSTEM).announcement
        fanout.plan(choir.house.ports, made.public_id, actor=SYSTEM)
        choir.send()
        assert items(choir, secret) == [(str(first.public_id), title)]
        assert [item["title"] for item in choir.get("/feeds/st-brides.json").json()["items"]] == [title]


@pytest.mark.parametrize("kind", [FollowUp.RESEND, FollowUp.REDIRECT])
def test_what_was_said_again_to_a_few_stands_here_once(choir: Press, kind: FollowUp) -> None:
    (first,) = put_up(choir, ("Trip", "At six.", ""), audience="Choir", channel="sms")
    put_up(choir, ("Trip", "At six.", ""), audience="Choir", channel="sms", follows=(first, kind))
    assert items(choir, link(choir)) == [(first, "Trip")]


def test_what_is_taken_back_is_gone_and_that_it_is_stands_in_its_place(choir: Press) -> None:
    (first,) = put_up(choir, ("Trip", "At six.", ""), audience="Choir", channel="sms")
    choir.sql(t.announcement.update().values(withdrawn_at=NOW))
    secret = link(choir)
    assert items(choir, secret) == []
    taken_back = first, FollowUp.WITHDRAWAL
    put_up(choir, ("No trip", "It is off.", ""), audience="Choir", channel="sms", follows=taken_back)
    assert items(choir, secret) == [(first, "No trip")]


def test_its_calendar_has_the_events_of_this_group_alone(choir: Press) -> None:
    bring_events(choir, "Choir", "Rehearsal")
    bring_events(choir, "Band", "Band practice")
    calendar = choir.get(f"/feeds/private/{link(choir)}.ics").text
    assert "SUMMARY:Rehearsal" in calendar
    assert "Band practice" not in calendar


def test_nothing_of_it_is_public_indexed_or_told_to_a_hub(choir: Press) -> None:
    put_up(choir, ("By text", "At six.", ""), audience="Choir", channel="sms")
    secret = link(choir)
    for ending in ENDINGS:
        got = choir.get(f"/feeds/private/{secret}{ending}")
        assert got.status_code == 200
        assert got.headers["x-robots-tag"].startswith("noindex")
        assert got.headers["cache-control"].startswith("private")
        assert got.headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in got.headers
        assert "hub.example" not in got.text + got.headers.get("link", "")
    assert "private" not in choir.get("/feeds").text
    assert "By text" not in choir.get("/feeds/st-brides.json").text


def test_whoever_has_it_already_is_told_so(choir: Press) -> None:
    put_up(choir, ("By text", "At six.", ""), audience="Choir", channel="sms")
    secret = link(choir)
    for ending in ENDINGS[1:]:
        tag = choir.get(f"/feeds/private/{secret}{ending}").headers["etag"]
        assert choir.get(f"/feeds/private/{secret}{ending}", {"If-None-Match": tag}).status_code == 304


@pytest.mark.security
def test_one_taken_back_looks_like_one_that_never_was(choir: Press) -> None:
    secret, other = link(choir), link(choir)
    number = private_links.listed(choir.house.ports)[1].id
    private_links.revoke(choir.house.ports, number, actor=SYSTEM)
    for ending in ENDINGS:
        gone, never = (choir.get(f"/feeds/private/{one}{ending}") for one in (secret, "A" * 43))
        assert (gone.status_code, gone.content) == (never.status_code, never.content) == (404, never.content)
        kept = {name: value for name, value in gone.headers.items() if name != "date"}
        assert "private" in gone.headers["cache-control"] or gone.headers["cache-control"] == "no-store"
        assert kept == {name: value for name, value in never.headers.items() if name != "date"}
        assert choir.get(f"/feeds/private/{other}{ending}").status_code == 200


@pytest.mark.security
@pytest.mark.parametrize(
    "name", ["A" * 42, "A" * 44, "A" * 42 + "é", "%00" * 43, "A" * 43 + ".xml", "A" * 43 + ".rss.rss"]
)
def test_what_cannot_be_a_link_is_not_looked_for(choir: Press, name: str) -> None:
    assert choir.get(f"/feeds/private/{name}").status_code == 404


@pytest.mark.security
def test_the_ledger_and_the_record_keep_no_secret(choir: Press) -> None:
    secret = link(choir)
    with choir.house.ledger.reading() as hand:
        rows = hand.connection.execute(select(t.private_link)).mappings().all()
        said = hand.connection.execute(select(t.record_entry.c.kind, t.record_entry.c.body)).all()
    assert secret not in repr(rows)
    assert "private_link.made" in {row.kind for row in said}
    assert secret not in repr(said)
    assert secret not in repr(private_links.make(choir.house.ports, "Choir", "x", actor=SYSTEM))


def test_who_made_it_and_who_took_it_back_is_recorded(choir: Press) -> None:
    bell = Actor(ActorKind.PERSON, "Mrs Bell")
    made = private_links.make(choir.house.ports, " choir ", "  the   course ", actor=bell).link
    private_links.revoke(choir.house.ports, made.id, actor=bell)
    private_links.revoke(choir.house.ports, made.id, actor=bell)
    (one,) = private_links.listed(choir.house.ports)
    assert (one.group, one.about, one.made_by, one.revoked_by) == (
        "Choir",
        "the course",
        "Mrs Bell",
        "Mrs Bell",
    )
    with choir.house.ledger.reading() as hand:
        entry = t.record_entry.c
        kinds = (
            hand.connection.execute(select(entry.kind).where(entry.kind.like("private_link%")))
            .scalars()
            .all()
        )
    assert list(kinds) == ["private_link.made", "private_link.revoked"]


def test_what_cannot_be_made_or_taken_back_is_one_clear_error(choir: Press) -> None:
    ports = choir.house.ports
    with pytest.raises(UnknownAudience):
        private_links.make(ports, "Nobody", "the course", actor=SYSTEM)
    for about in ("", "x" * 101, "a\x00b"):
        with pytest.raises(NotToBeChanged):
            private_links.make(ports, "Choir", about, actor=SYSTEM)
    for number in (0, -1, 99, 2**64):
        with pytest.raises(NotFound):
            private_links.revoke(ports, number, actor=SYSTEM)
    with pytest.raises(NotFound) as told:
        private_links.revoke(ports, 7, actor=SYSTEM)
    assert json.dumps(told.value.problem.as_dict())


def test_a_group_that_is_given_up_shows_nothing(choir: Press) -> None:
    secret = link(choir)
    choir.sql(t.people_group.update().where(t.people_group.c.name == "Choir").values(active=False))
    assert choir.get(f"/feeds/private/{secret}.rss").status_code == 404


def test_only_an_author_of_the_department_makes_one_once_operators_are_named(choir: Press) -> None:
    operators.add(
        choir.house.ports, "Mrs Bell", {OperatorRole.ADMIN, OperatorRole.AUDITOR}, None, actor=SYSTEM
    )
    with pytest.raises(NotAllowed):
        private_links.make(choir.house.ports, "Choir", "x", actor=Actor(ActorKind.PERSON, "Mrs Bell"))
