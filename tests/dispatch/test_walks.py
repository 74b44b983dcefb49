"""Claims go on where the last one ended, and begin anew before anybody waits for long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from broker.values import Lane
from ledger.walks import AT_MOST, Walks
from tests.support.broker_world import World

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Ticks:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, length: timedelta) -> None:
        self.now += length.total_seconds()


def picked(world: World, limit: int) -> list[int]:
    with world.ledger.begin() as tx:
        account = tx.accounts.named("texts")
        assert account is not None
        return sorted(one.delivery for one in tx.deliveries.pick(account, Lane.ROUTINE, limit=limit))


def test_a_claim_goes_on_where_the_last_one_ended(thirty: World) -> None:
    thirty.ledger.dialect.walks = Walks(Ticks())
    thirty.plan(thirty.announce())
    first, second, third = (picked(thirty, 10) for _ in range(3))
    assert len({*first, *second, *third}) == 30
    assert first < second < third


def test_too_few_ahead_and_the_claim_looks_from_the_beginning(thirty: World) -> None:
    """Nothing was taken here: what was given back at once stands at the beginning, and is found in the same claim."""
    thirty.ledger.dialect.walks = Walks(Ticks())
    thirty.plan(thirty.announce())
    first = picked(thirty, 20)
    assert picked(thirty, 20) == first


def test_after_a_second_the_claim_looks_from_the_beginning(thirty: World) -> None:
    ticks = Ticks()
    thirty.ledger.dialect.walks = Walks(ticks)
    thirty.plan(thirty.announce())
    first = picked(thirty, 10)
    ticks.pass_by(AT_MOST / 2)
    assert picked(thirty, 10) != first
    ticks.pass_by(AT_MOST / 2)
    assert picked(thirty, 10) == first


def test_a_walk_ends_where_nothing_is_left() -> None:
    walks = Walks(Ticks())
    walks.came_to("texts", (NOON, 7), afresh=True)
    assert walks.place("texts") == (NOON, 7)
    assert walks.place("mails") is None
    walks.came_to("texts", None, afresh=False)
    assert walks.place("texts") is None
