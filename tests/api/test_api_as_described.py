"""Schemathesis tries the API against its own description: every check, every operation, with a token and without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from broker.authority import tokens
from tests.support.api import HEAD, Calling

PHASES = ("examples", "coverage", "fuzzing", "stateful")
CHECKS: Mapping[str, Any] = {
    # What is well formed may still name a group that is not there, or break a rule of the school: that is a 422,
    # with a code of its own. Schemathesis would take it for a refused good request.
    "positive_data_acceptance": {"expected-statuses": ["2xx", "401", "403", "404", "409", "422"]},
}


pytestmark = pytest.mark.timeout(300)  # many calls, on whatever machine


@dataclass
class Tried:
    """What came of it."""

    calls: int = 0
    statuses: set[int] = field(default_factory=set)
    found: dict[tuple[str, str], str] = field(default_factory=dict)


def tried(
    school: Calling, phases: Sequence[str], *, examples: int, token: bool = True, methods: Sequence[str] = ()
) -> Tried:
    """All that these phases find, once for each operation and kind."""
    config = SchemathesisConfig.from_dict(
        {
            "phases": {phase: {"enabled": phase in phases} for phase in PHASES},
            "workers": 1,
            "continue-on-failure": True,
            "generation": {
                "max-examples": examples,
                "deterministic": True,
                "no-shrink": True,
                "database": "none",
            },
            "checks": CHECKS,
        }
    )
    schema: Any = schemathesis.openapi.from_asgi("/v1/openapi.json", school.client.app, config=config)
    if token:
        schema.auth(refresh_interval=None)(_bearer(school))
    if methods:
        schema = schema.include(method=list(methods))
    told = Tried()
    for event in from_schema(schema).execute():
        _take_in(told, event)
    return told


def _bearer(school: Calling) -> type:
    """A token that holds: one of the operations revokes the one that it is called with."""
    machine = [school.token()]

    class Bearer:
        def get(self, case: Any, ctx: Any) -> str:
            if school.get("/token", token=machine[0]).status_code == 401:
                machine[:] = [
                    tokens.make(school.house.ports, str(uuid4()), tokens.MACHINE, actor=HEAD).secret
                ]
            return machine[0]

        def set(self, case: Any, data: str, ctx: Any) -> None:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}

    return Bearer


def _take_in(told: Tried, event: Any) -> None:
    if isinstance(event, events.ScenarioFinished):
        for one in event.recorder.interactions.values():
            if one.response is not None:
                told.calls += 1
                told.statuses.add(one.response.status_code)
        for checks in event.recorder.checks.values():
            for check in checks:
                if check.failure_info is not None:
                    failure, how = check.failure_info.failure, check.failure_info.code_sample
                    told.found.setdefault(
                        (failure.operation or "", failure.title), f"{failure.message[:600]}\n{how[:600]}"
                    )
    elif isinstance(event, events.NonFatalError):
        told.found[event.label, "error"] = repr(event.value)[:600]
    elif isinstance(event, events.FatalError):
        told.found["", "error"] = repr(event.exception)[:600]


def test_every_example_and_some_of_everything_is_answered_as_described(school: Calling) -> None:
    told = tried(school, ("examples", "fuzzing"), examples=2)
    assert told.found == {}
    assert told.calls > 150
    assert {200, 201, 404, 422} <= told.statuses


def test_whatever_is_asked_for_is_answered_as_described(school: Calling) -> None:
    told = tried(school, ("coverage",), examples=2, methods=("GET", "DELETE"))
    assert told.found == {}
    assert told.calls > 300
    assert {200, 401, 404, 405, 422} <= told.statuses


def test_without_a_token_nothing_is_answered_but_that_it_is_missing(school: Calling) -> None:
    told = tried(school, ("examples", "fuzzing"), examples=1, token=False)
    assert told.found == {}
    assert told.calls > 50
    assert told.statuses == {401}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("token", [True, False])
def test_in_depth_nothing_is_found_either(school: Calling, token: bool) -> None:
    told = tried(school, PHASES, examples=40, token=token)
    assert told.found == {}
