"""Where settings come from: the environment, `.env`, the secrets folder, one flat mapping of names in the end."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from dotenv import dotenv_values
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource

from broker.errors import Problem
from config.faults import DELIMITER, PREFIX, name_of, nearest

if TYPE_CHECKING:
    from config.settings import Settings

__all__ = ["gather", "name_of", "nest", "unknown"]

SECRETS_DIR = f"{PREFIX}SECRETS_DIR"
DEBUG = f"{PREFIX}DEBUG"  # the command's own: where an unforeseen fault happened is shown
DEFAULT_SECRETS_DIR = Path("/run/secrets")
MOST_BYTES = 64 * 1024


def gather(
    environ: Mapping[str, str] | None, env_file: Path | None
) -> tuple[Mapping[str, str], Sequence[Problem]]:
    """Every CARILLON_ name with its value, in small letters; the environment wins over `.env`, that over secrets."""
    environ = os.environ if environ is None else environ
    faults: list[Problem] = []
    from_file = _env_file(env_file, faults)
    told = environ.get(SECRETS_DIR) or from_file.get(SECRETS_DIR)
    secrets = _secrets(Path(told) if told else DEFAULT_SECRETS_DIR, faults, wanted=bool(told))
    names: dict[str, str] = {}
    for source in (secrets, from_file, environ):
        names |= {k.lower(): v for k, v in source.items() if k.upper().startswith(PREFIX) and v != ""}
    for told_elsewhere in (SECRETS_DIR, DEBUG):
        names.pop(told_elsewhere.lower(), None)
    return names, faults


def nest(names: Mapping[str, str], model: type[Settings]) -> dict[str, Any]:
    """The flat names as the tree that `model` validates."""
    return _Names(names, model)()


def unknown(names: Mapping[str, str], model: type[BaseModel]) -> Sequence[Problem]:
    """A problem for every name whose first part is no setting; deeper parts are the validation's to find."""
    known = [name_of((field,)) for field in model.model_fields]
    firsts = {PREFIX + name[len(PREFIX) :].split(DELIMITER)[0].upper(): name.upper() for name in names}
    return [
        Problem("unknown_setting", name, "is no setting", nearest(first, known))
        for first, name in sorted(firsts.items())
        if first not in known
    ]


class _Names(EnvSettingsSource):
    """pydantic-settings' own nesting of names, fed with names that are already gathered."""

    def __init__(self, names: Mapping[str, str], model: type[Settings]) -> None:
        self._names = names
        # The source reads a class's fields and config alone; the model stays a plain value without an environment.
        super().__init__(cast("type[BaseSettings]", model), env_prefix=PREFIX, env_nested_delimiter=DELIMITER)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._names

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        # A token of digits must stay text: only what begins like an object or a list is taken for one.
        if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
            try:
                return json.loads(value)
            except ValueError:
                return value
        return value


def _env_file(path: Path | None, faults: list[Problem]) -> Mapping[str, str]:
    if path is None or not path.is_file():
        return {}
    try:
        # Without interpolation: a password may hold a dollar sign.
        values = dotenv_values(path, interpolate=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        faults.append(
            Problem("unreadable_file", str(path), "cannot be read", "it must be a text file in UTF-8")
        )
        return {}
    return {name: value for name, value in values.items() if value is not None}


def _secrets(folder: Path, faults: list[Problem], *, wanted: bool) -> Mapping[str, str]:
    if not folder.is_dir():
        if wanted:
            faults.append(
                Problem("no_secrets_dir", SECRETS_DIR, "names no folder", "make it, or leave the setting out")
            )
        return {}
    found: dict[str, str] = {}
    for path in sorted(folder.iterdir()):
        if path.name.upper().startswith(PREFIX) and path.is_file():
            try:
                with path.open("rb") as file:
                    found[path.name] = file.read(MOST_BYTES).decode("utf-8").strip("\r\n")
            except (OSError, UnicodeDecodeError):
                faults.append(
                    Problem("unreadable_file", path.name.upper(), "cannot be read from the secrets folder")
                )
    return found
