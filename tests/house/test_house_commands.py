"""The README, the Makefile and CI name the same commands, and the locks install from anywhere."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
CI = (ROOT / ".ci" / "run").read_text()
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
COMMAND = re.compile(r"\bmake ((?:[a-z]+ ?)+)(?:(ARGS|DIR)=)?")
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-build.lock"]
PIN = re.compile(r"^\S+==\S+", re.MULTILINE)


def commands_in(text: str) -> set[str]:
    """The targets that a text tells somebody to make."""
    return {target for found in COMMAND.finditer(text) for target in found.group(1).split() if found.group(1)}


def in_code(text: str) -> str:
    """What a Markdown text marks as code."""
    return "\n".join(re.findall(r"```.*?```|`[^`]+`", text, re.DOTALL))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_command_a_page_names_is_there(page: str) -> None:
    named = commands_in(in_code((ROOT / page).read_text()))
    assert named
    assert named <= TARGETS


def test_ci_calls_what_the_readme_tells_a_newcomer() -> None:
    called = commands_in(CI)
    assert {"demo", "test", "check"} <= called <= TARGETS
    assert called - {"samples"} <= commands_in(in_code((ROOT / "README.md").read_text()))


def test_the_demo_ends_by_itself_in_ci_in_the_readmes_own_words() -> None:
    words = 'make demo ARGS="--once --json"'
    assert words in CI
    assert words in (ROOT / "README.md").read_text()


def test_ci_is_executable_and_asks_nobody() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "exec </dev/null" in CI


def test_make_help_lists_every_target() -> None:
    told = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    ).stdout
    assert set(re.findall(r"^  make ([a-z]+)", told, re.MULTILINE)) == TARGETS


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address_and_no_path_of_a_machine(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert not re.search(r"https?:|file:|--(?:extra-)?index-url|--find-links|@ |(?<!\\)/", text)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_in_a_lock_is_pinned_and_hashed(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text().strip())
    assert len(entries) >= 2
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+(?:\[[a-z,]+\])?==\S+ ", entry), entry.splitlines()[0]
        assert "--hash=sha256:" in entry


def test_the_smaller_locks_are_part_of_the_whole_one() -> None:
    runtime, whole, build = (set(PIN.findall((ROOT / lock).read_text())) for lock in LOCKS)
    assert len(runtime) > 40
    assert runtime | build <= whole


def test_celery_kombu_and_redis_are_locked_as_one_set() -> None:
    text = (ROOT / "requirements.lock").read_text()
    for pin in ("celery==5.6.3 ", "kombu==5.6.2 ", "redis==6.4.0 "):
        assert f"\n{pin}" in text
