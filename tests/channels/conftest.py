"""The contract suite lives outside tests/, and should tell as much as a test when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from sandbox.client import RunningSandbox, start_sandbox

pytest.register_assert_rewrite("broker.testing")

SHORT = timedelta(milliseconds=1)  # from queued to sent, and again to delivered


@pytest.fixture(scope="session")
def twilio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """The session's stand-in for Twilio: clear its faults after use."""
    with start_sandbox(tmp_path_factory.mktemp("twilio") / "truth.jsonl", step=SHORT) as sandbox:
        yield sandbox
