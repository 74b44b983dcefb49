"""Lists page by page: everything once, whatever is asked for, on either database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from broker.announcement import Announcement, Step
from broker.delivery import FAILED, State
from ledger.reads import deliveries as listing
from ledger.reads import reached as told
from ledger.reads.deliveries import Wanted, page
from ledger.reads.reached import reached_in_order
from tests.support.broker_world import World

BOTH = (Step(("sms", "email")),)


@pytest.fixture
def two(thirty: World, monkeypatch: pytest.MonkeyPatch) -> tuple[World, Announcement, Announcement]:
    """Two announcements, the first of them by two ways and half of it sent; stretches are short here."""
    monkeypatch.setattr(listing, "STRETCH", 7)
    monkeypatch.setattr(told, "STRETCH", 7)
    first = thirty.announce(ways=BOTH)
    thirty.plan(first)
    thirty.send()
    second = thirty.announce(department="music")
    thirty.plan(second)
    return thirty, first, second


def pages(world: World, wanted: Wanted, limit: int = 4) -> list[int]:
    found: list[int] = []
    place: str | None = None
    for _ in range(100):
        with world.ledger.reading() as hand:
            here = page(hand, wanted, place=place, limit=limit)
        assert len(here.items) <= limit
        found += [one.id for one in here.items]
        if here.more is None:
            return found
        place = here.more
    raise AssertionError("it never ends")


@pytest.mark.parametrize(
    ("asked", "among"),
    [
        (lambda one, two: Wanted(), lambda row: True),
        (lambda one, two: Wanted(announcement=one.public_id), lambda row: row.said == 1),
        (lambda one, two: Wanted(announcement=two.public_id, channel="sms"), lambda row: row.said == 2),
        (lambda one, two: Wanted(announcement=one.public_id, states=frozenset({State.SENT})),
         lambda row: row.said == 1 and row.state == "sent"),
        (lambda one, two: Wanted(department="music"), lambda row: row.said == 2),
        (lambda one, two: Wanted(department="sport"), lambda row: False),
        (lambda one, two: Wanted(channel="email"), lambda row: row.channel == "email"),
        (lambda one, two: Wanted(states=frozenset({State.QUEUED, State.SENT})), lambda row: True),
        (lambda one, two: Wanted(states=FAILED), lambda row: False),
        (lambda one, two: Wanted(states=frozenset()), lambda row: False),
    ],
)  # fmt: skip
def test_every_delivery_that_is_wanted_comes_once(
    two: tuple[World, Announcement, Announcement],
    asked: Callable[[Announcement, Announcement], Wanted],
    among: Callable[[Any], bool],
):
    world, first, second = two
    with world.ledger.reading() as hand:
        every = listing.deliveries(hand, Wanted(), limit=1_000)
    assert len(every) == 90

    class Row:
        def __init__(self, one: listing.Listed) -> None:
            self.said = 1 if one.announcement == first.public_id else 2
            self.state, self.channel = one.state.value, one.channel

    found = pages(world, asked(first, second))
    assert len(found) == len(set(found))
    assert set(found) == {one.id for one in every if among(Row(one))}


@pytest.mark.parametrize("unmet", [False, True])
@pytest.mark.parametrize("which", [0, 1])
def test_every_duty_comes_once_and_of_the_unmet_only_those(
    two: tuple[World, Announcement, Announcement], which: int, unmet: bool
):
    world, said = two[0], (two[1], two[2])[which]
    found, after = [], 0
    for _ in range(100):
        with world.ledger.reading() as hand:
            here, more = reached_in_order(hand, said, after=after, limit=4, unmet=unmet)
        found += [one.duty for one in here]
        if more is None:
            break
        after = more
    expected = 0 if which == 0 and unmet else 30  # the first was sent by text, so everybody has it
    assert len(found) == len(set(found)) == expected
