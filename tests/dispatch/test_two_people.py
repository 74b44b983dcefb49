"""Two pairs of eyes, over the real verbs and ledgers: who may say yes, to what, and when a yes does no more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, update

from broker import accounts, intake
from broker.actor import Actor, ActorKind
from broker.announcement import Announcement, Content, Part, People, Step, Urgency
from broker.authority import approvals, operators, rule_changes, spending
from broker.channel import Recipient
from broker.errors import InvalidAnnouncement, NotAllowed, NotFound, NotToBeChanged, RuleBroken
from broker.licences import licensing
from broker.ports.approvals import Decided, OperatorRole
from broker.rules.book import RULES
from broker.values import Lane
from ledger import tables as t
from ledger.reads.approvals import looked_at, waiting
from tests.support.broker_world import World
from tests.support.licences import form
from tests.support.school import SmallSchool, family

BELL, HEAD, DEPUTY = (Actor(ActorKind.PERSON, name) for name in ("Mrs Bell", "The Head", "The Deputy"))
AUTHOR, APPROVER, ADMIN = OperatorRole.AUTHOR, OperatorRole.APPROVER, OperatorRole.ADMIN


def setting(world: World, key: str, value: str) -> None:
    rule_changes.change(world.ports, key, value, "the test", actor=HEAD)


@pytest.fixture
def two(thirty: World) -> World:
    """Thirty families, an author, two approvers, and a rule that everything wants two people."""
    operators.add(thirty.ports, "The Head", [APPROVER, ADMIN, AUTHOR], None, actor=HEAD)
    operators.add(thirty.ports, "The Deputy", [APPROVER], None, actor=HEAD)
    operators.add(thirty.ports, "Mrs Bell", [AUTHOR, APPROVER], "office", actor=HEAD)
    setting(thirty, "approval.needed", "any/any/any")
    return thirty


def announced(world: World, actor: Actor = BELL, **changes: Any) -> Announcement:
    return intake.accept(world.ports, world.draft(**changes), actor=actor).announcement


def go(world: World, said: Announcement) -> dict[str, int]:
    world.plan(said)
    world.send()
    return world.states(said)


def refused(what: Callable[[], object]) -> str:
    with pytest.raises(RuleBroken) as broken:
        what()
    return broken.value.problem.code


def listed(world: World) -> list[tuple[Any, bool]]:
    with world.ledger.reading() as hand:
        return [(each.id, each.overridden) for each in waiting(hand)]


def seen(world: World, said: Announcement) -> str:
    with world.ledger.reading() as hand:
        found = looked_at(hand, said.public_id)
    assert found is not None
    return found.binding.digest


# --- who may say yes ------------------------------------------------------------------------------------------------


def test_nothing_is_planned_until_somebody_else_agrees_and_then_it_leaves(two: World) -> None:
    said = announced(two)
    assert go(two, said) == {}
    assert two.rows(select(t.duty)) == []
    assert listed(two) == [(said.public_id, False)]
    decision = approvals.approve(two.ports, said.public_id, actor=HEAD)
    assert (decision.decided, decision.by, decision.counted) == (Decided.APPROVED, "The Head", 30)
    assert go(two, said) == {"sent": 30}
    assert listed(two) == []
    assert two.record().count("announcement.approved") == 1


@pytest.mark.parametrize("name", ["Mrs Bell", "mrs  bell", "MRS BELL"])
def test_nobody_approves_what_they_announced_themselves(two: World, name: str) -> None:
    said = announced(two)
    again = Actor(ActorKind.PERSON, " ".join(name.split()))
    assert refused(lambda: approvals.approve(two.ports, said.public_id, actor=again)) == "own_announcement"
    assert (
        refused(lambda: approvals.reject(two.ports, said.public_id, "no", actor=again)) == "own_announcement"
    )
    assert go(two, said) == {}


def test_an_approver_of_another_department_may_not(two: World) -> None:
    operators.add(two.ports, "Mr Horn", [APPROVER], "music", actor=HEAD)
    said = announced(two)
    horn = Actor(ActorKind.PERSON, "Mr Horn")
    assert refused(lambda: approvals.approve(two.ports, said.public_id, actor=horn)) == "not_allowed"


def test_nobody_approves_what_a_machine_announced_on_their_behalf(two: World) -> None:
    behalf = Actor(ActorKind.SYSTEM, "carillon", "office", on_behalf_of="Mrs Bell")
    said = announced(two, actor=behalf)
    assert go(two, said) == {}  # Carillon itself is nobody's author, but here somebody is
    code = refused(lambda: approvals.approve(two.ports, said.public_id, actor=BELL))
    assert code == "own_announcement"
    with two.ledger.reading() as hand:
        found = looked_at(hand, said.public_id)
        [row] = waiting(hand)
    assert found is not None
    assert (found.author.id, found.author.on_behalf_of) == ("carillon", "Mrs Bell")
    assert row.author == "carillon, on behalf of Mrs Bell"
    approvals.reword(two.ports, said.public_id, {Part.SHORT: "At nine."}, actor=BELL)  # the words are hers
    approvals.approve(two.ports, said.public_id, actor=HEAD, seen=seen(two, said))
    assert go(two, said) == {"sent": 30}


def test_a_machine_may_not_write_to_one_pupil_on_somebodys_behalf(bells: World) -> None:
    few: dict[str, Any] = {"audience": "Choir & 7B", "people": People.PUPILS}
    behalf = Actor(ActorKind.SYSTEM, "carillon", "office", on_behalf_of="Mrs Bell")
    assert refused(lambda: announced(bells, actor=behalf, **few)) == "alone_with_a_child"
    own = Actor(ActorKind.SYSTEM, "carillon")
    assert go(bells, announced(bells, actor=own, **few)) == {"sent": 1}


@pytest.mark.parametrize("kind", [ActorKind.TOKEN, ActorKind.SYSTEM, ActorKind.PROVIDER])
def test_only_a_person_approves(two: World, kind: ActorKind) -> None:
    said = announced(two)
    with pytest.raises(NotAllowed):
        approvals.approve(two.ports, said.public_id, actor=Actor(kind, "The Head"))


def test_while_nobody_is_named_everybody_may_announce_and_nobody_approve(thirty: World) -> None:
    setting(thirty, "approval.needed", "any/any/any")
    said = announced(thirty)
    with pytest.raises(NotAllowed) as broken:
        approvals.approve(thirty.ports, said.public_id, actor=HEAD)
    assert "operators add" in broken.value.problem.hint


def test_who_is_not_named_as_an_author_announces_nothing(two: World) -> None:
    assert refused(lambda: announced(two, actor=DEPUTY)) == "not_allowed"
    assert refused(lambda: announced(two, actor=Actor(ActorKind.PERSON, "Somebody"))) == "not_allowed"
    assert refused(lambda: announced(two, actor=BELL, department="music")) == "not_allowed"


# --- operators ------------------------------------------------------------------------------------------------------


def test_once_there_is_an_admin_only_admins_name_operators_and_change_rules(two: World) -> None:
    assert refused(lambda: operators.add(two.ports, "X", [AUTHOR], None, actor=BELL)) == "not_allowed"
    assert (
        refused(lambda: rule_changes.change(two.ports, "blast.size", "1", "w", actor=BELL)) == "not_allowed"
    )
    accounts.pause(two.ports, "texts", "it looks wrong", actor=BELL)
    assert refused(lambda: accounts.resume(two.ports, "texts", actor=BELL)) == "not_allowed"
    assert refused(lambda: spending.set_budget(two.ports, "office", None, actor=BELL)) == "not_allowed"
    assert refused(lambda: licensing.save(two.ports, "texts", form(), actor=BELL)) == "not_allowed"
    operators.give(two.ports, "mrs bell", [AUTHOR, ADMIN], actor=HEAD)
    operators.add(two.ports, "X", [AUTHOR], None, actor=BELL)


BAD: list[tuple[Callable[[Any], None], str]] = [
    (lambda ports: operators.add(ports, "  ", [AUTHOR], None, actor=HEAD), "bad_operator"),
    (lambda ports: operators.add(ports, "x" * 81, [AUTHOR], None, actor=HEAD), "bad_operator"),
    (lambda ports: operators.add(ports, "A\x00", [AUTHOR], None, actor=HEAD), "bad_operator"),
    (lambda ports: operators.add(ports, "the HEAD", [AUTHOR], None, actor=HEAD), "known"),
    (lambda ports: operators.add(ports, "X", [AUTHOR], "chess", actor=HEAD), "unknown_department"),
    (lambda ports: operators.add(ports, "X", [], None, actor=HEAD), "no_role"),
    (lambda ports: operators.give(ports, "Nobody", [AUTHOR], actor=HEAD), "not_found"),
    (lambda ports: operators.remove(ports, "\x00", actor=HEAD), "not_found"),
    (lambda ports: operators.remove(ports, "The Head", actor=HEAD), "last_admin"),
    (lambda ports: operators.give(ports, "The Head", [AUTHOR], actor=HEAD), "last_admin"),
]


def test_operators_named_badly_are_refused(two: World) -> None:
    for work, code in BAD:
        assert refused(lambda work=work: work(two.ports)) == code  # type: ignore[misc]


def test_an_operator_who_was_taken_away_may_come_back_and_approves_nothing_between(two: World) -> None:
    said = announced(two)
    operators.remove(two.ports, "The Deputy", actor=HEAD)
    assert refused(lambda: approvals.approve(two.ports, said.public_id, actor=DEPUTY)) == "not_allowed"
    operators.add(two.ports, "The Deputy", [APPROVER], None, actor=HEAD)
    approvals.approve(two.ports, said.public_id, actor=DEPUTY)


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


@pytest.mark.parametrize("name", ["mrs  bell", "Mrs B\u0435ll", "Mrs\u200b Bell", "\uff2drs Bell"])
def test_nobody_is_a_second_person_by_a_name_that_looks_like_their_own(two: World, name: str) -> None:
    code = refused(lambda: operators.add(two.ports, name, [APPROVER], None, actor=HEAD))
    assert code in {"known", "bad_operator"}


# --- urgent ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ActorKind.TOKEN, ActorKind.SYSTEM, ActorKind.PROVIDER])
def test_only_a_person_sends_without_a_second_one(two: World, kind: ActorKind) -> None:
    said = announced(two, urgency=Urgency.URGENT)
    machine = Actor(kind, "untis")
    assert (
        refused(lambda: approvals.override(two.ports, said.public_id, "hurry", actor=machine))
        == "not_allowed"
    )


def test_an_urgent_one_may_go_without_a_second_person_and_is_listed_until_reviewed(two: World) -> None:
    said = announced(two, urgency=Urgency.URGENT)
    assert go(two, said) == {}
    approvals.override(two.ports, said.public_id, "the boiler has failed", actor=BELL)
    two.plan(said)
    two.send(lane=Lane.URGENT)
    assert two.states(said) == {"sent": 30}
    assert listed(two) == [(said.public_id, True)]
    alarms = select(t.alarm.c.subject).where(
        t.alarm.c.kind == "approval_overridden", t.alarm.c.cleared_at.is_(None)
    )
    assert [row.subject for row in two.rows(alarms)] == [str(said.public_id)]
    assert (
        refused(lambda: approvals.review(two.ports, said.public_id, "fine", actor=BELL)) == "own_announcement"
    )
    approvals.review(two.ports, said.public_id, "right to send it", actor=HEAD)
    assert listed(two) == []
    assert two.rows(alarms) == []
    assert (
        refused(lambda: approvals.review(two.ports, said.public_id, "x", actor=DEPUTY)) == "nothing_to_review"
    )
    assert two.record().count("announcement.overridden") == 1


def test_nothing_is_accepted_whose_waiver_is_refused(two: World) -> None:
    setting(two, "blast.size", "10")
    draft = two.draft(urgency=Urgency.URGENT)
    before = two.record()
    code = refused(lambda: approvals.accept_overridden(two.ports, draft, "the boiler has failed", actor=BELL))
    assert code == "always_checked"
    assert two.rows(select(t.announcement)) == []
    assert two.rows(select(t.alarm).where(t.alarm.c.kind == "approval_overridden")) == []
    assert two.record() == before
    setting(two, "blast.size", "1000")
    said = approvals.accept_overridden(two.ports, draft, "the boiler has failed", actor=BELL)
    assert (said.created, said.hold) == (True, None)
    assert listed(two) == [(said.announcement.public_id, True)]
    two.plan(said.announcement)
    two.send(lane=Lane.URGENT)
    assert two.states(said.announcement) == {"sent": 30}


def test_a_routine_one_waits_whatever_the_reason(two: World) -> None:
    said = announced(two)
    assert refused(lambda: approvals.override(two.ports, said.public_id, "hurry", actor=BELL)) == "not_urgent"
    assert go(two, said) == {}


# --- few pupils, and whose number it goes by ------------------------------------------------------------------------


@pytest.fixture
def bells(world: World) -> World:
    school = family()
    school.people["ann"] = school.people["ann"].__class__(
        **{name: getattr(school.people["ann"], name) for name in school.people["ann"].__slots__}
        | {"mobiles": ("+447911100009",), "emails": ("ann@pupils.example",)}
    )
    world.bring(school)
    return world


def test_nobody_texts_one_pupil_alone(bells: World) -> None:
    few: dict[str, Any] = {"audience": "Choir & 7B", "people": People.PUPILS}
    assert refused(lambda: announced(bells, **few)) == "alone_with_a_child"


def test_a_whole_form_in_which_one_pupil_has_a_number_is_one_pupil_alone(world: World) -> None:
    school = SmallSchool()
    for n in range(30):
        school.pupil(f"Pupil{n}", "7B", mobiles=("+447911100009",) if n == 7 else ())
    world.bring(school)
    form: dict[str, Any] = {"audience": "7B", "people": People.PUPILS}
    assert refused(lambda: announced(world, **form)) == "alone_with_a_child"


def test_a_pupil_may_be_told_with_the_guardians(bells: World) -> None:
    said = announced(bells, audience="Choir & 7B", people=People.BOTH)
    assert go(bells, said) == {"sent": 3}


def test_both_is_not_enough_where_no_guardian_is_reached(world: World) -> None:
    school = SmallSchool()
    school.guardian("Mum", school.pupil("Ann", "7B", mobiles=("+447911100009",)), emails=("mum@example.org",))
    world.bring(school)
    few: dict[str, Any] = {"audience": "7B", "people": People.BOTH}
    assert refused(lambda: announced(world, **few)) == "alone_with_a_child"
    both = announced(world, **few, ways=(Step(("sms", "email")),))
    assert listed(world) == []
    world.plan(both)
    assert world.states(both) == {"queued": 2}


def test_a_second_adult_in_copy_gets_what_the_pupil_gets(bells: World) -> None:
    few: dict[str, Any] = {"audience": "Choir & 7B", "people": People.PUPILS}
    said = announced(bells, HEAD, **few, copies=("teacher",))
    assert go(bells, said) == {"sent": 2}
    to = {kept.address for kept in bells.channels.texts.truth}
    assert to == {"+447911100009", "+447911100004"}


def test_whoever_announces_it_is_no_second_adult(bells: World) -> None:
    """In copy to themselves they would be alone with the pupil all the same."""
    few: dict[str, Any] = {"audience": "Choir & 7B", "people": People.PUPILS, "copies": ("teacher",)}
    with bells.ledger.begin() as tx:
        theirs = {"given_name": "V\u00e9ra", "family_name": "Bell"}
        tx.hand.connection.execute(update(t.person).where(t.person.c.source_id == "teacher").values(theirs))
    for name in ("Mrs Bell", "MRS  BELL", "Vera", "Vera Bell"):
        alone = Actor(ActorKind.PERSON, name)
        assert refused(partial(announced, bells, alone, **few)) == "alone_with_a_child"
        behalf = Actor(ActorKind.SYSTEM, "carillon", on_behalf_of=name)
        assert refused(partial(announced, bells, behalf, **few)) == "alone_with_a_child"
    assert announced(bells, HEAD, **few).audience == few["audience"]


@pytest.mark.parametrize("who", ["mum", "nobody", "ann"])
def test_a_second_adult_is_somebody_on_the_staff(bells: World, who: str) -> None:
    few: dict[str, Any] = {"audience": "Choir & 7B", "people": People.PUPILS}
    assert refused(lambda: announced(bells, **few, copies=(who,))) == "unknown_copy"


def test_a_second_adult_whom_this_way_does_not_reach_is_none(bells: World) -> None:
    few: dict[str, Any] = {"audience": "Choir & 7B", "people": People.PUPILS, "ways": (Step(("email",)),)}
    assert refused(lambda: announced(bells, HEAD, **few, copies=("teacher",))) == "alone_with_a_child"
