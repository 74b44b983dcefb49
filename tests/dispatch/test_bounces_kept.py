"""What came back becomes evidence; where nobody is, nothing more goes until somebody says that the address is right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from broker.actor import SYSTEM
from broker.announcement import Announcement, People, Step
from broker.audience import parse
from broker.incoming import bounces
from broker.incoming.bouncing import Failure
from broker.incoming.mails import Mail, Taken, take
from broker.incoming.return_path import return_path
from broker.office.doubtful import Doubt, confirm
from broker.office.reach import Question, before
from ledger import tables as t
from ledger.reads.doubtful import doubtful
from ledger.reads.reached import reached
from tests.support.broker_world import World
from tests.support.school import SmallSchool

HARD, FULL, DELAYED = Failure("5.1.1"), Failure("5.2.2"), Failure("4.4.1", delayed=True)
MAILBOX = "bounces@school.example"


@pytest.fixture
def mailed(world: World) -> World:
    """Six families, each with an email and a number."""
    few = SmallSchool()
    for n in range(6):
        pupil = few.pupil(f"Pupil{n}", "Choir")
        few.guardian(f"Parent{n}", pupil, mobiles=(f"+4479111234{n:02d}",), emails=(f"p{n}@example.org",))
    world.bring(few)
    return world


def mail(world: World) -> Announcement:
    said = world.announce(ways=(Step(("email",)),))
    world.plan(said)
    world.send("mails")
    return said


def tries(world: World, said: Announcement) -> list[int]:
    query = (
        select(t.attempt.c.id)
        .join(t.delivery, t.delivery.c.id == t.attempt.c.delivery_id)
        .where(t.delivery.c.announcement_id == said.id)
        .order_by(t.delivery.c.address_id)
    )
    return [row.id for row in world.rows(query)]


def path_of(world: World, attempt: int) -> str:
    return return_path(MAILBOX, world.ports.signer.sign("attempt", str(attempt)))


def report(world: World, to: str, *failures: Failure, key: str = "a report") -> Taken:
    told = Mail(key, "mailer-daemon@mx.example", (to,), "Undelivered", "", failures=failures, automatic=True)
    return take(world.ports, told, actor=SYSTEM)


def address_of(world: World, attempt: int) -> int:
    query = select(t.delivery.c.address_id).join(t.attempt, t.attempt.c.delivery_id == t.delivery.c.id)
    return int(world.rows(query.where(t.attempt.c.id == attempt))[0].address_id)


def marked(world: World) -> int:
    return len(world.rows(select(t.bounced)))


def test_a_hard_bounce_opens_the_duty_again_and_the_address_gets_nothing_more(mailed: World) -> None:
    said = mail(mailed)
    attempt = tries(mailed, said)[0]
    assert report(mailed, path_of(mailed, attempt), HARD) is Taken.BOUNCE
    assert mailed.states(said) == {"sent": 5, "rejected": 1}
    with mailed.ledger.reading() as hand:
        unmet = reached(hand, said, unmet=True)
        [listed] = doubtful(hand, doubts=[Doubt.BOUNCED])
    assert len(unmet) == 1
    assert "the mail came back" in unmet[0].why
    assert listed.id == address_of(mailed, attempt)
    assert "no such mailbox" in listed.why
    again = mail(mailed)
    assert mailed.states(again) == {"sent": 5, "refused": 1}
    assert {
        row.code for row in mailed.rows(select(t.delivery.c.code).where(t.delivery.c.state == "refused"))
    } == {"bounced"}
    assert "address.bounced" in mailed.record()


def test_a_report_read_twice_counts_once(mailed: World) -> None:
    said = mail(mailed)
    to = path_of(mailed, tries(mailed, said)[0])
    assert [report(mailed, to, FULL) for _ in range(4)] == [Taken.BOUNCE, *[Taken.KNOWN] * 3]
    assert mailed.states(said) == {"sent": 5, "rejected": 1}
    assert marked(mailed) == 0


def test_a_report_that_no_signature_vouches_for_changes_nothing(mailed: World) -> None:
    said = mail(mailed)
    path = path_of(mailed, tries(mailed, said)[0])
    local, _, domain = path.partition("@")
    before = mailed.record()
    for forged in (
        MAILBOX,
        f"{local}0@{domain}",
        f"{local[:-1]}{'0' if local[-1] != '0' else '1'}@{domain}",
        path.replace("bounces+", "bounces+1"),
        "bounces+1-" + "0" * 32 + "@school.example",
        "bounces+" + "9" * 19 + "-" + "f" * 32 + "@school.example",
    ):
        assert report(mailed, forged, HARD) is Taken.UNSIGNED
    assert mailed.states(said) == {"sent": 6}
    assert (marked(mailed), mailed.record()) == (0, before)


def test_a_delay_means_nothing_yet(mailed: World) -> None:
    said = mail(mailed)
    assert report(mailed, path_of(mailed, tries(mailed, said)[0]), DELAYED) is Taken.BOUNCE
    assert mailed.states(said) == {"sent": 6}
    assert marked(mailed) == 0


def test_the_third_mail_that_does_not_arrive_within_a_month_marks_the_address(mailed: World) -> None:
    for n in range(3):
        assert marked(mailed) == 0
        said = mail(mailed)
        report(mailed, path_of(mailed, tries(mailed, said)[0]), FULL, key=f"report {n}")
        assert mailed.states(said) == {"sent": 5, "rejected": 1}
    assert marked(mailed) == 1


def test_three_in_as_many_months_mark_nothing(mailed: World) -> None:
    for n in range(3):
        said = mail(mailed)
        report(mailed, path_of(mailed, tries(mailed, said)[0]), FULL, key=f"report {n}")
        mailed.pass_time(timedelta(days=31))
    assert marked(mailed) == 0


def test_whoever_confirms_the_address_lets_it_be_tried_again(mailed: World) -> None:
    said = mail(mailed)
    attempt = tries(mailed, said)[0]
    report(mailed, path_of(mailed, attempt), HARD)
    confirm(mailed.ports, address_of(mailed, attempt), actor=SYSTEM)
    assert marked(mailed) == 0
    assert mailed.states(mail(mailed)) == {"sent": 6}


def test_the_reach_statement_names_whom_a_bounce_leaves_untold(mailed: World) -> None:
    said = mail(mailed)
    report(mailed, path_of(mailed, tries(mailed, said)[0]), HARD)
    with mailed.ledger.look() as tx:
        told = before(mailed.ports, tx, Question(parse("everyone"), People.GUARDIANS, ("email",), "office"))
    assert (told.people, told.reached) == (6, 5)
    assert [one.why for one in told.untold] == ["what was sent to this address came back"]
    assert told.ways["email"].refused == {"bounced": 1}


def test_a_number_refused_for_good_three_times_running_is_marked(mailed: World) -> None:
    for _ in range(4):
        said = mailed.announce()
        mailed.plan(said)
        mailed.send()
    first = mailed.rows(select(t.delivery.c.address_id).order_by(t.delivery.c.address_id).limit(2))
    one, two = (
        first[0].address_id,
        mailed.rows(select(t.delivery.c.address_id).order_by(-t.delivery.c.address_id))[0][0],
    )
    oldest = mailed.rows(
        select(t.delivery.c.id).where(t.delivery.c.address_id == one).order_by(t.delivery.c.id)
    )[0].id
    mailed.sql(
        f"UPDATE delivery SET state = 'rejected', code = '30005' WHERE address_id = {one} AND id > {oldest}"
    )
    newest = mailed.rows(
        select(t.delivery.c.id).where(t.delivery.c.address_id == two).order_by(-t.delivery.c.id)
    )[0].id
    mailed.sql(f"UPDATE delivery SET state = 'rejected' WHERE address_id = {two} AND id < {newest}")
    assert bounces.mark_failing(mailed.ports, datetime.now(UTC) - timedelta(hours=1), actor=SYSTEM) == 1
    assert [row.code for row in mailed.rows(select(t.bounced))] == ["30005"]
    assert bounces.mark_failing(mailed.ports, datetime.now(UTC) - timedelta(hours=1), actor=SYSTEM) == 0


def test_a_marked_address_stays_listed_when_its_deliveries_are_gone(mailed: World) -> None:
    said = mail(mailed)
    attempt = tries(mailed, said)[0]
    report(mailed, path_of(mailed, attempt), HARD)
    address = address_of(mailed, attempt)
    mailed.sql(f"DELETE FROM delivery WHERE address_id = {address}")
    with mailed.ledger.reading() as hand:
        assert [one.id for one in doubtful(hand, doubts=[Doubt.BOUNCED])] == [address]
