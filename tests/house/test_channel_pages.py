"""Every channel of ours has a page that says of its settings and rules what the code says."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import pytest

from broker.channel import ENTRY_POINT_GROUP
from config import policies, table

PAGES = Path(__file__).parents[2] / "docs" / "channels"
OURS = sorted(
    point.name for point in entry_points(group=ENTRY_POINT_GROUP) if point.value.startswith("channels.")
)


@pytest.mark.parametrize("name", OURS)
def test_every_channel_has_a_page(name: str) -> None:
    assert (PAGES / f"{name}.md").is_file()


@pytest.mark.parametrize("name", sorted({*OURS} - {*table.CHANNELS}))
def test_a_channels_page_has_its_settings_as_they_are(name: str) -> None:
    assert table.of_channel(name).strip() in (PAGES / f"{name}.md").read_text(encoding="utf-8"), (
        f"put in its page what this prints: .venv/bin/python -m config.table {name}"
    )


@pytest.mark.parametrize("name", sorted({*OURS} - {*policies.CHANNELS}))
def test_a_channels_page_has_its_rules_as_they_are(name: str) -> None:
    assert policies.of_channel(name).strip() in (PAGES / f"{name}.md").read_text(encoding="utf-8"), (
        f"put in its page what this prints: .venv/bin/python -m config.policies {name}"
    )
