"""One sandbox for most tests; each finds its own messages by a recipient nobody else has."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from sandbox.client import RunningSandbox, start_sandbox
from sandbox.truth import Entry

STEP = timedelta(milliseconds=20)


@pytest.fixture(scope="session")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    truth = tmp_path_factory.mktemp("sandbox") / "truth.jsonl"
    with start_sandbox(truth, callbacks="all", step=STEP, flags=["--keep-content"]) as running:
        yield running


@pytest.fixture
def sandbox(shared_sandbox: RunningSandbox) -> Iterator[RunningSandbox]:
    """A sandbox without faults."""
    shared_sandbox.control.clear()
    yield shared_sandbox
    shared_sandbox.control.clear()


@pytest.fixture(scope="session")
def numbers() -> Iterator[str]:
    return (f"+4477009{number:05}" for number in itertools.count())


@pytest.fixture
def to(numbers: Iterator[str]) -> str:
    """A number no other test writes to."""
    return next(numbers)


@pytest.fixture
def address(to: str) -> str:
    """A mail address no other test writes to."""
    return f"parent{to[1:]}@home.example"


@pytest.fixture
def twilio(sandbox: RunningSandbox) -> Iterator[Client]:
    """The real SDK, pointed at the sandbox, with a short timeout (it has none of its own)."""
    with client_of(sandbox) as client:
        yield client


@contextmanager
def client_of(sandbox: RunningSandbox, timeout_s: float = 2.0) -> Iterator[Client]:
    http = TwilioHttpClient(timeout=timeout_s)
    client = Client(sandbox.account_sid, sandbox.auth_token, http_client=http)
    client.api.base_url = sandbox.twilio_url
    try:
        yield client
    finally:
        http.session.close()


@pytest.fixture
def accepted(sandbox: RunningSandbox) -> Callable[[str], list[Entry]]:
    """What was truly accepted for a recipient."""
    return lambda to: [entry for entry in sandbox.truth() if entry["to"] == to]


@pytest.fixture
def truth_path(tmp_path: Path) -> Path:
    return tmp_path / "truth.jsonl"
