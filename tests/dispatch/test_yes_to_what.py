"""What a yes was given to, and when it does no more: other words, another audience, other rules, a no, a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from broker import intake
from broker.announcement import Content, Part
from broker.authority import approvals
from broker.channel import Recipient
from broker.errors import InvalidAnnouncement, NotFound, NotToBeChanged
from broker.ports.approvals import Decided
from broker.rules.book import RULES
from ledger import tables as t
from ledger.reads.approvals import looked_at
from tests.support.broker_world import World
from tests.support.school import SmallSchool
from tests.support.second_person import BELL, DEPUTY, HEAD, announced, go, listed, refused, seen, setting

# --- what a yes is bound to -----------------------------------------------------------------------------------------


def test_words_changed_after_a_yes_send_it_back_to_wait(two: World) -> None:
    said = announced(two)
    approvals.approve(two.ports, said.public_id, actor=HEAD)
    approvals.reword(two.ports, said.public_id, {Part.SHORT: "The coach leaves at nine."}, actor=BELL)
    assert go(two, said) == {}
    assert listed(two) == [(said.public_id, False)]
    approvals.approve(two.ports, said.public_id, actor=DEPUTY, seen=seen(two, said))
    assert go(two, said) == {"sent": 30}
    assert {row.content_version for row in two.rows(select(t.delivery))} == {2}
    nine = Content(2, "", {Part.SHORT: "The coach leaves at nine."})
    digest = two.channels.open("texts").render(nine, Recipient("+447911123400", ("Pupil0",))).digest
    assert digest in {kept.digest for kept in two.channels.texts.truth}
    assert two.record().count("approval.void") == 1


def test_a_yes_to_words_that_were_changed_while_somebody_looked_is_refused(two: World) -> None:
    said = announced(two)
    looked = seen(two, said)
    approvals.reword(two.ports, said.public_id, {Part.SHORT: "Another wording."}, actor=BELL)
    for one in (looked, looked[:12], "", "zzzzzzzzzzzz"):
        code = refused(lambda one=one: approvals.approve(two.ports, said.public_id, actor=HEAD, seen=one))  # type: ignore[misc]
        assert code == "changed_since"
    approvals.approve(two.ports, said.public_id, actor=HEAD, seen=seen(two, said)[:12])


def test_once_the_words_were_changed_a_decision_names_what_was_seen(two: World) -> None:
    said = announced(two)
    approvals.reword(two.ports, said.public_id, {Part.SHORT: "Another wording."}, actor=BELL)
    assert refused(lambda: approvals.approve(two.ports, said.public_id, actor=HEAD)) == "changed_since"
    code = refused(lambda: approvals.reject(two.ports, said.public_id, "no", actor=HEAD))
    assert code == "changed_since"
    approvals.reject(two.ports, said.public_id, "no", actor=HEAD, seen=seen(two, said))


def test_nobody_approves_words_of_their_own_under_anothers_name(two: World) -> None:
    said = announced(two)
    code = refused(lambda: approvals.reword(two.ports, said.public_id, {Part.SHORT: "Mine."}, actor=HEAD))
    assert code == "not_its_author"


def test_what_has_been_planned_keeps_its_words(two: World) -> None:
    said = announced(two)
    approvals.approve(two.ports, said.public_id, actor=HEAD)
    two.plan(said)
    code = refused(lambda: approvals.reword(two.ports, said.public_id, {Part.SHORT: "Late."}, actor=BELL))
    assert code == "planned"


def test_another_wording_is_checked_like_the_first(two: World) -> None:
    said = announced(two)
    with pytest.raises(InvalidAnnouncement):
        approvals.reword(two.ports, said.public_id, {Part.SHORT: "{name}"}, actor=BELL)
    with pytest.raises(InvalidAnnouncement):
        approvals.reword(two.ports, said.public_id, {Part.SHORT: ""}, actor=BELL)


@pytest.mark.parametrize(
    ("people", "share", "more", "waits"),
    [
        ("20", "0.1", 0, False),
        ("20", "0.1", 3, False),
        ("20", "0.1", 4, True),
        ("2", "0.1", 2, False),  # as 20 are for a whole school: whichever is less
        ("2", "0.1", 3, True),
        ("2", "1", -3, True),  # fewer, too
    ],
)
def test_an_audience_that_differs_by_more_than_a_tenth_or_so_many_people_waits_again(
    two: World, people: str, share: str, more: int, waits: bool
) -> None:
    for key, value in (("approval.drift_people", people), ("approval.drift_share", share)):
        if value != RULES[key].default:
            setting(two, key, value)
    later = timedelta(minutes=1)
    with two.ledger.look() as tx:
        now = tx.now
    said = announced(two, send_at=now + later)
    approvals.approve(two.ports, said.public_id, actor=HEAD)
    school = SmallSchool()
    for n in range(30 + more):
        pupil = school.pupil(f"Pupil{n}", "Choir")
        school.guardian(f"Parent{n}", pupil, mobiles=(f"+4479111234{n:02d}",), emails=(f"p{n}@example.org",))
    two.bring(school)
    two.pass_time(2 * later)
    two.plan(said)
    assert two.states(said) == ({} if waits else {"queued": 30 + more})
    assert listed(two) == ([(said.public_id, False)] if waits else [])


def test_other_rules_than_were_in_force_send_it_back_to_wait(two: World) -> None:
    said = announced(two)
    approvals.approve(two.ports, said.public_id, actor=HEAD)
    setting(two, "public.hosts", "school.example")
    assert go(two, said) == {}
    approvals.approve(two.ports, said.public_id, actor=DEPUTY)
    assert go(two, said) == {"sent": 30}


def test_rules_that_want_nobody_any_more_let_it_go(two: World) -> None:
    said = announced(two)
    setting(two, "approval.needed", "")
    assert go(two, said) == {"sent": 30}


# --- no, and too late -----------------------------------------------------------------------------------------------


def test_a_no_is_final_and_says_why(two: World) -> None:
    said = announced(two)
    approvals.reject(two.ports, said.public_id, "the date is wrong", actor=HEAD)
    assert go(two, said) == {}
    assert listed(two) == []
    assert refused(lambda: approvals.approve(two.ports, said.public_id, actor=DEPUTY)) == "decided"
    with two.ledger.reading() as hand:
        found = looked_at(hand, said.public_id)
    assert found is not None
    assert [(each.decided, each.why) for each in found.decisions] == [(Decided.REJECTED, "the date is wrong")]
    assert two.record().count("announcement.withdrawn") == 1


def test_what_nobody_approved_in_time_is_refused_as_not_approved_in_time(two: World) -> None:
    said = announced(two)
    two.pass_time(timedelta(days=2))
    two.sweep()
    assert refused(lambda: approvals.approve(two.ports, said.public_id, actor=HEAD)) == "expired"
    assert go(two, said) == {"refused": 30}
    whys = {(row.code, row.why) for row in two.rows(select(t.delivery.c.code, t.delivery.c.why))}
    assert whys == {("not_approved", "it was not approved in time")}
    assert listed(two) == []


def test_there_is_nothing_to_approve_where_nothing_waits(two: World) -> None:
    setting(two, "approval.needed", "")
    said = announced(two)
    assert refused(lambda: approvals.approve(two.ports, said.public_id, actor=HEAD)) == "not_waiting"
    with pytest.raises(NotFound):
        approvals.approve(two.ports, type(said.public_id)(int=1), actor=HEAD)


def test_what_was_withdrawn_is_not_approved(two: World) -> None:
    said = announced(two)
    intake.withdraw(two.ports, said.public_id, actor=BELL)
    assert refused(lambda: approvals.approve(two.ports, said.public_id, actor=HEAD)) == "withdrawn"


# --- at once --------------------------------------------------------------------------------------------------------


def at_once(*work: Callable[[], object]) -> list[str]:
    """Each in a thread of its own, begun together; the code of each refusal, "" for what was done."""
    ready = threading.Barrier(len(work))
    ends: list[str] = []

    def run(one: Callable[[], object]) -> None:
        ready.wait()
        try:
            one()
            ends.append("")
        except NotToBeChanged as broken:
            ends.append(broken.problem.code)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(ends)


def test_of_two_who_approve_at_once_one_does(two: World) -> None:
    for _ in range(3):
        said = announced(two)
        yes = [partial(approvals.approve, two.ports, said.public_id, actor=who) for who in (HEAD, DEPUTY)]
        assert at_once(*yes) == ["", "decided"]
        about = select(t.approval.c.id).where(t.approval.c.announcement_id == said.id)
        assert len(two.rows(about)) == 1


def test_a_yes_and_a_no_at_once_are_one_of_them(two: World) -> None:
    for _ in range(3):
        said = announced(two)
        ends = at_once(
            partial(approvals.approve, two.ports, said.public_id, actor=HEAD),
            partial(approvals.reject, two.ports, said.public_id, "no", actor=DEPUTY),
        )
        assert ends == ["", "decided"]
        [row] = two.rows(select(t.approval.c.decision).where(t.approval.c.announcement_id == said.id))
        left = go(two, said)
        assert left == ({"sent": 30} if row.decision == "approved" else {})


def test_words_changed_while_somebody_approves_never_leave_unapproved(two: World) -> None:
    for n in range(3):
        said = announced(two)
        at_once(
            partial(approvals.approve, two.ports, said.public_id, actor=HEAD),
            partial(approvals.reword, two.ports, said.public_id, {Part.SHORT: f"No {n}."}, actor=BELL),
        )
        go(two, said)
        for row in two.rows(select(t.delivery).where(t.delivery.c.announcement_id == said.id)):
            agreed = select(t.approval).where(
                t.approval.c.announcement_id == said.id, t.approval.c.void_at.is_(None)
            )
            assert {each.content_version for each in two.rows(agreed)} == {row.content_version}
