"""Two pairs of eyes, over the real verbs and ledgers: who may say yes, and who may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from broker import accounts
from broker.actor import Actor, ActorKind
from broker.announcement import Part, Urgency
from broker.authority import approvals, operators, rule_changes, spending
from broker.errors import NotAllowed
from broker.licences import licensing
from broker.ports.approvals import Decided
from ledger import tables as t
from ledger.reads.approvals import looked_at, waiting
from tests.support.broker_world import World
from tests.support.licences import form
from tests.support.second_person import (
    ADMIN,
    APPROVER,
    AUTHOR,
    BELL,
    DEPUTY,
    HEAD,
    announced,
    go,
    listed,
    refused,
    seen,
    setting,
)

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
    operators.move(two.ports, "mrs bell", None, actor=HEAD)
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
