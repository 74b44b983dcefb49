"""One person is erased: no trace in any column of any table, the record verifies, and a stop holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from broker.address import AddressKind
from broker.announcement import Part
from broker.confirm import apply_news
from broker.consent import optouts
from broker.delivery import Evidence
from broker.diary import event_book
from broker.diary.events import ALONE, ToldEvent
from broker.errors import NotFound
from broker.office import families
from broker.privacy import erasure, redact
from broker.rosters.imports import look
from broker.testing.channel_bench import Fault
from broker.values import News
from ledger import tables as t
from ledger.reads.kept import compare
from ledger.record import verify
from ledger.rosters.people import keyed_hash
from tests.support.broker_world import World
from tests.support.erased import erase, said, wrote
from tests.support.planted import EMAIL, GUARDIAN, MOBILE, OFFICE, OLD_MOBILE, OTHER, PUPIL, SHARED, Planted


def test_everything_planted_is_there_before(planted: Planted) -> None:
    """The search finds what it looks for: else finding nothing afterwards would say nothing."""
    for person, traces in planted.of.items():
        found = planted.everywhere(person)
        assert {place.partition(": ")[2] for place in found} >= traces.keys()
    places = {place.partition(":")[0] for place in planted.everywhere(GUARDIAN)}
    assert places >= {
        "person.given_name",
        "address.value",
        "content.text",
        "template.text",
        "people_group.name",
        "remark.words",
        "answer.text",
        "answer.sender",
        "consent_entry.evidence",
        "content_attachment.name",
        "announcement.idempotency_key",
    }


def test_no_trace_of_a_guardian_is_in_any_column_of_any_table(planted: Planted) -> None:
    erase(planted.world, GUARDIAN)
    hashes = [place for place in planted.everywhere(GUARDIAN) if ": hash " in place]
    assert planted.everywhere(GUARDIAN) == hashes
    assert {place.partition(":")[0] for place in hashes} <= {"suppression.hash"}


def test_no_trace_of_a_pupil_is_in_any_column_of_any_table(planted: Planted) -> None:
    families.unblock(planted.world.ports, OTHER, PUPIL, why="over", actor=OFFICE)
    erase(planted.world, PUPIL)
    assert planted.everywhere(PUPIL) == []


def test_what_a_provider_says_late_brings_nothing_back(planted: Planted) -> None:
    """Its id of a message is a key to the number there, and its reasons quote who was written to."""
    world = planted.world
    [late] = world.rows(
        select(t.attempt.c.id, t.attempt.c.delivery_id)
        .join(t.delivery, t.delivery.c.id == t.attempt.c.delivery_id)
        .join(t.address, t.address.c.id == t.delivery.c.address_id)
        .where(t.address.c.value == EMAIL, t.delivery.c.state == "sent")
    )
    erase(world, GUARDIAN)
    news = News(Evidence.BOUNCED, late.id, "late-4711", code="5.1.1", why=f"<{EMAIL}>: no such user")
    assert world.ledger.transact(lambda tx: apply_news(tx, [news], actor=OFFICE)) == 1
    [attempt] = world.rows(select(t.attempt).where(t.attempt.c.id == late.id))
    [delivery] = world.rows(select(t.delivery).where(t.delivery.c.id == late.delivery_id))
    assert (attempt.provider_id, attempt.evidence, attempt.code) == (None, "rejected", "5.1.1")
    assert (delivery.state, delivery.code) == ("rejected", "5.1.1")
    assert [place for place in planted.everywhere(GUARDIAN) if ": hash " not in place] == []


def test_a_calendar_called_after_them_is_told_apart_still_and_names_nobody(planted: Planted) -> None:
    world, now, name = planted.world, datetime.now(UTC), "of Zephyrine Quillfeather"
    [office] = world.rows(select(t.department.c.id).where(t.department.c.slug == "office"))
    url = f"https://calendar.example.org/ical/{EMAIL.replace('@', '%40')}/basic.ics"
    shared = {"department_id": office.id, "audience": "Choir", "made_by": "Mrs Bell"}
    with world.ledger.begin() as tx:
        calendar = {"name": name, "url": url, "in_term": False, "every_seconds": 3600, "made_at": now}
        tx.hand.connection.execute(t.calendar_subscription.insert().values(**shared, **calendar))
    at = (now + timedelta(days=3)).replace(microsecond=0)
    told = ToldEvent("u1", ALONE, at.replace(tzinfo=None), at, at + timedelta(hours=1), "Rehearsal")
    bring = partial(event_book.bring, world.ports, department="office", audience="Choir", actor=OFFICE)
    assert bring(name, [told]).new == 1
    erase(world, GUARDIAN)
    assert [place for place in planted.everywhere(GUARDIAN) if ": hash " not in place] == []
    [row] = world.rows(select(t.calendar_subscription.c.name))
    assert bring(row.name, [told]).unchanged == 1


def test_nobody_else_is_touched(planted: Planted) -> None:
    world = planted.world
    others = select(t.person).where(t.person.c.source_id.not_in([GUARDIAN])).order_by(t.person.c.id)
    kept = select(t.address).where(t.address.c.value.not_in([MOBILE, EMAIL])).order_by(t.address.c.id)
    before = world.rows(others), [row for row in world.rows(kept) if row.value != "+447911777999"]
    erase(world, GUARDIAN)
    gone = world.rows(select(t.person.c.id).where(t.person.c.given_name == "erased person"))
    assert len(gone) == 1
    after = world.rows(others.where(t.person.c.id != gone[0].id))
    assert (after, [row for row in world.rows(kept) if not row.value.startswith("erased")]) == before
    assert SHARED in {row.value for row in before[1]}


def test_what_may_be_the_other_guardians_stays(planted: Planted) -> None:
    """A number that nobody holds any more, and what came from it: neither a blocked parent's nor the pupil's."""
    world = planted.world
    heard = wrote(world, "sms", OLD_MOBILE, "We moved.")
    families.unblock(world.ports, OTHER, PUPIL, why="over", actor=OFFICE)
    erase(world, OTHER)
    assert said(world, heard) == "We moved."
    erase(world, PUPIL)
    assert said(world, heard) == "We moved."
    signer = world.ports.signer
    stopped = {bytes(row.hash) for row in world.rows(select(t.suppression.c.hash))}
    assert keyed_hash(signer, AddressKind.MOBILE, OLD_MOBILE) not in stopped
    assert world.rows(select(t.address).where(t.address.c.value == OLD_MOBILE))


def test_the_record_verifies_and_every_row_agrees_with_it(planted: Planted) -> None:
    world = planted.world
    seal(world)
    before = compare(world.ledger).faults
    erase(world, GUARDIAN)
    families.unblock(world.ports, OTHER, PUPIL, why="over", actor=OFFICE)
    erase(world, PUPIL)
    seal(world)
    with world.ledger.reading() as hand:
        verified = verify(hand.connection)
    compared = compare(world.ledger)
    assert (verified.ok, verified.first_fault, verified.unsealed) == (True, None, 0)
    assert compared.faults == before


def test_a_stop_holds_and_a_refusal_becomes_one(planted: Planted) -> None:
    """By the number that said STOP, and by the consent that was taken back, which goes with the person."""
    world = planted.world
    optouts.add(world.ports, MOBILE, "sms", why="asked by telephone", actor=OFFICE)
    erase(world, GUARDIAN)
    hashes = {
        (row.channel, bytes(row.hash))
        for row in world.rows(select(t.suppression.c.channel, t.suppression.c.hash))
    }
    signer = world.ports.signer
    assert ("sms", keyed_hash(signer, AddressKind.MOBILE, MOBILE)) in hashes
    assert ("email", keyed_hash(signer, AddressKind.EMAIL, EMAIL)) in hashes
    # Another family gives the number: nothing goes to it.
    planted.school.people["parent0"] = replace(planted.school.people["parent0"], mobiles=(MOBILE,))
    world.bring(planted.school)
    said = world.announce()
    world.plan(said)
    world.send()
    refused = world.rows(
        select(t.delivery.c.state, t.delivery.c.code)
        .join(t.address, t.address.c.id == t.delivery.c.address_id)
        .where(t.delivery.c.announcement_id == said.id, t.address.c.value == MOBILE)
    )
    assert [(row.state, row.code) for row in refused] == [("refused", "opted_out")]


def test_the_next_roster_does_not_bring_them_back_until_somebody_says_so(planted: Planted) -> None:
    world = planted.world
    erase(world, GUARDIAN)
    difference = look(world.ports, planted.school.roster())
    assert [problem.code for problem in difference.problems] == ["erased"]
    assert GUARDIAN in difference.problems[0].message  # the file has the id, the ledger does not
    world.bring(planted.school)
    assert not here(world, "Zephyrine")
    with pytest.raises(NotFound):
        erasure.readmit(world.ports, "somebody else", actor=OFFICE)
    erasure.readmit(world.ports, GUARDIAN, actor=OFFICE)
    world.bring(planted.school)
    assert here(world, "Zephyrine")


def test_providers_are_asked_to_forget_what_went_to_them(planted: Planted) -> None:
    world = planted.world
    theirs = {one.provider_id for one in world.channels.texts.truth if one.address in (MOBILE, OLD_MOBILE)}
    about = {one.provider_id for one in world.channels.texts.truth}
    erase(world, GUARDIAN)
    assert redact.forget_due(world.ports, actor=OFFICE)
    assert theirs
    assert theirs <= set(world.channels.texts.redacted) <= about
    assert world.rows(select(t.redaction)) == []
    assert "providers.forgot" in world.record()


def test_a_provider_that_is_away_is_asked_again_and_in_the_end_by_hand(planted: Planted) -> None:
    world = planted.world
    erase(world, GUARDIAN)
    world.channels.texts.order(Fault.UNREACHABLE)
    assert redact.forget_due(world.ports, actor=OFFICE) == 0
    assert redact.forget_due(world.ports, actor=OFFICE) == 0  # not due yet
    world.pass_time(timedelta(days=4))
    redact.forget_due(world.ports, actor=OFFICE)
    assert [row.kind for row in world.rows(select(t.alarm.c.kind))].count(redact.ALARM) == 1
    world.channels.texts.cure()
    world.pass_time(timedelta(days=1))
    assert redact.forget_due(world.ports, actor=OFFICE)
    assert not world.rows(
        select(t.alarm).where(t.alarm.c.cleared_at.is_(None), t.alarm.c.kind == redact.ALARM)
    )


def test_what_came_from_an_address_of_several_goes_with_the_last_of_them(planted: Planted) -> None:
    world = planted.world
    heard = wrote(world, "email", SHARED, "We are away. Zephyrine Quillfeather and Ottoline Marchbanks")
    assert erasure.look(world.ports, GUARDIAN).footprint.shared == 1
    families.unblock(world.ports, OTHER, PUPIL, why="over", actor=OFFICE)
    erase(world, GUARDIAN)
    assert said(world, heard) == "We are away. erased person and Ottoline Marchbanks"
    assert erasure.look(world.ports, OTHER).footprint.shared == 0  # it is hers alone now
    erase(world, OTHER)
    assert said(world, heard) is None


def test_what_came_from_an_address_of_several_goes_at_once_where_somebody_asks_for_it(
    planted: Planted,
) -> None:
    world = planted.world
    heard = wrote(world, "email", SHARED, "We are away.")
    other = wrote(world, "sms", "+447911110000", "We are here.")
    erase(world, GUARDIAN, shared=True)
    assert (said(world, heard), said(world, other)) == (None, "We are here.")


def test_what_is_queued_to_them_does_not_leave(planted: Planted) -> None:
    world = planted.world
    said = world.announce()
    world.plan(said)
    erase(world, GUARDIAN)
    sent = len(world.channels.texts.truth)
    world.send()
    assert MOBILE not in {one.address for one in world.channels.texts.truth[sent:]}
    assert world.states(said) == {"sent": 3, "refused": 1}


def test_the_preview_counts_and_a_first_name_alone_is_struck_where_somebody_asks_for_it(
    planted: Planted,
) -> None:
    world = planted.world
    said = world.announce(parts={Part.SHORT: "Bravo Zephyrine, bravo Perry!"})
    before = planted.everywhere(GUARDIAN)
    found = erasure.look(world.ports, "Zephyrine Quillfeather").footprint
    assert (found.rows["mobile numbers and emails"], found.files, found.at_providers > 0) == (3, 1, True)
    assert (found.named >= 5, found.called) == (True, 1)
    assert planted.everywhere(GUARDIAN) == before
    erase(world, GUARDIAN, called=True)
    words = world.rows(select(t.content.c.text).where(t.content.c.announcement_id == said.id))
    assert [row.text for row in words] == ["Bravo erased person, bravo Perry!"]


def test_an_erased_number_is_never_given_to_anybody_else(planted: Planted) -> None:
    """SQLite gives the highest number anew once its row is gone: another family would inherit the messages."""
    world = planted.world
    erase(world, GUARDIAN)
    planted.school.guardian("Newcomer", "pupil0", mobiles=("+447911555555",))
    world.bring(planted.school)
    new = world.rows(select(t.address.c.id).where(t.address.c.value == "+447911555555"))[0].id
    assert not world.rows(select(t.delivery).where(t.delivery.c.address_id == new))


def test_the_files_of_sqlite_hold_nothing_of_them_either(planted: Planted) -> None:
    world = planted.world
    if world.ledger.dialect.name != "sqlite":
        pytest.skip("a server's files are its own affair: dead rows go with its vacuum")
    erase(world, GUARDIAN)
    world.ledger.forget()
    file = Path(str(world.ledger.engine.url.database))
    raw = b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))
    assert b"erased person" in raw
    found = [what for what, trace in planted.of[GUARDIAN].items() if trace.encode() in raw]
    assert found == []


def here(world: World, given: str) -> bool:
    return bool(world.rows(select(t.person).where(t.person.c.given_name == given, t.person.c.active)))


def seal(world: World) -> None:
    world.ledger.transact(lambda tx: tx.record.seal())
