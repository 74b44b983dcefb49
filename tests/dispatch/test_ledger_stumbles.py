"""The ledger stumbles while a worker sends: nothing hangs, and what did not start is given back at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from broker.dispatch import Tempo
from ledger.connect import Ledger
from tests.support.broker_world import World


@contextmanager
def one_start_fails(ledger: Ledger, *, after: int) -> Iterator[None]:
    """As when a database restarts: one statement that commits a start finds its connection gone."""
    seen = 0

    def stumble(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal seen
        if "INSERT INTO attempt" in statement:
            seen += 1
            if seen == after + 1:
                raise OperationalError(statement, {}, Exception("the connection is gone"))

    event.listen(ledger.engine, "before_cursor_execute", stumble)
    try:
        yield
    finally:
        event.remove(ledger.engine, "before_cursor_execute", stumble)


@pytest.mark.timeout(20)
def test_a_start_that_fails_ends_the_turn_and_the_next_turn_sends_the_rest(thirty: World) -> None:
    thirty.tempo = replace(Tempo(), chunk=3)
    said = thirty.announce()
    thirty.plan(said)
    with one_start_fails(thirty.ledger, after=2), pytest.raises(OperationalError):
        thirty.send()
    thirty.send()
    assert thirty.states(said) == {"sent": 30}
    kept = [one.address for one in thirty.channels.texts.truth]
    assert len(kept) == len(set(kept)) == 30
