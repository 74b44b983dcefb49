"""The ledger stumbles while a worker sends: nothing hangs, and what did not start is given back at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from broker.announcement import Announcement
from broker.dispatch import Tempo
from ledger.connect import Ledger
from tests.support.broker_world import World


@contextmanager
def starts_fail(ledger: Ledger, *, after: int, times: int = 1) -> Iterator[None]:
    """As when a database restarts: statements that commit a start find their connection gone."""
    seen = 0

    def stumble(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal seen
        if "INSERT INTO attempt" in statement:
            seen += 1
            if after < seen <= after + times:
                raise OperationalError(statement, {}, Exception("the connection is gone"))

    event.listen(ledger.engine, "before_cursor_execute", stumble)
    try:
        yield
    finally:
        event.remove(ledger.engine, "before_cursor_execute", stumble)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("after", "times"), [(0, 1), (2, 2)])
def test_a_start_that_fails_ends_the_turn_and_the_next_turn_sends_the_rest(
    thirty: World, after: int, times: int
) -> None:
    thirty.tempo = replace(Tempo(), chunk=3)
    said = thirty.announce()
    thirty.plan(said)
    with starts_fail(thirty.ledger, after=after, times=times), pytest.raises(OperationalError):
        thirty.send()
    thirty.send()
    assert_told_once_each(thirty, said)


@pytest.mark.timeout(20)
def test_outcomes_are_not_lost_with_the_start_that_goes_with_them(thirty: World) -> None:
    thirty.tempo = replace(Tempo(), chunk=3)
    said = thirty.announce()
    thirty.plan(said)
    with starts_fail(thirty.ledger, after=2):
        assert thirty.send() == 30
    assert_told_once_each(thirty, said)


def assert_told_once_each(world: World, said: Announcement) -> None:
    assert world.states(said) == {"sent": 30}
    kept = [one.address for one in world.channels.texts.truth]
    assert len(kept) == len(set(kept)) == 30
