"""Writing at a page: looked at first, sent once, told of beside the field where something is wrong."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from broker import fanout
from broker.actor import SYSTEM
from broker.announcement import Announcement
from broker.ports import Transaction
from broker.ports.approvals import OperatorRole
from ledger import tables as t
from tests.support.watching import Serve, Watched
from tests.support.writing import Writer, count, named, rule, writing_school

MESSAGE = "Year 7 are back at four."


def the(tx: Transaction, writer: Writer) -> Announcement:
    """The announcement that the form led to."""
    found = tx.announcements.by_public_id(UUID(writer.id))
    assert found is not None
    return found


def looked(writer: Writer, **more: Any) -> Writer:
    return writer.press("look", **{"groups": ["Year 7"], "short": MESSAGE, **more})


def test_a_text_to_the_guardians_of_a_year_is_looked_at_and_then_sent(here: Watched, writer: Writer) -> None:
    rule(here, "undo.window", "60 s")
    looked(writer)
    assert writer.status == 200
    assert "To guardians of Year 7: 3 people" in writer.text
    assert MESSAGE in writer.text
    assert "1 person is not reached" in writer.text
    assert count(here) == 0
    writer.press("send")
    assert writer.sent
    assert writer.location.endswith("done=written")
    with here.ledger.reading() as hand:
        row = hand.connection.execute(select(t.announcement)).one()
    assert (row.audience, row.people, str(row.public_id)) == ("Year 7", "guardians", writer.id)
    assert "take it back" in here.get(f"/watch/{writer.id}?done=written")


def test_what_was_sent_at_the_page_is_planned_for_each_family(here: Watched, writer: Writer) -> None:
    looked(writer).press("send")
    with here.ledger.look() as tx:
        announcement = the(tx, writer)
    fanout.plan(here.tower.house.ports, announcement.public_id, actor=SYSTEM)
    with here.ledger.reading() as hand:
        planned = hand.connection.execute(select(t.delivery.c.channel)).scalars().all()
    assert sorted(planned) == ["email", "sms", "sms"]


def test_names_stand_on_the_page_only_when_somebody_asks_for_them(writer: Writer) -> None:
    looked(writer)
    assert "no mobile number on file" in writer.text
    assert "Cal Bell" not in writer.text
    writer.press("names")
    assert "Cal Bell" in writer.text


def test_the_same_form_sent_twice_is_one_announcement_and_leads_to_it(here: Watched, writer: Writer) -> None:
    looked(writer)
    page = writer.html
    first = writer.press("send").id
    writer.html, writer.form = page, "look"
    writer.press("send")
    assert (writer.id, count(here)) == (first, 1)
    assert writer.location.endswith("done=written_before")


def test_the_same_form_with_other_words_is_asked_about_before_it_is_sent_as_well(
    here: Watched, writer: Writer
) -> None:
    looked(writer)
    page = writer.html
    first = writer.press("send").id
    writer.html, writer.form = page, "look"
    writer.press("send", short="Year 7 are back at five.")
    assert writer.status == 422
    assert "this form was sent already" in writer.text.lower()
    assert f"watch/{first}" in writer.html
    assert count(here) == 1
    writer.press("send")
    assert writer.sent
    assert count(here) == 2


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(writer: Writer) -> None:
    writer.press("look", groups=["Year 7"], short="", title="Back at four")
    assert writer.status == 422
    assert 'id="wrong-short"' in writer.html
    assert "There is nothing to announce" in writer.text
    assert writer.fields["title"] == ["Back at four"]
    assert writer.fields["groups"] == ["Year 7"]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"groups": None, "to": ""}, "to"),
        ({"to": "Year 7 +"}, "to"),
        ({"to": "Year 77"}, "to"),
        ({"ways": None}, "ways"),
        ({"short": "Dear {name}"}, "short"),
        ({"title": "x" * 250}, "title"),
        ({"when": "later"}, "day"),
        ({"when": "later", "day": "2027-01-11"}, "time"),
        ({"when": "later", "day": "2001-01-11", "time": "08:15"}, "day"),
        ({"when": "now", "day": "2027-01-11"}, "when"),
        ({"when": "now", "time": "08:15"}, "when"),
        ({"until_day": "2001-01-11", "until_time": "08:15"}, "until_day"),
        ({"then1": "sheet", "then2": "email"}, "then1"),
        ({"then1": "email", "after1": "9 years"}, "after1"),
        ({"copies": "Nobody Known"}, "copies"),
        ({"language": "not a language"}, "language"),
        ({"urgent": "yes", "promotional": "yes"}, "urgent"),
    ],
)
def test_each_field_says_what_is_wrong_with_it(writer: Writer, typed: dict[str, object], field: str) -> None:
    looked(writer, **typed)
    assert writer.status == 422, writer.text
    assert f'id="wrong-{field}"' in writer.html, writer.text[:1500]
    assert "carillon " not in writer.text
    assert not re.search(r"--[a-z]", writer.text)


def test_the_hour_that_comes_twice_is_asked_about(writer: Writer) -> None:
    night = _night_of(10)
    looked(writer, when="later", day=night, time="01:30")
    assert writer.status == 422
    assert "Which one is meant" in writer.text
    meant = f"{night}T01:30:00+00:00"
    assert meant in writer.html
    writer.press("look", meant=meant)
    assert writer.status == 200
    assert f"{night}T01:30:00+00:00" in writer.html


def test_the_hour_that_does_not_exist_is_refused_beside_its_field(writer: Writer) -> None:
    looked(writer, when="later", day=_night_of(3), time="01:30")
    assert 'id="wrong-time"' in writer.html
    assert "does not exist" in writer.text


def test_a_time_is_of_the_schools_clock(here: Watched, writer: Writer) -> None:
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    looked(writer, when="later", day=f"{day}", time="08:15").press("send")
    assert writer.location.endswith("done=written_for_later")
    with here.ledger.look() as tx:
        due = the(tx, writer).due_at
    assert due.astimezone(ZoneInfo("Europe/London")).strftime("%Y-%m-%d %H:%M") == f"{day} 08:15"


def test_ways_one_after_another_are_a_ladder_with_paper_last(here: Watched, writer: Writer) -> None:
    looked(writer, ways=["sms", "email"], then1="email", after1="2 h", unless1="delivered", then2="sheet")
    assert "only for whom the way before fails" in writer.text
    writer.press("send")
    with here.ledger.look() as tx:
        said = the(tx, writer)
        ladder = tx.ladders.of(said.id)
    assert [step.channels for step in said.ways] == [("sms",), ("email",)]
    assert ladder is not None
    assert ladder.openings[0].by(said.due_at) == said.due_at + timedelta(hours=2)


def test_a_file_travels_from_page_to_page_and_goes_with_the_mail(here: Watched, writer: Writer) -> None:
    looked(writer.attach("trip.pdf", b"%PDF a trip"))
    assert "trip.pdf" in writer.text
    writer.press("change")
    assert "trip.pdf" in writer.text
    writer.press("look").press("send")
    with here.ledger.look() as tx:
        (content,) = tx.announcements.content(the(tx, writer).id, 1)
    assert [(file.name, file.data) for file in content.attachments] == [("trip.pdf", b"%PDF a trip")]


def test_a_file_that_is_unticked_stays_behind(here: Watched, writer: Writer) -> None:
    looked(writer.attach("trip.pdf", b"%PDF a trip")).press("change").press("look", kept=None).press("send")
    with here.ledger.look() as tx:
        (content,) = tx.announcements.content(the(tx, writer).id, 1)
    assert content.attachments == ()


def test_more_people_than_usual_want_their_number_typed_or_a_second_person(
    here: Watched, writer: Writer
) -> None:
    rule(here, "blast.size", "2")
    looked(writer)
    assert "How many people are meant?" in writer.text
    page = writer.html
    writer.press("send", expect="30")
    assert writer.status == 422
    assert 'id="wrong-expect"' in writer.html
    assert "3 people" in writer.text
    assert count(here) == 0
    writer.press("send", expect="3")
    assert writer.location.endswith("done=written_at_once")
    writer.html, writer.form = page, "look"
    assert writer.press("send", expect="three").status == 422


def test_a_second_person_is_said_before_it_is_sent(here: Watched, writer: Writer) -> None:
    rule(here, "approval.needed", "any/any/any")
    looked(writer)
    assert "a second person has to agree" in writer.text
    assert "Send it to be agreed to" in writer.text
    writer.press("send")
    assert writer.location.endswith("done=written_to_be_agreed")


def test_only_what_is_urgent_goes_without_a_second_person_and_says_why(here: Watched, writer: Writer) -> None:
    rule(here, "approval.needed", "any/any/any")
    looked(writer)
    assert writer.press("send", why="no time").status == 422
    assert "Only an urgent announcement goes without a second person" in writer.text
    writer.press("change").press("look", urgent="yes")
    assert "It cannot wait for a second person" in writer.text
    writer.press("send", why="The coach has broken down")
    assert writer.location.endswith("done=written_at_once")


def test_what_a_rule_refuses_cannot_be_sent_and_says_what_to_do(here: Watched, writer: Writer) -> None:
    looked(writer, groups=["Band"], people="pupils")
    assert "It cannot go like this" in writer.text
    assert 'value="send"' not in writer.html
    writer.press("send")
    assert writer.status == 422
    assert count(here) == 0


def test_a_colleague_is_named_by_name(here: Watched, writer: Writer) -> None:
    looked(writer, groups=["Choir"], people="both", copies="Dora Bell")
    assert writer.status == 200, writer.text
    writer.press("send")
    assert count(here) == 1


def test_urgent_skips_the_time_to_take_it_back_and_an_offer_is_told_as_one(writer: Writer) -> None:
    assert "ahead of everything else" in looked(writer, urgent="yes").text
    writer.press("change")
    assert "only to those who said yes" in looked(writer, urgent=None, promotional="yes").text


def test_a_department_sees_its_own_groups_and_speaks_for_itself_alone(serve: Serve) -> None:
    here = writing_school(serve)
    bell = named(here, "Mrs Bell", OperatorRole.AUTHOR, department="music")
    here.sign_in(actor=bell)
    writer = Writer(here).open()
    assert writer.fields["department"] == ["music"]
    assert "Office" not in writer.text
    assert Writer(here).open("/watch/write?department=office").status == 404
    assert looked(writer, department="office").status == 404
    typo = looked(Writer(here).open(), groups=None, to="Yaer 7")
    assert "Did you mean Year 7?" in typo.text
    assert count(here) == 0


def test_who_may_not_write_is_told_so(serve: Serve) -> None:
    here = writing_school(serve)
    named(here, "The Head", OperatorRole.ADMIN)
    here.sign_in(actor=named(here, "Mr Look", OperatorRole.AUDITOR))
    assert Writer(here).open().status == 403


def test_a_link_from_a_group_ticks_it(here: Watched) -> None:
    writer = Writer(here).open("/watch/write?group=year+7&people=both")
    assert writer.fields["groups"] == ["Year 7"]
    assert writer.fields["people"] == ["both"]


def test_another_sites_form_writes_nothing(here: Watched, writer: Writer) -> None:
    looked(writer)
    sent = here.client.post(
        "/watch/write", data={**writer.fields, "do": "send"}, headers={"Origin": "https://evil.example"}
    )
    assert sent.status_code == 403
    sent = here.client.post(
        "/watch/write",
        data={**writer.fields, "token": "0" * 64, "do": "send"},
        headers={"Origin": here.url},
    )
    assert sent.status_code == 403
    assert count(here) == 0


def _night_of(month: int) -> str:
    """The next night when the clocks change in this month: its last Sunday."""
    now = datetime.now(UTC)
    year = now.year if now.month < month else now.year + 1
    last = datetime(year, month, 31, tzinfo=UTC)
    return f"{last - timedelta(days=(last.weekday() + 1) % 7):%Y-%m-%d}"
