"""The page of settings says what the models say."""

from __future__ import annotations

from pathlib import Path

from config.table import page

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_page_of_settings_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run: .venv/bin/python -m config.table > docs/settings.md"
    )


def test_every_setting_of_our_own_says_what_it_is() -> None:
    ours = page(channels=()).splitlines()
    assert all(line.split("|")[3].strip() for line in ours if line.startswith("| `"))
