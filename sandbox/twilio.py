"""A stand-in for Twilio's API of 2010-04-01: messages can be created, fetched and listed, as its SDK expects.

Shapes and codes after Twilio's own pages: https://www.twilio.com/docs/messaging/api/message-resource and
https://www.twilio.com/docs/api/errors.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from hmac import compare_digest
from itertools import islice
from typing import Any

from sandbox.callbacks import Callbacks, Inbound
from sandbox.faults import FaultBook, Kind, Order
from sandbox.http import Exchange, Request
from sandbox.segments import segments
from sandbox.settings import BadSandbox, SandboxSettings
from sandbox.truth import Entry, TruthLog
from sandbox.twilio_shapes import Shapes, error, span

MAX_BODY_CHARACTERS = 1600
MAX_PAGE = 1000

Answer = tuple[int, Any]

_STAGES = ("create", "fetch", "list", "any")
_CREATE = ("create",)
KINDS: dict[str, Kind] = {
    "429": Kind("Too many requests, with Retry-After; not accepted", "answer", _STAGES, {"retry_after": 1}),
    "401": Kind("Wrong credentials; not accepted", "answer", _STAGES),
    "503": Kind("Service unavailable; not accepted", "answer", _STAGES),
    "error": Kind("Refused with one of Twilio's codes", "answer", _STAGES, {"code": 21610, "status": 400}),
    "500-before-accept": Kind("Internal error; not accepted", "answer", _STAGES),
    "500-after-accept": Kind("Internal error, and yet accepted", "answer", _STAGES),
    "reset-before-accept": Kind("TCP reset; not accepted", "answer", _STAGES),
    "reset-after-accept": Kind("TCP reset, and yet accepted", "answer", _STAGES),
    "hang-before-accept": Kind(
        "Silent for `ms`, then reset; not accepted", "answer", _STAGES, {"ms": 30_000}
    ),
    "hang-after-accept": Kind("Silent for `ms`, then reset; accepted", "answer", _STAGES, {"ms": 30_000}),
    "slow": Kind("Accepts at once, answers after `ms`", "answer", _STAGES, {"ms": 2000}),
    "slow-accept": Kind(
        "Accepts and answers after `ms`, even if hung up on", "answer", _CREATE, {"ms": 2000}
    ),
    "bad-json": Kind("Accepts, and answers 200 with what is no JSON", "answer", _STAGES),
    "truncated": Kind("Accepts, and hangs up in the middle of the answer", "answer", _STAGES),
    "latency": Kind("Every fair answer takes `ms` longer", "latency", ("any", *_STAGES[:3]), {"ms": 50}),
    "undelivered": Kind("Accepted, later undelivered with `code`", "fate", _CREATE, {"code": 30003}),
    "failed": Kind("Accepted, later failed with `code`", "fate", _CREATE, {"code": 30008}),
    "callback-lost": Kind("Its status callbacks never come", "callback", _CREATE),
    "callback-twice": Kind("Each of its status callbacks comes twice", "callback", _CREATE),
    "callback-disorder": Kind("Its status callbacks come in reverse", "callback", _CREATE),
    "callback-forged": Kind("Its status callbacks carry a wrong signature", "callback", _CREATE),
}
_NOT_ACCEPTED = {
    "429",
    "401",
    "503",
    "error",
    "500-before-accept",
    "reset-before-accept",
    "hang-before-accept",
}

_CODES = {"401": 20003, "500": 20500, "503": 20503}
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_SENDER = re.compile(r"\+[1-9][0-9]{2,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 +_&-]{1,11}", re.ASCII)
_SERVICE = re.compile(r"MG[0-9a-f]{32}", re.ASCII)
# https://help.twilio.com/articles/223134027: what Twilio itself acts on.
_STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
_START = frozenset({"START", "YES", "UNSTOP"})
_STOPPED = 21610
_NO_JSON = b'{"sid": "SM'


class TwilioStandIn:
    """The messages of one account; those it accepted stand in the truth log and nowhere else."""

    def __init__(
        self, settings: SandboxSettings, truth: TruthLog, faults: FaultBook, callbacks: Callbacks
    ) -> None:
        self._truth = truth
        self._faults = faults
        self._callbacks = callbacks
        self._authorization = basic(settings.account_sid, settings.auth_token)
        self._shapes = Shapes(settings.account_sid, settings.step)
        self._stopped: set[str] = set()
        self._deleted: set[str] = set()
        self.counts: Counter[str] = Counter()

    def hear(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Somebody texts the account: handed to `url`, signed. After a STOP nothing is taken for that number (21610).

        From `from`, `body`, `url`; optional `to`, `sid`, `times`, `forged`, `opt_out`. Raises BadSandbox.
        """
        wanted = {"from": str, "body": str, "url": str}
        more = {"to": str, "sid": str, "times": int, "forged": bool, "opt_out": str}
        for name, value in asked.items():
            kind = (wanted | more).get(name)
            if kind is None or not isinstance(value, kind):
                raise BadSandbox(name[:40], "this is no field of a text from outside, or not of its kind")
        if missing := wanted.keys() - asked.keys():
            raise BadSandbox(min(missing), "a text from outside needs it")
        text = Inbound(
            asked["url"],
            asked["from"],
            asked["body"],
            asked.get("sid") or "SM" + secrets.token_hex(16),
            asked.get("to", "+447400123456"),
            min(max(asked.get("times", 1), 1), MAX_PAGE),
            asked.get("forged", False),
            asked.get("opt_out", ""),
        )
        if not self._callbacks.hand_in(text):
            raise BadSandbox("url", "only an address on this machine is called", "http://127.0.0.1:8000/…")
        if not text.forged:
            word = text.body.strip().upper()
            if word in _STOP or text.opt_out == "STOP":
                self._stopped.add(text.sender)
            elif word in _START or text.opt_out == "START":
                self._stopped.discard(text.sender)
        self.counts["heard"] += 1
        return {"sid": text.sid}

    def handle(self, request: Request, exchange: Exchange) -> None:
        """Answer one request, as its path and the faults in force will have it."""
        shapes, path = self._shapes, request.path
        if not compare_digest(request.headers.get("authorization", "").encode(), self._authorization):
            self._refuse(exchange, 20003)
        elif path == shapes.messages and request.method == "POST":
            self._create(request.form(), exchange)
        elif path.startswith(shapes.message) and path.endswith(".json") and request.method == "DELETE":
            self._delete(path[len(shapes.message) : -len(".json")], exchange)
        elif request.method != "GET":
            self._refuse(exchange, 20004)
        elif path == shapes.messages:
            asked = request.parameters()
            self._look("list", asked.get("To", ""), exchange, lambda: self._list(asked))
        elif path == shapes.account:
            self._look("fetch", "", exchange, lambda: (200, shapes.account_as_json()))
        elif path.startswith(shapes.message) and path.endswith(".json"):
            self._look("fetch", "", exchange, lambda: self._fetch(path[len(shapes.message) : -len(".json")]))
        else:
            self._refuse(exchange, 20404)

    # Creating

    def _create(self, form: Mapping[str, str], exchange: Exchange) -> None:
        self.counts["create"] += 1
        code = _wrong_with(form) or (_STOPPED if form["To"] in self._stopped else None)
        if code is not None:
            return self._refuse(exchange, code)
        fault = self._pick("answer", "create", form["To"])
        if fault is None:
            return self._accept(form, exchange, lambda right: self._answer(exchange, "create", right))
        if fault.kind in _NOT_ACCEPTED:
            return self._misbehave(fault, exchange, (201, {}))
        if fault.kind == "slow-accept":
            # Tied to no connection: a client that gave up waiting has sent its message all the same.
            asked = datetime.now(UTC).isoformat()
            then = partial(self._accept, form, exchange, lambda right: exchange.answer(*right), asked)
            asyncio.get_running_loop().call_later(fault.delay.total_seconds(), then)
            return None
        return self._accept(form, exchange, lambda right: self._misbehave(fault, exchange, right))

    def _accept(
        self, form: Mapping[str, str], exchange: Exchange, then: Callable[[Answer], None], asked: str = ""
    ) -> None:
        entry = self._entry(form)
        if asked:
            entry["asked"] = asked
        callback_fault = self._pick("callback", "create", entry["to"])

        def written(ok: bool) -> None:
            if not ok:
                return self._refuse(exchange, 20503)
            self.counts["accepted"] += 1
            if entry["key"]:
                self._callbacks.expect(entry, callback_fault.kind if callback_fault else "")
            return then((201, self._shapes.message_as_json(entry, now=0)))

        self._truth.append(entry, written)

    def _entry(self, form: Mapping[str, str]) -> Entry:
        to, body = form["To"], form["Body"]
        fate = self._pick("fate", "create", to)
        return {
            "at": datetime.now(UTC).isoformat(),
            "channel": "sms",
            "id": "SM" + secrets.token_hex(16),
            "to": to,
            "from": form.get("From"),
            "service": form.get("MessagingServiceSid"),
            "body": body,
            "sha256": hashlib.sha256(body.encode()).hexdigest(),
            "segments": segments(body),
            "key": form.get("StatusCallback"),
            "fate": fate.kind if fate else "delivered",
            "error_code": fate.number("code") if fate else None,
        }

    # Looking up

    def _look(self, stage: str, to: str, exchange: Exchange, find: Callable[[], Answer]) -> None:
        self.counts[stage] += 1
        fault = self._pick("answer", stage, to)
        if fault is None:
            self._answer(exchange, stage, find())
        else:
            self._misbehave(fault, exchange, find())

    def _fetch(self, id: str) -> Answer:
        entry = self._known(id)
        if entry is None:
            return error(20404)
        return 200, self._shapes.message_as_json(entry, time.time())

    def _list(self, asked: Mapping[str, str]) -> Answer:
        """Newest first. What still queues has no DateSent yet, and a filter by it leaves that out, as at Twilio."""
        try:
            since, until = span(asked)
            size = max(1, min(int(asked.get("PageSize", "50")), MAX_PAGE))
            page = int(asked.get("Page", "0"))
        except ValueError:
            return error(20001)
        before = self._truth.number_of(asked.get("PageToken", "").removeprefix("PA"))
        sender, now = asked.get("From"), time.time()
        dated = any(name.startswith("DateSent") for name in asked)
        found = (
            number
            for number in self._truth.newest_first("sms", asked.get("To"), before)
            if since <= int(self._truth.time_of(number)) < until
            and self._truth.entry(number)["id"] not in self._deleted
            and _is_mine(self._truth.entry(number))
            and (sender is None or self._truth.entry(number)["from"] == sender)
            and not (dated and self._shapes.still_queues(self._truth.entry(number), now))
        )
        numbers = list(islice(found, size + 1))
        entries = [self._truth.entry(number) for number in numbers[:size]]
        return 200, self._shapes.page_as_json(asked, entries, page, size, more=len(numbers) > size)

    # Deleting

    def _delete(self, id: str, exchange: Exchange) -> None:
        """The truth log keeps what was accepted; the account has it no more."""
        self.counts["delete"] += 1
        entry = self._known(id)
        fault = self._pick("answer", "any", "")
        if fault is not None:
            return self._misbehave(fault, exchange, (204, b""))
        if entry is None:
            return self._refuse(exchange, 20404)
        if self._shapes.is_under_way(entry, time.time()):
            return self._refuse(exchange, 20009)
        self._deleted.add(id)
        self.counts["deleted"] += 1
        return exchange.answer(204, b"")

    def _known(self, id: str) -> Entry | None:
        number = self._truth.number_of(id)
        entry = None if number is None or id in self._deleted else self._truth.entry(number)
        return entry if entry is not None and entry["channel"] == "sms" and _is_mine(entry) else None

    # Answering

    def _pick(self, group: str, stage: str, to: str) -> Order | None:
        return self._faults.pick("twilio", group, stage, to) or self._faults.pick("twilio", group, "any", to)

    def _answer(self, exchange: Exchange, stage: str, right: Answer) -> None:
        latency = self._pick("latency", stage, "")
        if latency is None:
            exchange.answer(*right)
        else:
            exchange.answer_later(latency.delay, lambda: exchange.answer(*right))

    def _refuse(self, exchange: Exchange, code: int) -> None:
        self.counts[f"refused-{code}"] += 1
        exchange.answer(*error(code))

    def _misbehave(self, fault: Order, exchange: Exchange, right: Answer) -> None:
        """Answer as the fault will have it; `right` is what a fair answer would be."""
        self.counts[fault.kind] += 1
        match fault.kind:
            case "429":
                exchange.answer(*error(20429), {"Retry-After": str(fault.number("retry_after"))})
            case "401" | "503" | "500-before-accept" | "500-after-accept":
                exchange.answer(*error(_CODES[fault.kind[:3]]))
            case "reset-before-accept" | "reset-after-accept":
                exchange.reset()
            case "hang-before-accept" | "hang-after-accept":
                exchange.answer_later(fault.delay, exchange.reset)
            case "slow":
                exchange.answer_later(fault.delay, lambda: exchange.answer(*right))
            case "bad-json":
                exchange.answer(200, _NO_JSON)
            case "truncated":
                exchange.truncate(*right)
            case "error":
                exchange.answer(*error(fault.number("code"), fault.number("status")))


def basic(user: str, password: str) -> bytes:
    """The Authorization header of HTTP basic authentication."""
    return b"Basic " + b64encode(f"{user}:{password}".encode())


def _is_mine(entry: Entry) -> bool:
    """Not another provider's text: an account may have several gateways, all in one truth log."""
    return "provider" not in entry


def _wrong_with(form: Mapping[str, str]) -> int | None:
    """Twilio's code for what is wrong with a create, or None."""
    to, sender, service = form.get("To", ""), form.get("From", ""), form.get("MessagingServiceSid", "")
    body, callback = form.get("Body", ""), form.get("StatusCallback")
    wrong = (
        (21604, not to),
        (21603, not sender and not service),
        (21602, not body),
        (21617, len(body) > MAX_BODY_CHARACTERS),
        (21211, not _NUMBER.fullmatch(to)),
        (21212, sender and not _SENDER.fullmatch(sender)),
        (21606, service and not _SERVICE.fullmatch(service)),
        (21609, callback is not None and not callback.startswith(("http://", "https://"))),
    )
    return next((code for code, is_so in wrong if is_so), None)
