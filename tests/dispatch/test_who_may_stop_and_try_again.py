"""Who may take back, try again or leave what was announced: the verbs themselves refuse, whichever door was used."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select

from broker import intake, recover
from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Announcement, Part
from broker.authority import operators, second_thoughts
from broker.delivery import State
from broker.errors import NotAllowed, RuleBroken
from broker.office import groups, templates
from broker.ports import Ports
from broker.ports.approvals import OperatorRole
from broker.testing.channel_bench import Fault
from ledger import tables as t
from tests.support.broker_world import World

Does = Callable[[Ports, UUID, int, Actor], object]
AUTHOR, APPROVER, AUDITOR, ADMIN = (
    OperatorRole.AUTHOR,
    OperatorRole.APPROVER,
    OperatorRole.AUDITOR,
    OperatorRole.ADMIN,
)
BEFORE: dict[str, Does] = {
    "undo": lambda ports, said, _, actor: second_thoughts.undo(ports, said, actor=actor),
    "withdraw": lambda ports, said, _, actor: intake.withdraw(ports, said, actor=actor),
}
AFTER: dict[str, Does] = {
    "try again": lambda ports, _, one, actor: recover.requeue(ports, one, actor=actor),
    "leave as it is": lambda ports, _, one, actor: recover.settle(ports, one, actor=actor),
    "try all again": lambda ports, said, _, actor: recover.requeue_all(
        ports, said, "sms", [State.UNCERTAIN], expected=30, actor=actor
    ),
}
MAY = {"undo": {AUTHOR, ADMIN, APPROVER}, "withdraw": {AUTHOR, ADMIN, APPROVER}}


def person(world: World, role: OperatorRole, department: str | None = None) -> Actor:
    name = f"{role} of {department}"
    operators.add(world.ports, name, [role], department, actor=SYSTEM)
    return Actor(ActorKind.PERSON, name)


def uncertain(world: World) -> tuple[Announcement, int]:
    """Thirty messages that may have left, and one of them."""
    world.channels.texts.order(Fault.LOST_AFTER_ACCEPT, times=30)
    said = world.announce()
    world.plan(said)
    world.send()
    assert world.states(said) == {"uncertain": 30}
    return said, world.rows(select(t.delivery.c.id).limit(1))[0].id


@pytest.mark.parametrize("role", list(OperatorRole))
@pytest.mark.parametrize("what", [*BEFORE, *AFTER])
def test_whose_role_does_not_hold_it_is_refused_by_the_verb_itself(
    thirty: World, what: str, role: OperatorRole
) -> None:
    said, one = (thirty.announce(), 0) if what in BEFORE else uncertain(thirty)
    before, actor = thirty.states(said), person(thirty, role)
    verb = {**BEFORE, **AFTER}[what]
    if role in MAY.get(what, {AUTHOR, ADMIN}):
        verb(thirty.ports, said.public_id, one, actor)
        return
    with pytest.raises(NotAllowed):
        verb(thirty.ports, said.public_id, one, actor)
    assert thirty.states(said) == before
    with thirty.ports.ledger.look() as tx:
        assert tx.announcements.by_id(said.id).withdrawn_at is None


@pytest.mark.parametrize("what", [*BEFORE, *AFTER])
def test_an_author_of_another_department_is_refused_by_the_verb_itself(thirty: World, what: str) -> None:
    said, one = (thirty.announce(), 0) if what in BEFORE else uncertain(thirty)
    other = next(each for each in ("music", "office") if each != said.department)
    with pytest.raises(NotAllowed):
        {**BEFORE, **AFTER}[what](thirty.ports, said.public_id, one, person(thirty, AUTHOR, other))


def test_nobody_stands_in_for_a_role_that_nobody_has_yet(thirty: World) -> None:
    """Naming operators is for everybody while there is no admin; stopping what others announced is not."""
    said = thirty.announce()
    actor = person(thirty, AUDITOR)
    with pytest.raises(NotAllowed, match="is not named as"):
        intake.withdraw(thirty.ports, said.public_id, actor=actor)


def test_while_a_school_has_named_nobody_everybody_may_stop_what_leaves(thirty: World) -> None:
    said = thirty.announce()
    intake.withdraw(thirty.ports, said.public_id, actor=Actor(ActorKind.PERSON, "Somebody"))
    with thirty.ports.ledger.look() as tx:
        assert tx.announcements.by_id(said.id).withdrawn_at is not None


def test_what_has_changed_since_it_was_looked_at_is_not_tried_again(thirty: World) -> None:
    """Somebody saw a refusal, which reached nobody; by now it may have arrived."""
    _, one = uncertain(thirty)
    with pytest.raises(RuleBroken) as refused:
        recover.requeue(thirty.ports, one, actor=SYSTEM, expected=State.REJECTED)
    assert refused.value.problem.code == "changed_since"
    recover.requeue(thirty.ports, one, actor=SYSTEM, expected=State.UNCERTAIN)


KEEPS: dict[str, Callable[[World, Actor], object]] = {
    "begin a group": lambda world, actor: groups.keep(world.ports, "New", department="office", actor=actor),
    "make a group of others": lambda world, actor: groups.define(
        world.ports, "Both", "Choir", department="office", actor=actor
    ),
    "change who is in it": lambda world, actor: groups.add_members(
        world.ports, "Kept", ["pupil0"], actor=actor
    ),
    "rename it": lambda world, actor: groups.rename(world.ports, "Kept", "Otherwise", actor=actor),
    "give it up": lambda world, actor: groups.retire(world.ports, "Kept", actor=actor),
    "keep a template": lambda world, actor: templates.save(
        world.ports, "office", "Rehearsal", {Part.SHORT: "At six."}, actor=actor
    ),
    "offer a template no more": lambda world, actor: templates.retire(
        world.ports, "office", "Known", actor=actor
    ),
}


@pytest.mark.parametrize("what", KEEPS)
def test_what_is_kept_is_changed_by_those_who_write_alone(thirty: World, what: str) -> None:
    groups.keep(thirty.ports, "Kept", department="office", actor=SYSTEM)
    templates.save(thirty.ports, "office", "Known", {Part.SHORT: "At six."}, actor=SYSTEM)
    for role in (AUDITOR, APPROVER):
        with pytest.raises(NotAllowed, match="is not named as author or admin"):
            KEEPS[what](thirty, person(thirty, role))
    with pytest.raises(NotAllowed, match="acts for music alone"):
        KEEPS[what](thirty, person(thirty, AUTHOR, "music"))
    KEEPS[what](thirty, person(thirty, AUTHOR, "office"))
