"""Once a night what has had its time goes, in chunks, by the school's own rules; what is held or under way stays."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from broker.authority.rule_changes import change
from broker.incoming import answers
from broker.incoming.answering import Inbound
from broker.privacy import erasure, keeping
from broker.rosters.imports import import_roster
from ledger import tables as t
from ledger.reads.kept import compare
from ledger.record import verify
from tests.support.broker_world import World
from tests.support.planted import GUARDIAN, MOBILE, OFFICE, OLD_MOBILE, OTHER, PUPIL, Planted

LONG = timedelta(days=800)


def count(world: World, table: object) -> int:
    return int(world.rows(select(func.count()).select_from(table))[0][0])  # type: ignore[arg-type]


def night(world: World) -> dict[str, int]:
    return dict(keeping.tonight(world.ports, actor=OFFICE, anyway=True))


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-11-22T02:29", None),
        ("2026-11-22T02:30", date(2026, 11, 22)),
        ("2026-11-22T11:59", date(2026, 11, 22)),
        ("2026-11-22T12:00", None),
        ("2026-06-22T01:30", date(2026, 6, 22)),  # summer time: half past two on the wall
        ("2026-03-29T01:30", date(2026, 3, 29)),  # half past two on the wall, an hour after half past twelve
    ],
)
def test_the_night_is_the_schools_own(now: str, day: date | None) -> None:
    assert keeping.due_on(datetime.fromisoformat(now).replace(tzinfo=UTC), "Europe/London") == day


def test_nothing_goes_before_its_time_and_everything_after(planted: Planted) -> None:
    world = planted.world
    assert night(world) == {}
    world.sql("UPDATE answer SET done_at = received_at WHERE id = 1")
    deliveries = count(world, t.delivery)
    world.pass_time(LONG)
    went = night(world)
    assert went["messages"] >= deliveries
    assert {"content", "receipts", "answers"} <= went.keys()
    for table in (
        t.delivery,
        t.delivery_covers,
        t.attempt,
        t.duty,
        t.content,
        t.content_attachment,
        t.attachment,
    ):
        assert count(world, table) == 0
    assert count(world, t.receipt) == 0
    assert count(world, t.answer) == 1  # nobody has dealt with it
    assert count(world, t.announcement) >= 2  # that something was announced, and how many got it, stays
    assert sum(world.tallies(planted.said).values()) > 0
    assert night(world) == {}
    seal(world)
    with world.ledger.reading() as hand:
        assert verify(hand.connection).ok
    # Entries and notes are not what they were: this test's time moved the ones, the others nobody accepted.
    missed = [
        fault for fault in compare(world.ledger).faults if fault.where.startswith(("delivery", "attempt"))
    ]
    assert missed == []


def test_the_schools_rules_say_how_long(planted: Planted) -> None:
    world = planted.world
    for key, length in (("keeping.receipts", "1 d"), ("keeping.messages", "40 d")):
        change(world.ports, key, length, "the governors", actor=OFFICE)
    world.pass_time(timedelta(days=75))
    assert {"receipts", "messages"} <= night(world).keys()
    assert count(world, t.content) > 0


def test_what_is_held_stays_through_every_night(planted: Planted) -> None:
    world = planted.world
    hold = erasure.hold(world.ports, who=GUARDIAN, why="a claim", actor=OFFICE)
    kept = erasure.hold(world.ports, announcement=planted.said.public_id, why="a complaint", actor=OFFICE)
    all_three_leave(planted)
    world.pass_time(LONG)
    night(world)
    assert world.rows(select(t.content).where(t.content.c.announcement_id == planted.said.id))
    assert world.rows(select(t.delivery).where(t.delivery.c.announcement_id == planted.said.id))
    assert planted.everywhere(GUARDIAN)
    assert planted.everywhere(PUPIL)  # who is spoken of in what is held
    erasure.lift(world.ports, hold, actor=OFFICE)
    erasure.lift(world.ports, kept, actor=OFFICE)
    night(world)
    assert count(world, t.delivery) == count(world, t.content) == 0
    left = planted.everywhere(GUARDIAN) + planted.everywhere(PUPIL)
    assert [place for place in left if ": hash " not in place] == []


def test_what_somebody_who_is_held_was_told_and_wrote_stays_too(planted: Planted) -> None:
    world = planted.world
    world.sql("UPDATE answer SET done_at = received_at")
    answers = count(world, t.answer)
    holds = [erasure.hold(world.ports, who=who, why="a claim", actor=OFFICE) for who in (GUARDIAN, PUPIL)]
    world.pass_time(timedelta(days=3_000))
    night(world)
    assert count(world, t.answer) == answers
    assert count(world, t.remark) > 0
    assert world.rows(select(t.content).where(t.content.c.announcement_id == planted.said.id))
    for hold in holds:
        erasure.lift(world.ports, hold, actor=OFFICE)
    night(world)
    assert count(world, t.answer) == count(world, t.remark) == count(world, t.content) == 0


def test_the_earlier_number_of_somebody_who_is_held_stays_with_what_came_from_it(planted: Planted) -> None:
    world = planted.world
    inbound = Inbound("sms", OLD_MOBILE, "We moved.", "moved")
    world.ledger.transact(lambda tx: answers.record_inbound(world.ports, tx, inbound, actor=OFFICE))
    world.sql("UPDATE answer SET done_at = received_at")
    old = select(t.address.c.id).where(t.address.c.value == OLD_MOBILE)
    moved = select(t.answer.c.id).where(t.answer.c.sender == OLD_MOBILE)
    [went] = world.rows(
        select(t.delivery.c.id).where(t.delivery.c.address_id.in_(old), t.delivery.c.state == "delivered")
    )
    its = select(t.delivery.c.id).where(t.delivery.c.id == went.id)
    hold = erasure.hold(world.ports, who=GUARDIAN, why="a claim", actor=OFFICE)
    world.pass_time(timedelta(days=3_000))
    night(world)
    assert [len(world.rows(each)) for each in (old, moved, its)] == [1, 1, 1]
    erasure.lift(world.ports, hold, actor=OFFICE)
    night(world)
    assert [len(world.rows(each)) for each in (old, moved, its)] == [0, 0, 0]


def test_lines_of_a_timetable_go_as_other_wordings_do(planted: Planted) -> None:
    world = planted.world
    [pupil] = world.rows(select(t.person.c.id).where(t.person.c.source_id == PUPIL))
    [choir] = world.rows(select(t.people_group.c.id).where(t.people_group.c.folded_name == "choir"))
    now = world.rows(select(func.max(t.announcement.c.accepted_at)))[0][0]
    line = {
        "announcement_id": planted.said.id,
        "group_id": choir.id,
        "source": "untis",
        "key": "k",
        "digest": "d",
    }
    line |= {"day": now.date(), "until": now, "place": 0, "words": "Mathematics is in S2.", "made_at": now}
    with world.ledger.begin() as tx:
        tx.hand.connection.execute(t.timetable_line.insert().values(id=1, **line))
        reader = {"line_id": 1, "person_id": pupil.id, "made_at": now}
        tx.hand.connection.execute(t.timetable_reader.insert().values(**reader))
    hold = erasure.hold(world.ports, who=PUPIL, why="a claim", actor=OFFICE)
    world.pass_time(LONG)
    night(world)
    assert (count(world, t.timetable_line), count(world, t.timetable_reader)) == (1, 1)
    erasure.lift(world.ports, hold, actor=OFFICE)
    assert night(world)["timetables"] == 2
    assert (count(world, t.timetable_line), count(world, t.timetable_reader)) == (0, 0)


def test_who_left_long_ago_is_erased_and_may_come_back(planted: Planted) -> None:
    world, school = planted.world, planted.school
    gone = dict(school.people)
    ties, memberships = list(school.guardianships), list(school.memberships)
    all_three_leave(planted)
    world.pass_time(timedelta(days=100))
    assert night(world)["addresses"] >= 3
    assert "person.given_name: given" in planted.everywhere(GUARDIAN)
    assert "address.value: mobile" not in planted.everywhere(GUARDIAN)
    world.pass_time(LONG)
    night(world)
    assert not [place for place in planted.everywhere(GUARDIAN) if ": hash " not in place]
    school.people.update(gone)
    school.guardianships, school.memberships = ties, memberships
    world.bring(school)
    assert world.rows(select(t.person).where(t.person.c.source_id == GUARDIAN, t.person.c.active))


def test_who_comes_back_before_that_has_the_old_number_again(planted: Planted) -> None:
    world, school = planted.world, planted.school
    gone = dict(school.people)
    all_three_leave(planted)
    world.pass_time(timedelta(days=100))
    night(world)
    school.people.update(gone)
    world.bring(school)
    row = world.rows(select(t.address).where(t.address.c.value == MOBILE))[0]
    assert row.commitment_key


def test_one_worker_does_a_night_and_another_goes_on_where_it_died(planted: Planted) -> None:
    world, today = planted.world, date(2026, 11, 22)

    def take() -> bool:
        return world.ledger.transact(lambda tx: tx.prunings.night(today, lease=timedelta(minutes=5)))

    assert take()
    assert not take()  # somebody is at it
    world.pass_time(timedelta(minutes=6))
    assert take()  # who died
    world.ledger.transact(lambda tx: tx.prunings.night_done(today, {"content": 3}, ended=False))
    assert take()  # its while was over
    world.ledger.transact(lambda tx: tx.prunings.night_done(today, {"content": 2}, ended=True))
    assert not take()
    with world.ledger.look() as tx:
        last = tx.prunings.last_night()
    assert last is not None
    assert (last[0], dict(last[2])) == (today, {"content": 5})


def test_stopped_in_the_middle_it_goes_on_with_the_rest(planted: Planted) -> None:
    world = planted.world
    world.pass_time(LONG)
    turns = iter([False, False, True])
    keeping.tonight(world.ports, actor=OFFICE, anyway=True, stopping=lambda: next(turns, True))
    assert count(world, t.content) > 0
    night(world)
    assert count(world, t.content) == 0


def all_three_leave(planted: Planted) -> None:
    planted.school.leave(GUARDIAN, PUPIL, OTHER)
    import_roster(planted.world.ports, planted.school.roster(), actor=OFFICE, expect_leaving=3)


def seal(world: World) -> None:
    world.ledger.transact(lambda tx: tx.record.seal())
