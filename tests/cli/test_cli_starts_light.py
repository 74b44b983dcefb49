"""A command that stops something is in a hurry: it imports no web framework and no provider's SDK."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from typing import Any

import pytest
from typer.main import get_command

from cli.app import COMMANDS, GROUPS, app, command_of
from tests.cli.conftest import Shell

HEAVY = {"fastapi", "twilio", "tweepy"}
LOOK = "import json, sys; from config.registry import Registry; import cli.app; Registry().kit('sms')"


def test_the_command_starts_without_web_framework_and_sdks() -> None:
    told = subprocess.run(
        [sys.executable, "-c", f"{LOOK}; print(json.dumps([*sys.modules]))"],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    loaded = HEAVY & set(json.loads(told.stdout))
    assert loaded == set()


def test_a_line_makes_its_own_command_alone_and_any_other_word_makes_them_all() -> None:
    every: Any = get_command(app)
    assert set(every.commands) == {*GROUPS, *(one.__name__.replace("_", "-") for one in COMMANDS)}
    for name, made in every.commands.items():
        alone: Any = command_of(name)
        assert set(alone.commands) == {name}
        assert alone.params[0].opts == every.params[0].opts
        assert set(getattr(alone.commands[name], "commands", ())) == set(getattr(made, "commands", ()))
        assert [one.name for one in alone.commands[name].params] == [one.name for one in made.params]
    assert set(command_of("").commands) == set(command_of("--help").commands) == set(every.commands)


@pytest.mark.runs_on("sqlite")
def test_it_says_its_version(shell: Shell) -> None:
    ran = shell("--version")
    assert (ran.code, ran.out) == (0, f"carillon {metadata.version('carillon')}\n")
