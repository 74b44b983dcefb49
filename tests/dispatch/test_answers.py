"""Answers: kept once, brought to a person, answered once a day; what may be about harm is for the lead alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from broker.actor import SYSTEM, Actor, ActorKind
from broker.address import AddressKind
from broker.announcement import Announcement, Step
from broker.authority import operators
from broker.consent.optouts import hash_of, stop
from broker.errors import NotAllowed, NotFound, NotToBeChanged
from broker.incoming import answers, inboxes
from broker.incoming.answering import Answering, AnswerRow, Inbound, Inbox
from broker.incoming.answers import Recorded
from broker.ports.approvals import OperatorRole
from broker.values import Lane
from ledger import tables as t
from ledger.setup import rules_for
from tests.support.broker_world import World
from tests.support.school import SmallSchool

PARENT, STRANGER = "+447911123400", "+447911123499"
LEAD, LOW, HEAD = (Actor(ActorKind.PERSON, name) for name in ("Ms Safe", "Mr Low", "Mrs Head"))
MUSIC = Inbox("music", ("Mr Low",), "music@school.example", frozenset({"music"}))
OFFICE = Inbox("office", ("Mrs Bell",), "", frozenset({"office"}))
SCHOOL = Answering(inboxes=(OFFICE, MUSIC), lead=Inbox("safeguarding", ("Ms Safe",), "lead@school.example"))


@pytest.fixture
def school(world: World) -> World:
    """Six families, each with a number and an email."""
    few = SmallSchool()
    for n in range(6):
        pupil = few.pupil(f"Pupil{n}", "Choir")
        few.guardian(f"Parent{n}", pupil, mobiles=(f"+4479111234{n:02d}",), emails=(f"p{n}@example.org",))
    world.bring(few)
    world.ports = replace(world.ports, answering=SCHOOL, public_url="https://carillon.school.example")
    return world


def hear(world: World, text: str = "Thank you!", **more: Any) -> Recorded:
    with world.ledger.look() as tx:
        texts = tx.accounts.named("texts")
    assert texts is not None
    said = {"channel": "sms", "sender": PARENT, "key": "SM1", "account": texts.id, **more}
    inbound = Inbound(text=text, **said)
    return world.ledger.transact(lambda tx: answers.record_inbound(world.ports, tx, inbound, actor=SYSTEM))


def kept(world: World, public_id: UUID | None) -> AnswerRow:
    assert public_id is not None
    with world.ledger.look() as tx:
        found = tx.answers.named(public_id)
    assert found is not None
    return found


def said_in(world: World, department: str = "music", channel: str = "sms") -> Announcement:
    said = world.announce(department=department, ways=(Step((channel,)),))
    world.plan(said)
    world.send({"sms": "texts", "email": "mails"}[channel])
    return said


def got(world: World, address: str, account: str = "texts") -> int:
    """How many messages one address has truly been sent, after whatever waits in the urgent lane has left."""
    world.send(account, lane=Lane.URGENT)
    return sum(one.address == address for one in getattr(world.channels, account).truth)


def notes(world: World, key: str) -> str:
    """All that the house itself said under keys that begin so."""
    query = (
        select(t.content.c.text)
        .join(t.note, t.note.c.announcement_id == t.content.c.announcement_id)
        .join(t.announcement, t.announcement.c.id == t.note.c.announcement_id)
        .where(t.announcement.c.idempotency_key.startswith(key))
    )
    return "\n".join(row.text for row in world.rows(query))


def alarms(world: World, kind: str) -> list[str]:
    query = select(t.alarm.c.message).where(t.alarm.c.kind == kind, t.alarm.c.cleared_at.is_(None))
    return [row.message for row in world.rows(query)]


def test_an_answer_goes_to_the_inbox_of_the_department_it_answers(school: World) -> None:
    said = said_in(school)
    told = hear(school)
    answer = kept(school, told.public_id)
    assert (answer.inbox, answer.announcement, answer.text) == ("music", said.public_id, "Thank you!")
    assert hear(school, sender=STRANGER, key="SM2").new
    assert [(one.inbox, one.open) for one in waiting(school)] == [("music", 1), ("office", 1)]


def waiting(world: World):
    with world.ledger.look() as tx:
        return tx.answers.waiting()


def test_what_is_told_twice_is_kept_once_and_answered_once(school: World) -> None:
    said_in(school)
    assert [hear(school).new for _ in range(3)] == [True, False, False]
    assert got(school, PARENT) == 2  # the announcement, and the one answer
    assert hear(school, key="SM2").replied is False
    assert got(school, PARENT) == 2


def test_the_automatic_answer_says_that_nobody_reads_it_live_and_where_to_get_help(school: World) -> None:
    assert hear(school, sender=STRANGER).replied
    assert got(school, STRANGER) == 1
    words = notes(school, "answer/")
    assert "nobody reads this live" in words
    assert "999" in words
    assert "Childline" in words


def test_the_next_day_a_sender_is_answered_again(school: World) -> None:
    hear(school)
    # As tomorrow finds it: today's note bears yesterday's date.
    school.sql("UPDATE announcement SET idempotency_key = 'answer/sms/2020-01-01' WHERE audience = ''")
    assert hear(school, key="SM2").replied
    assert got(school, PARENT) == 2


def test_machines_lists_and_what_is_done_already_are_never_answered(school: World) -> None:
    for flag in ("automatic", "quiet", "settled"):
        more: dict[str, Any] = {flag: True}
        assert hear(school, key=flag, **more).replied is False
    assert got(school, PARENT) == 0


def test_whoever_has_stopped_is_not_answered_and_nobody_is_told_otherwise(school: World) -> None:
    stopped = hash_of(school.ports.signer, AddressKind.MOBILE, PARENT, "GB")
    assert stopped is not None
    school.ledger.transact(lambda tx: stop(tx, [stopped], "sms", source="test", actor=SYSTEM))
    told = hear(school, "stop hurting me")
    assert told.concern
    assert kept(school, told.public_id).reply == "not answered: its sender has asked for no more"
    assert got(school, PARENT) == 0


def test_no_rule_of_the_school_s_holds_an_answer_back(school: World) -> None:
    school.sql("DELETE FROM rules")
    with school.ledger.begin() as tx:
        rules_for(tx, sandbox=False)  # undo windows, hours, second persons: as a school begins
    assert hear(school).replied
    assert got(school, PARENT) == 1


def test_whoever_opted_out_is_not_answered_either(school: World) -> None:
    hear(school)
    with school.ledger.begin() as tx:
        tx.people.suppress(tx.hand.signer.hash_address(AddressKind.MOBILE, PARENT), "sms", source="a test")
    assert got(school, PARENT) == 0


def test_who_left_and_whose_number_was_emptied_is_answered_all_the_same(school: World) -> None:
    school.sql(f"UPDATE address SET value = 'erased~' || CAST(id AS text) WHERE value = '{PARENT}'")
    assert hear(school, "he hits me").concern
    assert got(school, PARENT) == 1


def test_a_stranger_s_mail_is_kept_and_not_answered(school: World) -> None:
    told = hear(school, channel="email", sender="victim@elsewhere.example", account=None, key="d1")
    assert told.new
    assert told.replied is False
    assert "nobody at the school" in kept(school, told.public_id).reply


def test_a_mail_that_answers_ours_is_answered_and_matched_by_its_message_id(school: World) -> None:
    said = said_in(school, channel="email")
    query = select(t.attempt.c.digest, t.attempt.c.delivery_id).order_by(t.attempt.c.id)
    row = school.rows(query)[0]
    told = hear(
        school, channel="email", sender="other@elsewhere.example", account=None, key="d1",
        reply_to=(row.delivery_id, row.digest[:20]),
    )  # fmt: skip
    assert (told.replied, kept(school, told.public_id).announcement) == (True, said.public_id)
    forged = hear(
        school, channel="email", sender="third@elsewhere.example", account=None, key="d2",
        reply_to=(row.delivery_id, "0" * 20),
    )  # fmt: skip
    assert (forged.replied, kept(school, forged.public_id).announcement) == (False, None)


def test_our_own_addresses_are_never_answered(school: World) -> None:
    told = hear(school, channel="email", sender="lead@school.example", account=None, key="d1")
    assert told.replied is False
    assert "ourselves" in kept(school, told.public_id).reply


def test_whoever_cannot_be_answered_is_kept_all_the_same(school: World) -> None:
    for sender in ("12345", "School", "", "\x00\ud800", "+44" + "9" * 400, "0207 946 0018"):
        told = hear(school, "hello\x00\ud800" + "x" * 20_000, sender=sender, key=f"from {len(sender)}")
        answer = kept(school, told.public_id)
        assert told.replied is False
        assert 9_990 < len(answer.text) <= 10_000


# --- what may be about harm


def test_a_disclosure_is_for_the_lead_alone_and_no_alarm_or_mail_repeats_it(school: World) -> None:
    said_in(school)
    told = hear(school, "please dont tell, my uncle HITS me")
    answer = kept(school, told.public_id)
    assert (told.concern, told.replied, answer.inbox) == (True, True, "safeguarding")
    [alarm] = alarms(school, "safeguarding")
    assert got(school, "lead@school.example", "mails") == 1
    assert got(school, "music@school.example", "mails") == 0
    for words in (alarm, notes(school, "concern/")):
        assert str(answer.public_id) in words
        assert "uncle" not in words
        assert PARENT not in words
    for actor in (LOW, HEAD, SYSTEM):
        with pytest.raises(NotToBeChanged) as refused:
            answers.show(school.ports, answer.public_id, actor=actor)
        assert refused.value.problem.code == "for_the_lead"
    assert answers.show(school.ports, answer.public_id, actor=LEAD).text.endswith("HITS me")
    assert "answer.shown" in school.record()


def test_what_the_lead_releases_others_may_see(school: World) -> None:
    told = hear(school, "knife and fork, please")
    assert told.public_id is not None
    with pytest.raises(NotToBeChanged):
        answers.release(school.ports, told.public_id, "music", actor=LOW)
    answers.release(school.ports, told.public_id, "music", actor=LEAD)
    assert answers.show(school.ports, told.public_id, actor=LOW).inbox == "music"
    assert alarms(school, "safeguarding") == []
    with pytest.raises(NotToBeChanged):
        answers.release(school.ports, told.public_id, "office", actor=LEAD)


def test_a_school_that_named_no_lead_is_not_left_with_an_answer_for_nobody(school: World) -> None:
    school.ports = replace(school.ports, answering=replace(SCHOOL, lead=Inbox("safeguarding")))
    told = hear(school, "i want to die")
    assert told.public_id is not None
    assert answers.show(school.ports, told.public_id, actor=HEAD).concern


def test_a_concern_that_is_dealt_with_clears_its_alarm(school: World) -> None:
    told = hear(school, "i want to die")
    assert told.public_id is not None
    with pytest.raises(NotToBeChanged):
        answers.finish(school.ports, told.public_id, actor=LOW)
    answers.finish(school.ports, told.public_id, actor=LEAD)
    answers.finish(school.ports, told.public_id, actor=LEAD)
    assert alarms(school, "safeguarding") == []
    assert kept(school, told.public_id).done_by == "Ms Safe"


# --- inboxes


def test_an_inbox_is_told_once_an_hour_that_answers_wait(school: World) -> None:
    said_in(school)
    for n in range(5):
        hear(school, key=f"SM{n}", sender=f"+4479111234{n:02d}")
    assert got(school, "music@school.example", "mails") == 1


def test_what_came_after_an_inbox_s_mail_is_told_in_the_next_hour(school: World) -> None:
    said_in(school)
    for n in range(2):
        hear(school, key=f"SM{n}")
        inboxes.raise_overdue(school.ports, actor=SYSTEM)
    assert got(school, "music@school.example", "mails") == 1
    an_hour_later(school)
    for _ in range(3):
        inboxes.raise_overdue(school.ports, actor=SYSTEM)
    assert got(school, "music@school.example", "mails") == 2
    an_hour_later(school)
    inboxes.raise_overdue(school.ports, actor=SYSTEM)
    assert got(school, "music@school.example", "mails") == 2  # nothing new came


def test_an_inbox_is_told_of_what_the_lead_releases(school: World) -> None:
    told = hear(school, "knife and fork, please")
    assert told.public_id is not None
    answers.release(school.ports, told.public_id, "music", actor=LEAD)
    assert got(school, "music@school.example", "mails") == 1


def an_hour_later(world: World) -> None:
    """The hour of a mail stands in its key, which no time that passes changes."""
    world.pass_time(timedelta(hours=1))
    world.sql(
        "UPDATE announcement SET idempotency_key = 'inbox/music/' || id WHERE idempotency_key LIKE 'inbox/%'"
    )


def test_an_inbox_that_nobody_empties_raises_an_alarm_until_it_is_empty(school: World) -> None:
    told = hear(school)
    assert told.public_id is not None
    assert inboxes.raise_overdue(school.ports, actor=SYSTEM) == 0
    school.pass_time(timedelta(hours=25))
    assert inboxes.raise_overdue(school.ports, actor=SYSTEM) == 1
    assert len(alarms(school, "answers_waiting")) == 1
    answers.finish(school.ports, told.public_id, actor=HEAD)
    assert inboxes.raise_overdue(school.ports, actor=SYSTEM) == 0
    assert alarms(school, "answers_waiting") == []


def test_an_answer_that_is_not_there_is_not_found(school: World) -> None:
    tries: list[Callable[[], object]] = [
        lambda: answers.show(school.ports, UUID(int=1), actor=LEAD),
        lambda: answers.finish(school.ports, UUID(int=1), actor=LEAD),
        lambda: answers.release(school.ports, UUID(int=1), "music", actor=LEAD),
        lambda: answers.release(school.ports, UUID(int=1), "nowhere", actor=LEAD),
    ]
    for attempt in tries:
        with pytest.raises(NotFound):
            attempt()


def test_the_record_verifies_and_holds_no_word_of_an_answer(school: World) -> None:
    hear(school, "my uncle hits me")
    hear(school, "thank you", key="SM2")
    bodies = b"".join(row.body for row in school.rows(select(t.record_entry.c.body)))
    assert b"uncle" not in bodies
    assert PARENT[4:].encode() not in bodies
    assert school.record().count("answer.recorded") == 2


# --- who may open them


@pytest.fixture
def named(school: World) -> World:
    """The school has named operators: an author of each department, one of the whole school, an auditor."""
    people = [("Mrs Head", "author", None), ("Mr High", "author", "music"), ("Mr Ring", "author", "office")]
    for name, role, department in (*people, ("Dr Look", "auditor", None)):
        operators.add(school.ports, name, [OperatorRole(role)], department, actor=HEAD)
    return school


def may(world: World, public_id: UUID | None, name: str) -> bool:
    assert public_id is not None
    try:
        answers.show(world.ports, public_id, actor=Actor(ActorKind.PERSON, name))
    except NotAllowed:
        with pytest.raises(NotAllowed):
            answers.finish(world.ports, public_id, actor=Actor(ActorKind.PERSON, name))
        return False
    return True


def test_an_answer_is_opened_by_its_watchers_by_authors_and_by_the_lead(named: World) -> None:
    said_in(named)
    told = hear(named).public_id
    everybody = ("Mr Low", "mrs  head", "Mr High", "Ms Safe", "Mr Ring", "Dr Look", "Somebody", "Mrs Bell")
    assert [who for who in everybody if may(named, told, who)] == [
        "Mr Low",
        "mrs  head",
        "Mr High",
        "Ms Safe",
    ]
    assert named.record().count("answer.shown") == 4


def test_what_is_for_no_department_is_the_first_inbox_s(named: World) -> None:
    told = hear(named, sender=STRANGER).public_id
    everybody = ("Mrs Bell", "Mrs Head", "Mr Ring", "Mr High", "Mr Low")
    assert [who for who in everybody if may(named, told, who)] == ["Mrs Bell", "Mrs Head", "Mr Ring"]


def test_the_lead_needs_no_role_and_no_role_opens_what_is_for_the_lead(named: World) -> None:
    told = hear(named, "he hits me").public_id
    assert told is not None
    for who in ("Mrs Head", "Dr Look"):
        with pytest.raises(NotToBeChanged):
            answers.show(named.ports, told, actor=Actor(ActorKind.PERSON, who))
    answers.release(named.ports, told, "music", actor=LEAD)
    assert [who for who in ("Ms Safe", "Mr Low", "Mr Ring") if may(named, told, who)] == ["Ms Safe", "Mr Low"]


def test_with_nobody_named_as_the_lead_a_concern_is_the_authors_and_nobody_else_s(named: World) -> None:
    named.ports = replace(named.ports, answering=replace(SCHOOL, lead=Inbox("safeguarding")))
    told = hear(named, "he hits me").public_id
    assert [who for who in ("Mrs Head", "Dr Look", "Somebody") if may(named, told, who)] == ["Mrs Head"]
