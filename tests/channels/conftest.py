"""The stand-ins that the channels' tests talk to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from sandbox.client import RunningSandbox, start_sandbox
from tests.channels.mail_support import PASSWORD

SHORT = timedelta(milliseconds=1)  # from queued to sent, and again to delivered


@pytest.fixture(scope="session")
def twilio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """The session's stand-in for Twilio: clear its faults after use."""
    with start_sandbox(tmp_path_factory.mktemp("twilio") / "truth.jsonl", step=SHORT) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def mail_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """The session's stand-in for a mail server, which wants a sign-in and keeps mails: clear its faults."""
    flags = ["--smtp-user", "office", "--smtp-password", PASSWORD, "--keep-content"]
    with start_sandbox(tmp_path_factory.mktemp("mail") / "truth.jsonl", flags=flags) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def x(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """The session's stand-in for X: clear its faults, and what its account looks like, after use."""
    with start_sandbox(tmp_path_factory.mktemp("x") / "truth.jsonl") as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """The session's stand-ins of `sandbox.stand_ins`: clear their faults, and what accounts look like, after use."""
    with start_sandbox(tmp_path_factory.mktemp("stand-ins") / "truth.jsonl") as sandbox:
        yield sandbox
