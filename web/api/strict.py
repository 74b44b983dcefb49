"""What programs send, taken exactly: bounded before it is read, read once, and every fault named by its field.

JSON lets a sender write one key twice, nest without end and count to 5,000 digits, and most readers guess what was
meant. Here nothing is guessed: a number is no text, a field that is not known is an error and not a hope.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, NoReturn, TypeVar

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, JsonValue
from pydantic_core import CoreSchema, core_schema
from starlette.concurrency import run_in_threadpool

from broker.announcement import Part
from broker.authority.tokens import Caller, TokenRefused, caller_of, is_whole, refused
from broker.errors import NotFound, Problem, RuleBroken, TooManyTries
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
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_DESCRIBED = "see the API's description: /v1/openapi.json"
JSON = "application/json"
KEY_HEADER = "header.Idempotency-Key"
_KEY_HINT = "give a word of your own without spaces, up to 200 characters, and the same when you ask again"
T = TypeVar("T")


class NotUnderstood(RuleBroken):
    """Raised when what a program sent is not what this takes: the field stands in the problem, never its value."""


class NotThere(RuleBroken):
    """Raised when a body names something that is not there; of what the path names that is a NotFound."""


class WrongType(RuleBroken):
    """Raised when a body comes as another type than this takes, and is not read."""


class Shape(BaseModel):
    """What may be sent: its fields and no others, each of its own type."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


def example(*examples: JsonValue) -> ConfigDict:
    """A shape's `model_config`, with what a program might send, or be told."""
    return ConfigDict(json_schema_extra={"examples": list(examples)})


class Told(BaseModel):
    """What is answered."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class StrictRoute(APIRoute):
    """A route that knows who calls before it reads anything, its query, and its body's type and bounds.

    `openapi_extra["x-most"]` allows a larger body, its `requestBody` one of other types than JSON.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind the checks."""
        handle = super().get_route_handler()
        extra: Mapping[str, Any] = self.openapi_extra or {}
        most: int = extra.get("x-most", MOST_BODY)
        types = frozenset(extra.get("requestBody", {}).get("content", {JSON} if self.body_field else ()))
        fields = self.dependant.query_params
        known = {field.alias: "Sequence" in str(field.field_info.annotation) for field in fields}
        shape = self.body_field.field_info.annotation if self.body_field else None
        sent = frozenset(getattr(shape, "model_fields", ()))
        in_path = {field.alias for field in self.dependant.path_params}

        async def strictly(request: Request) -> Response:
            request.state.caller = await run_in_threadpool(_caller, request)
            _check_address(request, known)
            _check_type(request, types)
            try:
                return await handle(_Bounded(request, most))
            except NotUnderstood:
                raise
            except RuleBroken as error:
                error.problem = replace(error.problem, field=as_sent(error.problem, sent))
                if types and isinstance(error, NotFound) and error.problem.field not in in_path:
                    raise NotThere(error.problem) from None
                raise

        return strictly


def as_sent(problem: Problem, fields: Collection[str]) -> str:
    """The field of a problem as a program wrote it: the law knows parts of a wording, a program wrote `words.long`."""
    field = problem.field
    if "words" in fields and field in {"text", *Part} - set(fields):
        return "words" if field == "text" or problem.code == "empty_text" else f"words.{field}"
    if "ways" in fields and field == "via":
        return "ways"
    if problem.code in {"key_conflict", "bad_key"}:
        return KEY_HEADER
    times = {"at": "send_at", "expires": "expires_at"}
    return times[field] if times.get(field) in fields else field


class _Bounded(Request):
    """A request whose body is given up when it is too long or too slow; what it holds is for the shapes to read."""

    def __init__(self, request: Request, most: int) -> None:
        super().__init__(request.scope, request.receive)
        self._most = most

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            promised = self.headers.get("content-length", "0")
            if not promised.isdecimal() or len(promised) > 18 or int(promised) > self._most:
                raise HTTPException(413)
            self._body = await body_of(self, self._most)
        return self._body

    async def json(self) -> Any:
        return await self.body()


class _FromJson:
    """Reads a shape from the very bytes: in pydantic's strict mode a time may be a text only there."""

    def __get_pydantic_core_schema__(
        self, source: type[BaseModel], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def strictly(value: object, _: object) -> BaseModel:
            if not isinstance(value, bytes):
                _refuse("not_understood", "body", "a JSON object belongs here")
            check_json(value)
            return source.model_validate_json(value)

        return core_schema.no_info_wrap_validator_function(strictly, handler(source))


# A parameter that is a JSON body of this shape.
Sent = Annotated[T, _FromJson()]


def _caller(request: Request) -> Caller:
    """Who calls. Of whom nobody knows no body is read."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise refused()
    secret = secret.strip()
    try:
        return caller_of(request.app.state.ports, secret)
    except TokenRefused:
        # It is looked up first, whoever else floods: a token that holds is never turned away for others' guesses.
        if is_whole(secret) and not request.app.state.guesses.allows():
            message = "too many tokens that do not hold are being tried"
            raise TooManyTries(
                Problem("too_many_tries", "Authorization", message, "wait a minute, then try again")
            ) from None
        raise


def _check_address(request: Request, known: Mapping[str, bool]) -> None:
    """Every parameter is one that is known, and given once where it has one value."""
    given: set[str] = set()
    for name, value in request.query_params.multi_items():
        where = f"query.{name[:40]}"
        if name not in known:
            _refuse("unknown_field", where, "there is no such parameter here")
        if name in given and not known[name]:
            _refuse("duplicate_field", where, "this is given twice")
        given.add(name)
        _check_text(where, (value,))
    for name, value in request.path_params.items():
        _check_text(f"path.{name}", (str(value),))


def _check_type(request: Request, types: frozenset[str]) -> None:
    """A body is of a type that this takes; where it takes none, nobody is left to believe that it was read."""
    if request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers:
        if types:
            _refuse("missing_field", "body", "this is missing")
        return
    if not types:
        _refuse("unknown_field", "body", "this takes no body")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in types:
        hint = f"send it as {' or '.join(sorted(types))}"
        raise WrongType(
            Problem("wrong_media_type", "Content-Type", "the body has another type than this takes", hint)
        )


def check_json(raw: bytes) -> None:
    """Whether these bytes are JSON that means one thing. Raises NotUnderstood."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        _refuse("not_utf8", "body", "this is no UTF-8")
    _check_depth(raw)
    # No other escape can hide what is no character.
    hook = _fit if "\\u" in text else _no_twins
    try:
        json.loads(
            text,
            object_pairs_hook=hook,
            parse_constant=_no_constant,
            parse_int=_short,
            parse_float=_short,
        )
    except json.JSONDecodeError as fault:
        _refuse("not_json", "body", f"this is no JSON: see character {fault.pos + 1:,}")
    except RecursionError:
        _refuse("too_deep", "body", "this is nested too deeply")


def problem_of(errors: Sequence[Any]) -> Problem:
    """The first of what a shape found, named by its field. What was sent is not repeated."""
    first: Mapping[str, Any] = errors[0] if errors else {"loc": (), "type": "json_invalid", "msg": ""}
    where = ".".join(str(part)[:60] for part in first["loc"] if part != "body") or "body"
    code, message = _CODES.get(first["type"], ("wrong_type", str(first["msg"])))
    if first["type"].startswith(("value_error", "json_invalid")):
        code, message = "not_understood", "this was not understood"
    hint = _KEY_HINT if where == KEY_HEADER else _DESCRIBED
    return Problem(code, where, message, hint)


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


def _fit(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    for name, value in pairs:
        _check_text("body", (name,))
        _check_text(name[:60], value if isinstance(value, list) else (value,))
    return _no_twins(pairs)


def _check_text(where: str, values: Iterable[object]) -> None:
    """No database keeps a NUL everywhere, and half of a pair of surrogates is no character of any text."""
    for value in values:
        found = _NO_TEXT.search(value) if isinstance(value, str) else None
        if found and found[0] == "\0":
            _refuse("nul_character", where, "a NUL is no character of a text")
        elif found:
            _refuse("lone_surrogate", where, "half of a surrogate pair is no character")


def _no_constant(word: str) -> NoReturn:
    _refuse("not_a_number", "body", f"{word} is no number")


def _short(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        _refuse("number_too_long", "body", f"a number has more than {LONGEST_NUMBER} characters")
    return 0  # what it is, the shape reads


def _refuse(code: str, field: str, message: str) -> NoReturn:
    raise NotUnderstood(Problem(code, field, message, _DESCRIBED))
