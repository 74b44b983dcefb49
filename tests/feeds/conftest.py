"""A school that publishes, on either database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.press import Press, a_press

HUB = "https://hub.example/"


@pytest.fixture(autouse=True)
def _look_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second is long for a test: the ledger is asked each time."""
    monkeypatch.setattr("config.feeds.ASK_EVERY", timedelta(0))


@pytest.fixture
def press(ledger_url: str, tmp_path: Path) -> Iterator[Press]:
    with a_press(ledger_url, tmp_path, hub=HUB) as made:
        yield made
