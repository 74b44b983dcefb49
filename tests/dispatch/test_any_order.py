"""In whatever order it comes: the same rules on both databases."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    run_state_machine_as_test,
)

from config.signer import HmacSigner
from ledger.connect import open_ledger
from ledger.setup import ConfiguredAccount, School, install
from tests.support.any_order import AnyOrder
from tests.support.broker_world import World
from tests.support.every_kind import ACCOUNTS, world_of_every_kind

SCHOOL = School("st-brides", "St Bride's", "Europe/London", "en-GB", "GB")


@pytest.fixture
def every_kind(ledger_url: str) -> Iterator[World]:
    signer = HmacSigner(b"a secret of the tests")
    ledger = open_ledger(ledger_url, signer)
    install(
        ledger, SCHOOL, {"office": "School office"}, [ConfiguredAccount(a, c) for c, a in ACCOUNTS.items()]
    )
    yield world_of_every_kind(ledger, signer)
    ledger.close()


@pytest.fixture
def everything_logged() -> Iterator[list[str]]:
    """At every level, by the house's own code and by what it stands on."""
    said: list[str] = []
    root, handler = logging.getLogger(), logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield said
    root.setLevel(before)
    root.removeHandler(handler)


@pytest.mark.timeout(600)
def test_in_any_order_nothing_is_lost_and_nothing_sent_twice(
    every_kind: World, everything_logged: list[str], request: pytest.FixtureRequest
) -> None:
    machine = type("AnyOrderHere", (AnyOrder,), {"world": every_kind, "log": everything_logged})
    slow = bool(request.config.getoption("--slow"))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=200 if slow else 12,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=not slow,  # the same few on every landing; `make deep` draws others each time
            phases=list(Phase) if slow else [Phase.generate],  # a smaller example takes minutes to find
        ),
    )
