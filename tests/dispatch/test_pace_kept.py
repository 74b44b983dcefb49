"""The pace of an account: turns a little further apart than the quota, and nobody without one who could have had it."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import delete, update

from broker.turns import TICK, Turns, until_turns
from ledger import tables as t
from ledger.pace import CALL, USUAL, apart
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
        assert turns.interval == apart(20, USUAL)
        assert turns.count == 20
        assert (10 * SECOND + USUAL + CALL) / turns.interval <= 10 * 20


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
    least = apart(20, USUAL) - timedelta(milliseconds=1)
    assert all(later - one >= least for one, later in pairwise(held))


def test_turns_are_handed_out_by_the_handful_and_at_a_slow_pace_one_by_one(thirty: World) -> None:
    """What is left of the second ahead waits until it is worth a claim."""
    for quota, most, expected in ((1000.0, 200, [200, 200, 200, 200, 0]), (2.0, 1, [1, 1, 0])):
        with thirty.ledger.begin() as tx:
            tx.hand.connection.execute(update(t.account).values(per_second=quota))
            tx.hand.connection.execute(delete(t.pace))
        with thirty.ledger.begin() as tx:
            account = tx.accounts.named("texts")
            assert account is not None
            assert [tx.pace.reserve(account, most=most, within=SECOND).count for _ in expected] == expected


@pytest.mark.parametrize("behind", [0.0, 0.25])
def test_nothing_goes_before_its_moment_and_together_goes_no_more_than_a_tick_holds(behind: float) -> None:
    """However late they are, and however the machine stumbles meanwhile."""
    turns, interval = Turns(1000.0), 0.001
    first = time.monotonic() - behind
    planned = [first + n * interval for n in range(120)]

    async def used() -> list[float]:
        times = []
        for turn in planned:
            await turns.use(turn)
            times.append(time.monotonic())
        return times

    times = asyncio.run(used())
    assert all(at >= turn for at, turn in zip(times, planned, strict=True))
    at_once = round(TICK / interval) + 1
    for n in range(at_once, len(times)):
        assert times[n] - times[n - at_once] >= interval / 2


@pytest.mark.parametrize("late", [0.0, 0.1, 0.25, 0.4, 0.6, 0.85])
@pytest.mark.parametrize("quota", [10, 100, 1000])
def test_no_ten_seconds_hold_more_than_the_quota_after_a_stall(quota: int, late: float) -> None:
    """All workers stand still for a while, and then use at once what was reserved for it."""
    stalled, horizon, usual = timedelta(seconds=late), SECOND, apart(quota, timedelta(0))
    used = [n * usual for n in range(int(20 * SECOND / usual))]
    used = [max(turn, 10 * SECOND + stalled) if turn >= 10 * SECOND else turn for turn in used]
    used = [turn for turn in used if turn < 10 * SECOND + stalled + horizon]
    after = apart(quota, stalled)
    used += [used[-1] + n * after for n in range(1, int(12 * SECOND / after))]
    times = sorted(turn.total_seconds() for turn in used)
    fullest = max(bisect_left(times, begin + 10) - n for n, begin in enumerate(times))
    assert fullest <= 10 * quota + 1


def test_what_was_late_is_remembered_for_as_long_as_a_provider_counts() -> None:
    turns = Turns(1000.0)

    async def late() -> None:
        await turns.use(time.monotonic() - 0.25)
        await turns.use(time.monotonic())

    asyncio.run(late())
    assert timedelta(milliseconds=250) <= turns.worst() < timedelta(seconds=1)


@pytest.mark.parametrize(("wait", "rest"), [(1.02, 0.52), (0.6, 0.1), (0.3, 0.01), (9.0, 1.0)])
def test_who_waits_for_turns_wakes_while_half_the_horizon_is_still_in_hand(wait: float, rest: float) -> None:
    assert until_turns(timedelta(seconds=wait), SECOND) == timedelta(seconds=rest)
