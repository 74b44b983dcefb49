"""Who acts for one department does nothing for the whole school: not at the command line either."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from broker import accounts
from broker.actor import Actor, ActorKind
from broker.authority import operators, rule_changes, signin, spending, switching
from broker.authority.operators import must
from broker.consent import consents
from broker.errors import NotAllowed
from broker.ladders import seen
from broker.privacy import erasure
from broker.rules.switches import SwitchKind
from tests.support.broker_world import World
from tests.support.second_person import ADMIN, APPROVER, AUTHOR, HEAD, refused

MUSIC = Actor(ActorKind.PERSON, "Music's admin")


@pytest.fixture
def apart(two: World) -> World:
    """A school with an admin, and somebody who has every role in one department."""
    operators.add(two.ports, MUSIC.id, {ADMIN, APPROVER, AUTHOR}, "music", actor=HEAD)
    return two


def for_the_school(world: World) -> dict[str, Callable[[], object]]:
    ports = world.ports
    return {
        "names themselves anything": lambda: operators.move(ports, MUSIC.id, None, actor=MUSIC),
        "names another": lambda: operators.add(ports, "A friend", {ADMIN}, None, actor=MUSIC),
        "takes the head away": lambda: operators.remove(ports, HEAD.id, actor=MUSIC),
        "changes the rules": lambda: rule_changes.change(ports, "approval.needed", "", "why", actor=MUSIC),
        "lets all go on": lambda: switching.go(ports, SwitchKind.EVERYTHING, "", "why", actor=MUSIC),
        "resumes an account": lambda: accounts.resume(ports, "texts", actor=MUSIC),
        "gives itself money": lambda: spending.set_budget(ports, "music", Decimal(9), actor=MUSIC),
        "invites the head": lambda: signin.invite(ports, HEAD.id, actor=MUSIC),
        "takes all consent out": lambda: consents.everything(ports, actor=MUSIC),
        "reveals anybody": lambda: erasure.reveal(ports, "Pupil1", why="why", actor=MUSIC),
    }


def test_nothing_of_the_whole_schools_is_theirs_to_change(apart: World) -> None:
    for what, act in for_the_school(apart).items():
        with pytest.raises(NotAllowed, match="this is for the whole school"):
            pytest.fail(f"{what}: {act()}")


def test_in_their_department_they_act_by_their_roles_and_in_another_not(apart: World) -> None:
    with apart.ledger.look() as tx:
        for role in (ADMIN, APPROVER, AUTHOR):
            must(tx, MUSIC, role, "music")
            with pytest.raises(NotAllowed, match="acts for music alone"):
                must(tx, MUSIC, role, "office")
            with pytest.raises(NotAllowed, match="for the whole school"):
                must(tx, MUSIC, role)


def test_what_a_family_says_of_another_departments_announcement_is_not_theirs_to_note(apart: World) -> None:
    said = apart.announce(department="office")
    with pytest.raises(NotAllowed, match="acts for music alone"):
        seen.at_the_office(apart.ports, said.public_id, 1, why="she rang", actor=MUSIC)


def test_the_last_admin_of_the_whole_school_neither_goes_nor_is_moved_to_a_department(apart: World) -> None:
    ports = apart.ports
    acts: list[Callable[[], object]] = [
        lambda: operators.remove(ports, HEAD.id, actor=HEAD),
        lambda: operators.move(ports, HEAD.id, "music", actor=HEAD),
        lambda: operators.give(ports, HEAD.id, {AUTHOR}, actor=HEAD),
    ]
    assert [refused(act) for act in acts] == ["last_admin"] * 3


def test_while_the_school_has_none_an_admin_of_a_department_stands_in_or_nobody_could_name_one(
    world: World,
) -> None:
    operators.add(world.ports, MUSIC.id, {ADMIN}, "music", actor=MUSIC)
    assert refused(lambda: operators.add(world.ports, "X", {ADMIN}, None, actor=HEAD)) == "not_allowed"
    operators.add(world.ports, HEAD.id, {ADMIN}, None, actor=MUSIC)
    assert refused(lambda: operators.add(world.ports, "X", {ADMIN}, None, actor=MUSIC)) == "not_allowed"
