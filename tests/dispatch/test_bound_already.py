"""A look-up knows what the provider has of ours already: a text found is one attempt's alone."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import event

from broker.testing.channel_bench import Fault
from tests.support.broker_world import World

MINUTE = timedelta(minutes=1)


def test_the_same_words_to_the_same_number_are_not_found_for_another_attempt(thirty: World) -> None:
    """Thirty texts arrived; the next thirty, which say the same, never did."""
    provider = thirty.channels.texts
    provider.silence = timedelta(0)
    first = thirty.announce()
    thirty.plan(first)
    thirty.send()
    provider.order(Fault.TIMEOUT_BEFORE, times=30)
    second = thirty.announce()
    thirty.plan(second)
    thirty.send()
    assert thirty.states(second) == {"uncertain": 30}
    for _ in range(2):  # absent twice is proven absent
        thirty.pass_time(MINUTE)
        thirty.sweep()
    assert thirty.states(first) == {"sent": 30}
    assert thirty.states(second) == {"queued": 30}
    thirty.send()
    assert thirty.states(second) == {"sent": 30}
    assert len(provider.truth) == 60


def test_a_look_up_asks_once_for_what_is_bound_however_many_it_is_about(thirty: World) -> None:
    provider = thirty.channels.texts
    provider.silence = timedelta(0)
    provider.order(Fault.LOST_AFTER_ACCEPT, times=30)
    said = thirty.announce()
    thirty.plan(said)
    thirty.send()
    thirty.pass_time(MINUTE)
    asked: list[str] = []
    event.listen(thirty.ledger.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    thirty.sweep()
    assert thirty.states(said) == {"sent": 30}
    assert sum("an.expires_at >" in statement for statement in asked) == 1
