"""What every stand-in for an HTTP API shares: faults struck in one order, truth before the answer, posts of an account.

A stand-in says what was asked for, whether its credentials hold, and what a fair answer is; here it is made to go
wrong. See `sandbox.stand_ins`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, is_dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sandbox.faults import FaultBook, Kind, Order
from sandbox.http import BadRequest, Exchange, Request
from sandbox.settings import BadSandbox
from sandbox.truth import Entry, TruthLog

Answer = tuple[int, Any]
Then = Callable[[Answer], None]

PAGE = (
    b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body>We will be back soon.</body></html>"
)
_AFTER = "-after-accept"


def kinds(stages: tuple[str, ...], refusals: Mapping[str, str]) -> dict[str, Kind]:
    """The faults of an API: its own refusals (what each is, by its name), and what befalls every API.

    `stages` are its doors, the first being where posts are made.
    """
    everywhere = (*stages, "any")
    own = {name: Kind(f"{does}; not accepted", "answer", everywhere) for name, does in refusals.items()}
    common = {
        "500-before-accept": ("Internal error; not accepted", {}),
        "500-after-accept": ("Internal error, and yet accepted", {}),
        "reset-before-accept": ("TCP reset; not accepted", {}),
        "reset-after-accept": ("TCP reset, and yet accepted", {}),
        "hang-before-accept": ("Silent for `ms`, then reset; not accepted", {"ms": 30_000}),
        "hang-after-accept": ("Silent for `ms`, then reset; accepted", {"ms": 30_000}),
        "slow": ("Accepts at once, answers after `ms`", {"ms": 2000}),
        "slow-accept": ("Accepts and answers after `ms`, even if hung up on", {"ms": 2000}),
        "bad-json": ("Accepts, and answers with what is no JSON", {}),
        "html": ("Accepts, and answers 200 with a page for people", {}),
        "changed": ("Accepts, and answers with JSON that has none of its fields", {}),
        "truncated": ("Accepts, and hangs up in the middle of the answer", {}),
    }
    own |= {name: Kind(does, "answer", everywhere, more) for name, (does, more) in common.items()}
    latency = Kind("Every fair answer takes `ms` longer", "latency", ("any", *stages), {"ms": 50})
    return own | {"latency": latency}


class WebApi:
    """One provider's API for one account. A stand-in's own class gives the members that only raise here."""

    name = ""  # of the stand-in: faults are ordered by it, and its addresses begin with it
    channel = ""  # of the truth log
    refusals: Mapping[str, Answer] = {}
    broken: Answer = (500, {"error": "Internal Server Error"})

    def __init__(self, truth: TruthLog, faults: FaultBook) -> None:
        self.truth = truth
        self.faults = faults
        self.counts: Counter[str] = Counter()
        self.gone: set[str] = set()  # what was taken back since the start
        self.look: Any = None  # a dataclass: how the account looks, to be ordered at the control door

    # What a stand-in gives

    def asked_for(self, request: Request, path: str) -> tuple[str, str]:
        """The door and what it is about; ("", "") for what the provider does not know."""
        raise NotImplementedError

    def signed(self, request: Request) -> bool:
        """Whether the credentials hold."""
        raise NotImplementedError

    def unsigned(self) -> Answer:
        """What is answered where they do not."""
        raise NotImplementedError

    def act(self, stage: str, about: str, request: Request, then: Then) -> None:
        """Do what was asked for and give the fair answer to `then`."""
        raise NotImplementedError

    def headers(self, fault: Order | None) -> dict[str, str]:
        """What goes with an answer."""
        return {}

    def whom(self, stage: str, request: Request) -> str:
        """The address that a message is for, so that a fault can be ordered for one; "" where there is none."""
        return ""

    # What they share

    def handle(self, request: Request, exchange: Exchange) -> None:
        """Answer one request."""
        stage, about = self.asked_for(request, request.path.removeprefix(f"/{self.name}/"))
        if not stage:
            exchange.answer(404, {"error": "Not Found"})
            return
        self.counts[stage] += 1
        if not self.signed(request):
            self.counts["refused-401"] += 1
            exchange.answer(*self.unsigned())
            return
        self._serve(stage, request, exchange, partial(self.act, stage, about, request))

    def order(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Make the account look so; how it looks now. Raises BadSandbox for what is none of its looks."""
        if not is_dataclass(self.look) or isinstance(self.look, type):
            raise BadSandbox(self.name, "has no looks to order")
        for name, value in wanted.items():
            known = getattr(self.look, name, None) if name in asdict(self.look) else None
            if known is None or type(value) is not type(known):
                raise BadSandbox(str(name)[:40], "is no look of this account", ", ".join(asdict(self.look)))
        self.look = replace(self.look, **wanted)
        return asdict(self.look)

    def accept(self, body: str, then: Callable[[Entry | None], None], **more: Any) -> None:
        """Note a message; `then` is given its entry once the truth log has it, None for a full disk."""
        now = datetime.now(UTC)
        entry: Entry = {
            "at": now.isoformat(timespec="microseconds"),
            "channel": self.channel or self.name,
            "id": "",
            "to": "",
            "from": "",
            "key": None,
            "body": body,
            "sha256": hashlib.sha256(body.encode()).hexdigest(),
            **more,
        }
        if not entry["id"]:
            entry["id"] = str(time.time_ns())

        def written(ok: bool) -> None:
            self.counts["accepted"] += ok
            then(entry if ok else None)

        self.truth.append(entry, written)

    def standing(self) -> Iterator[Entry]:
        """What was accepted and still stands, newest first."""
        numbers = self.truth.newest_first(self.channel or self.name, None, None)
        return (entry for each in numbers if (entry := self.truth.entry(each))["id"] not in self.gone)

    def one(self, id: str) -> Entry | None:
        """That one, where it stands."""
        number = self.truth.number_of(id)
        if number is None or id in self.gone:
            return None
        entry = self.truth.entry(number)
        return entry if entry["channel"] == (self.channel or self.name) else None

    def _pick(self, group: str, stage: str, to: str = "") -> Order | None:
        return self.faults.pick(self.name, group, stage, to) or self.faults.pick(self.name, group, "any", to)

    def _serve(self, stage: str, request: Request, exchange: Exchange, act: Callable[[Then], None]) -> None:
        fault = self._pick("answer", stage, self.whom(stage, request))

        def say(right: Answer) -> None:
            exchange.answer(*right, self.headers(fault))

        def fair(right: Answer) -> None:
            latency = self._pick("latency", stage)
            if latency is None:
                say(right)
            else:
                exchange.answer_later(latency.delay, lambda: say(right))

        if fault is None:
            return act(fair)
        self.counts[fault.kind] += 1
        if fault.kind in self.refusals:
            return say(self.refusals[fault.kind])
        if fault.kind.endswith("-before-accept"):
            return self._misbehave(fault, exchange, self.broken)
        if fault.kind == "slow-accept":
            # Tied to no connection: a client that gave up waiting has posted all the same.
            asyncio.get_running_loop().call_later(fault.delay.total_seconds(), lambda: act(say))
            return None
        return act(lambda right: self._misbehave(fault, exchange, right))

    def _misbehave(self, fault: Order, exchange: Exchange, right: Answer) -> None:
        headers = self.headers(fault)
        match fault.kind.removesuffix("-before-accept").removesuffix(_AFTER):
            case "reset":
                exchange.reset()
            case "hang":
                exchange.answer_later(fault.delay, exchange.reset)
            case "slow":
                exchange.answer_later(fault.delay, lambda: exchange.answer(*right, headers))
            case "bad-json":
                exchange.answer(right[0], b'{"id": "', headers)
            case "html":
                exchange.answer(200, PAGE, headers)
            case "changed":
                exchange.answer(right[0], {"version": 2}, headers)
            case "truncated":
                exchange.truncate(*right)
            case _:
                exchange.answer(*self.broken, headers)


def asked_in_json(request: Request) -> dict[str, Any]:
    """The JSON object of a request; raises BadRequest."""
    try:
        asked = json.loads(request.body or b"{}")
    except ValueError as fault:
        raise BadRequest(400, "the body cannot be read") from fault
    if not isinstance(asked, dict):
        raise BadRequest(400, "an object is needed")
    return asked
