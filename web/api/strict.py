"""What programs send, taken exactly: bounded before it is read, read once, and every fault named by its field.

JSON lets a sender write one key twice, nest without end and count to 5,000 digits, and most readers guess what was
meant. Here nothing is guessed: a number is no text, a field that is not known is an error and not a hope.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any, NoReturn, TypeVar

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, WrapValidator
from pydantic_core import ErrorDetails

from broker.errors import Problem, RuleBroken
from web.bounded import body_of

MOST_BODY = 1024 * 1024
DEEPEST = 32
LONGEST_NUMBER = 40  # characters; no field counts so far
_PIECE = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)
_OPENS = frozenset(b"[{")
_CODES = {
    "extra_forbidden": ("unknown_field", "there is no such field here"),
    "missing": ("missing_field", "this is missing"),
}
T = TypeVar("T", bound=BaseModel)


class NotUnderstood(RuleBroken):
    """Raised when what a program sent is not what this takes: the field stands in the problem, never its value."""


class Shape(BaseModel):
    """What may be sent: its fields and no others, each of its own type."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


def example(*examples: object) -> ConfigDict:
    """A shape's `model_config`, with what a program might send."""
    return ConfigDict(json_schema_extra={"examples": list(examples)})


class Told(BaseModel):
    """What is answered."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class StrictRoute(APIRoute):
    """A route that knows its query and bounds its body. `openapi_extra["x-most"]` allows a larger one."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind the checks."""
        handle = super().get_route_handler()
        known = frozenset(field.alias for field in self.dependant.query_params)
        many = frozenset(
            field.alias
            for field in self.dependant.query_params
            if "Sequence" in str(field.field_info.annotation)
        )
        most: int = (self.openapi_extra or {}).get("x-most", MOST_BODY)

        async def strictly(request: Request) -> Response:
            given = [name for name, _ in request.query_params.multi_items()]
            for name in given:
                if name not in known:
                    _refuse("unknown_field", f"query.{name[:40]}", "there is no such parameter here")
                if name not in many and given.count(name) > 1:
                    _refuse("duplicate_field", f"query.{name}", "this is given twice")
            return await handle(_Bounded(request, most))

        return strictly


class _Bounded(Request):
    """A request whose body is given up when it is too long or too slow; what it holds is for the shapes to read."""

    def __init__(self, request: Request, most: int) -> None:
        super().__init__(request.scope, request.receive)
        self._most = most

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            promised = self.headers.get("content-length", "0")
            if promised.isdigit() and int(promised[:20]) > self._most:
                raise HTTPException(413)
            self._body = await body_of(self, self._most)
        return self._body

    async def json(self) -> Any:
        return await self.body()


def read(kind: type[T]) -> Any:
    """The annotation of a parameter that is a JSON body of this shape."""

    def strictly(value: object, _: Callable[[object], object]) -> T:
        if not isinstance(value, bytes):
            _refuse("not_understood", "body", "a JSON object belongs here")
        check_json(value)
        return kind.model_validate_json(value)

    return Annotated[kind, WrapValidator(strictly)]


def check_json(raw: bytes) -> None:
    """Whether these bytes are JSON that means one thing. Raises NotUnderstood."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        _refuse("not_utf8", "body", "this is no UTF-8")
    _check_depth(raw)
    try:
        json.loads(
            text,
            object_pairs_hook=_no_twins,
            parse_constant=_no_constant,
            parse_int=_short,
            parse_float=_short,
        )
    except json.JSONDecodeError as fault:
        _refuse("not_json", "body", f"this is no JSON: see character {fault.pos + 1:,}")
    except RecursionError:
        _refuse("too_deep", "body", "this is nested too deeply")


def problem_of(errors: Sequence[ErrorDetails] | Sequence[Any]) -> Problem:
    """The first of what a shape found, named by its field. What was sent is not repeated."""
    first = errors[0] if errors else {"loc": (), "type": "", "msg": "this was not understood"}
    where = ".".join(str(part)[:60] for part in first["loc"] if part != "body") or "body"
    code, message = _CODES.get(first["type"], ("wrong_type", str(first["msg"])))
    if first["type"].startswith(("value_error", "json_invalid")):
        code, message = "not_understood", "this was not understood"
    return Problem(code, where, message, "see the API's description: /v1/openapi.json")


def _check_depth(raw: bytes) -> None:
    depth = 0
    for piece in _PIECE.finditer(raw):
        first = raw[piece.start()]
        if first in _OPENS:
            depth += 1
            if depth > DEEPEST:
                _refuse("too_deep", "body", f"this is nested more than {DEEPEST} deep")
        elif first != ord('"'):
            depth -= 1


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twin = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        _refuse("duplicate_field", twin[:60], "this field is given twice")
    return found


def _no_constant(word: str) -> NoReturn:
    _refuse("not_a_number", "body", f"{word} is no number")


def _short(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        _refuse("number_too_long", "body", f"a number has more than {LONGEST_NUMBER} characters")
    return 0  # what it is, the shape reads


def _refuse(code: str, field: str, message: str) -> NoReturn:
    raise NotUnderstood(Problem(code, field, message, "see the API's description: /v1/openapi.json"))
