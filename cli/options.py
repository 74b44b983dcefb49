"""Options that several commands share, with one wording; and options that are the fields of a dataclass."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import wraps
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON object instead of tables.")]
Operator = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Who does this, for the record; else CARILLON_OPERATOR."),
]
Zone = Annotated[
    str | None,
    typer.Option("--zone", metavar="ZONE", help="Time zone of --at and --expires; else the school's."),
]
T = TypeVar("T")


def asking(kind: type[T]) -> Callable[[Callable[[T], None]], Callable[..., None]]:
    """A command whose options are the fields of a dataclass: a new option is a new field, and nothing to hand on.

    Typer reads a command's options from its signature, so this gives it the fields as one.
    """
    hints = get_type_hints(kind, include_extras=True)
    signature = inspect.Signature(
        [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if field.default is MISSING else field.default,
                annotation=hints[field.name],
            )
            for field in fields(kind)  # type: ignore[arg-type]
        ]
    )

    def command_of(answer: Callable[[T], None]) -> Callable[..., None]:
        @wraps(answer)
        def command(**typed: Any) -> None:
            answer(kind(**typed))

        command.__signature__ = signature  # type: ignore[attr-defined]
        return command

    return command_of
