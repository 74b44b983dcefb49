"""The pretend clock and the pretend hints behave as the real ones may."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broker.ports import Hints
from broker.testing.clock import PretendClock
from broker.testing.hints import Mood, PretendHints
from broker.values import DeliverHint, Hint, Lane


def hints(count: int) -> list[Hint]:
    return [DeliverHint(f"account {number}", "pretend", Lane.ROUTINE) for number in range(count)]


def taken(queue: PretendHints) -> list[Hint]:
    found = []
    while (hint := queue.take()) is not None:
        found.append(hint)
    return found


def publish(mood: Mood, count: int = 8) -> list[Hint]:
    queue = PretendHints(mood)
    publisher: Hints = queue
    for hint in hints(count):
        publisher.publish(hint)
    assert queue.published == count
    return taken(queue)


def test_hints_are_kept_dropped_doubled_or_reordered():
    assert publish(Mood.KEEP) == hints(8)
    assert publish(Mood.DROP) == []
    assert publish(Mood.DOUBLE) == [hint for hint in hints(8) for _ in range(2)]
    reordered = publish(Mood.REORDER)
    assert reordered != hints(8)
    assert sorted(map(repr, reordered)) == sorted(map(repr, hints(8)))


def test_a_flush_loses_everything():
    queue = PretendHints()
    queue.publish(hints(1)[0])
    queue.flush()
    assert len(queue) == 0


def test_a_clock_moves_when_it_is_told_to_and_never_back():
    clock = PretendClock()
    before = clock.now
    assert clock() == before
    assert clock.advance(timedelta(minutes=2)) == before + timedelta(minutes=2)
    assert clock.monotonic() == 120.0
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(timedelta(seconds=-1))
