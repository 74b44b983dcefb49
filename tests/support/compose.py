"""docker-compose.yml as Docker would read it: merged, and taken apart into what each service runs, and with what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from typer.main import get_command

from cli.app import app

COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"
PREFIX = "CARILLON_"


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the file."""

    name: str
    told: dict[str, Any]

    @property
    def ours(self) -> bool:
        """Whether it runs the image that is built here."""
        return "build" in self.told

    @property
    def command(self) -> list[str]:
        return [str(word) for word in self.told.get("command", ())]

    @property
    def environment(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.told.get("environment", {}).items()}

    @property
    def secrets(self) -> list[str]:
        return list(self.told.get("secrets", ()))

    @property
    def healthcheck(self) -> list[str]:
        return [str(word) for word in self.told.get("healthcheck", {}).get("test", ())]


def read(path: Path = COMPOSE) -> dict[str, Any]:
    """The whole file, anchors and merges resolved."""
    found: dict[str, Any] = YAML(typ="safe").load(path)
    return found


def services() -> dict[str, Service]:
    """Every service by name."""
    return {name: Service(name, told) for name, told in read()["services"].items()}


def parsed(words: Sequence[str]) -> dict[str, Any]:
    """The options of a `carillon` command line, as the real command reads it. Raises click's own errors."""
    command: Any = get_command(app)
    rest = list(words)
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    options: dict[str, Any] = command.make_context(words[0], rest).params
    return options
