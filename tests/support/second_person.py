"""What waits for a second person: who they are, what was announced, what is refused, what they see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from broker import intake
from broker.actor import Actor, ActorKind
from broker.announcement import Announcement
from broker.authority import rule_changes
from broker.errors import RuleBroken
from broker.ports.approvals import OperatorRole
from ledger.reads.approvals import looked_at, waiting
from tests.support.broker_world import World

BELL, HEAD, DEPUTY = (Actor(ActorKind.PERSON, name) for name in ("Mrs Bell", "The Head", "The Deputy"))
AUTHOR, APPROVER, ADMIN = OperatorRole.AUTHOR, OperatorRole.APPROVER, OperatorRole.ADMIN


def setting(world: World, key: str, value: str) -> None:
    rule_changes.change(world.ports, key, value, "the test", actor=HEAD)


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
