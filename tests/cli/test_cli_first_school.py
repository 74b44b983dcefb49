"""The page that walks a first school through, held to what the command says and does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.running import accounts_of
from config.registry import Registry
from config.settings import load
from config.ways_out import WaysOut
from sandbox.settings import SandboxSettings

pytestmark = pytest.mark.runs_on("sqlite")
PAGE = Path(__file__).parents[2] / "docs" / "first-school.md"


def lines() -> list[str]:
    return [line.strip() for line in PAGE.read_text().splitlines() if line.startswith("    CARILLON_")]


def test_the_page_names_the_accounts_that_the_sandbox_tells() -> None:
    stands = SandboxSettings(truth=Path("truth.jsonl"))
    told = accounts_of(stands, "http://127.0.0.1:8010", "127.0.0.1:8025")
    assert set(told) < set(lines())


def test_the_page_s_settings_are_settings(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("\n".join(lines()))
    settings = load(environ={}, env_file=tmp_path / ".env")
    assert {account.channel for account in settings.accounts.values()} == {"sms", "email"}
    assert settings.sandbox


def test_the_page_s_accounts_open(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("\n".join(lines()))
    settings = load(environ={}, env_file=tmp_path / ".env")
    ways_out = WaysOut(Registry(), settings.accounts, settings.surroundings())
    try:
        assert ways_out.check() == []
    finally:
        ways_out.close()


@pytest.mark.parametrize(
    "to", ["choir", '"Year 7" + Choir', '"Year 7" & Choir', '"Year 7" - Choir', "everyone"]
)
def test_every_audience_of_the_page_is_understood(school: Callable[..., Any], to: str) -> None:
    assert school("announce", "Hello", "--to", to, "--dry-run", "--json").code == 0
