"""The ledger stumbles while a worker sends: nothing hangs, and what did not start is given back at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from broker.announcement import Part, Step
from broker.dispatch import Tempo
from broker.testing.provider import PretendProvider
from ledger.connect import Ledger
from tests.support.broker_world import World

GONE = Exception("the connection is gone")


@contextmanager
def starts_fail(ledger: Ledger, *, after: int) -> Iterator[None]:
    """As when a database goes away: every statement that commits a start, from then on, finds its connection gone."""
    seen = 0

    def stumble(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal seen
        if "INSERT INTO attempt" in statement:
            seen += 1
            if seen > after:
                raise OperationalError(statement, {}, GONE)

    with told_of_statements(ledger, stumble):
        yield


@contextmanager
def one_joint_start_fails(ledger: Ledger) -> Iterator[list[str]]:
    """As when a database restarts: the first start in a transaction that has written outcomes; yields what failed."""
    failed: list[str] = []
    wrote: set[object] = set()

    def stumble(connection: Connection, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if "UPDATE attempt" in statement and "[]" not in _bound(values):
            wrote.add(connection.get_transaction())
        if "INSERT INTO attempt" in statement and not failed and connection.get_transaction() in wrote:
            failed.append(statement)
            raise OperationalError(statement, {}, GONE)

    with told_of_statements(ledger, stumble):
        yield failed


def _bound(values: Any) -> list[Any]:
    return list(values.values() if isinstance(values, dict) else values)


@contextmanager
def told_of_statements(ledger: Ledger, tell: Callable[..., None]) -> Iterator[None]:
    event.listen(ledger.engine, "before_cursor_execute", tell)
    try:
        yield
    finally:
        event.remove(ledger.engine, "before_cursor_execute", tell)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("after", [0, 2])
def test_a_start_that_fails_ends_the_turn_and_the_next_turn_sends_the_rest(thirty: World, after: int) -> None:
    thirty.tempo = replace(Tempo(), chunk=3)
    said = thirty.announce()
    thirty.plan(said)
    with starts_fail(thirty.ledger, after=after), pytest.raises(OperationalError):
        thirty.send()
    thirty.send()
    assert thirty.states(said) == {"sent": 30}
    assert_once_each(thirty.channels.texts)


@pytest.mark.timeout(20)
def test_outcomes_are_not_lost_with_the_start_that_goes_with_them(thirty: World) -> None:
    mails = thirty.channels.kits["email"]
    # Ten windows to a claim: one is at hand whenever one has ended.
    mails.traits = replace(mails.traits, window=3)
    said = thirty.announce(ways=(Step(("email",)),), parts={Part.SHORT: "The coach leaves at eight."})
    thirty.plan(said)
    with one_joint_start_fails(thirty.ledger) as failed:
        thirty.send("mails")
    assert len(failed) == 1
    assert thirty.states(said) == {"sent": 30}
    assert_once_each(thirty.channels.mails)


def assert_once_each(provider: PretendProvider) -> None:
    kept = [one.address for one in provider.truth]
    assert len(kept) == len(set(kept)) == 30
