"""Faults of a configuration in plain words: pydantic's errors become problems that repeat no value."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ValidationError

from broker.errors import Problem

PREFIX = "CARILLON_"
DELIMITER = "__"

# Only what pydantic says too technically; the rest of its messages are plain enough and hold no input.
WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is no setting",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "int_parsing": "must be a whole number",
    "float_parsing": "must be a number",
    "time_delta_parsing": "must be a number of seconds",
    "dict_type": "must hold names and values",
    "model_type": "must hold names and values",
    "model_attributes_type": "must hold names and values",
    "string_type": "must be text",
    "string_pattern_mismatch": "is not written as it should be",
}


class Faults(ValueError):
    """Raised inside a validator with problems in plain words; `field` "" stands for the validated one."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("; ".join(p.message for p in problems))


def name_of(path: Iterable[object]) -> str:
    """The name under which a person sets the field at this path: CARILLON_SCHOOL__ZONE."""
    return PREFIX + DELIMITER.join(str(part) for part in path).upper()


def nearest(word: str, known: Iterable[str]) -> str:
    """ "did you mean …?" for the nearest known word, or ""."""
    near = difflib.get_close_matches(word[:64], list(known), n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else ""


def plain_words(
    invalid: ValidationError, model: type[BaseModel], under: Sequence[str] = ()
) -> Sequence[Problem]:
    """Every fault of a model that stands `under` this path, as problems."""
    problems: list[Problem] = []
    for error in invalid.errors(include_url=False, include_input=False):
        if error["type"] == "default_factory_not_called":
            continue  # the fault it follows from is told already
        path = (*under, *(str(part) for part in error["loc"]))
        fault = error.get("ctx", {}).get("error")
        if isinstance(fault, Faults):
            problems += [replace(p, field=p.field or name_of(path)) for p in fault.problems]
            continue
        message = WORDS.get(error["type"]) or _sentence(error["msg"])
        hint = _description(model, [str(part) for part in error["loc"]])
        if error["type"] == "extra_forbidden":
            siblings = _fields(model, [str(part) for part in error["loc"][:-1]])
            hint = nearest(name_of(path), (name_of((*path[:-1], sibling)) for sibling in siblings))
        problems.append(Problem(error["type"], name_of(path), message, hint))
    return problems


def _description(model: type[BaseModel], path: Sequence[str]) -> str:
    """What a setting is, in its own words."""
    holder = _model_at(model, path[:-1])
    field = holder.model_fields.get(path[-1]) if holder and path else None
    return f"it is {field.description}" if field and field.description else ""


def _fields(model: type[BaseModel], path: Sequence[str]) -> Sequence[str]:
    holder = _model_at(model, path)
    return tuple(holder.model_fields) if holder else ()


def _model_at(model: Any, path: Sequence[str]) -> type[BaseModel] | None:
    for part in path:
        inner = model.model_fields.get(part)
        model = inner.annotation if inner else None
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return None
    found: type[BaseModel] = model
    return found


def _sentence(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return (
        text.replace("Input should be", "must be")
        .replace("String should", "must")
        .replace("Value should", "must")
    )
