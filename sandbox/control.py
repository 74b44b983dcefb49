"""The control door: order faults and how an account looks, ask counts, read the truth.

Same credentials as the account of the Twilio stand-in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hmac import compare_digest
from typing import Any

from sandbox.faults import FaultBook
from sandbox.http import Exchange, Request
from sandbox.settings import BadSandbox, SandboxSettings
from sandbox.truth import TruthLog
from sandbox.twilio import basic

PREFIX = "/sandbox/"
MAX_ENTRIES = 1000


class Control:
    """POST, GET, DELETE of /sandbox/faults; DELETE of one by its number; GET of counts, the truth, an account's looks.

    POST of /sandbox/x changes what X's account looks like, and so by any stand-in's name; of /sandbox/inbound brings
    a text from outside.
    """

    def __init__(
        self,
        settings: SandboxSettings,
        truth: TruthLog,
        faults: FaultBook,
        counts: Callable[[], Any],
        looks: Mapping[str, Callable[[dict[str, Any]], Any]],
        hear: Callable[[dict[str, Any]], Any],
    ) -> None:
        self._truth = truth
        self._faults = faults
        self._counts = counts
        self._looks = looks
        self._hear = hear
        self._authorization = basic(settings.account_sid, settings.auth_token)

    def handle(self, request: Request, exchange: Exchange) -> None:
        """Answer one request."""
        if not compare_digest(request.headers.get("authorization", "").encode(), self._authorization):
            exchange.answer(401, {"message": "the account's sid and token are needed"})
            return
        try:
            exchange.answer(*self._answer(request))
        except BadSandbox as fault:
            exchange.answer(400, {"field": fault.field, "message": fault.message, "hint": fault.hint})

    def _answer(self, request: Request) -> tuple[int, Any]:
        what, _, number = request.path.removeprefix(PREFIX).partition("/")
        match request.method, what, number:
            case "GET", "counts", "":
                return 200, self._counts()
            case "GET", "truth", "":
                return 200, self._entries(request.parameters().get("since", "0"))
            case "GET" | "POST", name, "" if name in self._looks:
                asked = request.method == "POST"
                return 200, self._looks[name](
                    _object(request.body, name, 'as in {"following": 1}') if asked else {}
                )
            case "POST", "inbound", "":
                return 202, self._hear(_object(request.body, "inbound", 'as in {"from": …, "body": "STOP"}'))
            case "GET", "faults", "":
                return 200, {"faults": self._faults.describe()}
            case "POST", "faults", "":
                ordered = self._faults.order(_wanted(request.body))
                return 201, {"faults": [order.describe() for order in ordered]}
            case "DELETE", "faults", _ if not number or (number.isascii() and number.isdigit()):
                if self._faults.clear(int(number) if number else None):
                    return 200, {"faults": self._faults.describe()}
        return 404, {"message": "no such thing here"}

    def _entries(self, since: str) -> dict[str, Any]:
        if not since.isascii() or not since.isdigit() or len(since) > 12:
            raise BadSandbox("since", "the number of an entry is needed", "counted from 0")
        start = min(int(since), len(self._truth))
        stop = min(start + MAX_ENTRIES, len(self._truth))
        entries = [self._truth.entry(number) for number in range(start, stop)]
        return {"entries": entries, "next": stop, "total": len(self._truth)}


def _object(body: bytes, field: str, example: str) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except ValueError as fault:
        raise BadSandbox(field, "JSON is needed") from fault
    if not isinstance(asked, dict):
        raise BadSandbox(field, "an object is needed", example)
    return asked


def _wanted(body: bytes) -> list[Any]:
    """One order or a list of them, each as text or as an object; bare or under "faults"."""
    try:
        asked = json.loads(body)
    except ValueError as fault:
        raise BadSandbox("faults", "JSON is needed") from fault
    if isinstance(asked, dict) and "faults" in asked:
        asked = asked["faults"]
    several = asked if isinstance(asked, list) else [asked]
    if not all(isinstance(each, str | dict) for each in several):
        raise BadSandbox("faults", "a fault is a text or an object", "as in twilio:429:next=3")
    return several
