"""The pace of an account: turns a little further apart than the quota, and nobody without one who could have had it."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import update

from broker.turns import until_turns
from ledger import tables as t
from ledger.pace import USED
from tests.support.broker_world import World

SECOND = timedelta(seconds=1)


def test_turns_lie_a_little_further_apart_than_the_quota_allows(thirty: World) -> None:
    """Some are used late; ten seconds that begin with those must not hold more than ten times the quota."""
    with thirty.ledger.begin() as tx:
        tx.hand.connection.execute(update(t.account).values(per_second=20.0))
    with thirty.ledger.begin() as tx:
        account = tx.accounts.named("texts")
        assert account is not None
        turns = tx.pace.reserve(account, most=200, within=SECOND)
        assert turns.interval == timedelta(seconds=1 / (20 * USED))
        assert turns.count == 20
        assert (10 * SECOND + timedelta(milliseconds=300)) / turns.interval <= 10 * 20


def test_two_who_reserve_one_after_the_other_never_hold_the_same_turn(thirty: World) -> None:
    with thirty.ledger.begin() as tx:
        tx.hand.connection.execute(update(t.account).values(per_second=20.0))
    held = []
    for most in (5, 7):
        with thirty.ledger.begin() as tx:
            account = tx.accounts.named("texts")
            assert account is not None
            turns = tx.pace.reserve(account, most=most, within=SECOND)
            held += [tx.hand.now + turns.wait + n * turns.interval for n in range(turns.count)]
    assert len(held) == 12
    apart = timedelta(seconds=1 / (20 * USED)) - timedelta(milliseconds=1)
    assert all(later - one >= apart for one, later in pairwise(held))


@pytest.mark.parametrize(("wait", "rest"), [(1.02, 0.52), (0.6, 0.1), (0.3, 0.01), (9.0, 1.0)])
def test_who_waits_for_turns_wakes_while_half_the_horizon_is_still_in_hand(wait: float, rest: float) -> None:
    assert until_turns(timedelta(seconds=wait), SECOND) == timedelta(seconds=rest)
