"""A stand-in for Sinch's SMS API: batches of one service plan, found by our client reference, with signed reports.

Doors: create, list, one. Shapes and codes after https://developers.sinch.com/docs/sms/api-reference/: numbers come back
without their plus, a list begins a day ago unless it is told otherwise, a reference may be given twice and then has two
batches. The truth has them as `sms`, with their `provider`. A report goes to the address that its batch named; for a
text from outside order its look: `inbound_url`, then `text_from` and what it `says`.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
import time
from base64 import b64encode
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox import telling, web_api
from sandbox.faults import FaultBook, Kind, Order
from sandbox.http import Request
from sandbox.segments import segments
from sandbox.settings import BadSandbox
from sandbox.telling import Call, Teller
from sandbox.truth import Entry, TruthLog
from sandbox.web_api import Answer, Then, asked_in_json

PLAN = "5a4db0c55a4db0c55a4db0c55a4db0c5"
TOKEN = "sandbox-sinch-token"  # noqa: S105 - pretended, like all else here
SECRET = "sandbox-sinch-secret"  # noqa: S105
NUMBER = "+447400123456"
MOST_LETTERS = 2_000
DAY = 86_400
KEEPS = 14 * DAY


def _error(status: int, code: str, text: str) -> Answer:
    return status, {"code": code, "text": text}


NOT_THERE: Answer = (404, b"")
REFUSALS: Mapping[str, Answer] = {
    "429": (429, {"code": "too_many_requests", "text": "Rate limit exceeded"}),
    "401": (401, b""),
    "402": (402, b""),
    "blocked": _error(403, "blocked_account", "The account is blocked"),
    "region": _error(403, "illegal_number_type", "Illegal phone number type for the region"),
    "number": _error(400, "syntax_invalid_parameter_format", "The value of 'to[0]' is no MSISDN"),
    "sender": _error(400, "syntax_constraint_violation", "The value of 'from' is no originator"),
    "long": _error(400, "syntax_constraint_violation", "The size of 'body' must be between 1 and 2000"),
    "503": (503, {"code": "unavailable", "text": "Service unavailable"}),
}
FATES = {"failed": "Failed", "rejected": "Rejected", "expired": "Expired", "unknown": "Unknown"}
KINDS = {
    **web_api.kinds(
        ("create", "list", "one"),
        {
            "429": "Too many requests, with Retry-After",
            "401": "The token does not hold",
            "402": "No credit left",
            "blocked": "blocked_account",
            "region": "illegal_number_type",
            "number": "syntax_invalid_parameter_format of the number",
            "sender": "syntax_constraint_violation of the sender",
            "long": "syntax_constraint_violation of the text",
            "503": "Service unavailable",
        },
    ),
    **{
        fate: Kind(f"Accepted, later {fate} with `code`", "fate", ("create",), {"code": 402})
        for fate in FATES
    },
    **telling.kinds("create"),
}
_NUMBER = re.compile(r"\+?[1-9][0-9]{6,14}", re.ASCII)


@dataclass(frozen=True)
class Look:
    """What the service plan is set to: where it hands texts over that come in, and how long it keeps its batches."""

    inbound_url: str = ""
    step_ms: int = 20
    keeps_s: int = KEEPS


def open(truth: TruthLog, faults: FaultBook) -> Sinch:  # noqa: A001 - as every stand-in has it
    """The stand-in."""
    return Sinch(truth, faults)


def settings(url: str) -> dict[str, Any]:
    """What a gateway to this stand-in is set to."""
    return {
        "service_plan_id": PLAN,
        "api_token": TOKEN,
        "sender": NUMBER,
        "callback_secret": SECRET,
        "api_base_url": url,
        "grace": 1,
    }


def gateways(url: str) -> dict[str, dict[str, Any]]:
    """The same by its channel."""
    return {"sms": settings(url)}


class Sinch(web_api.WebApi):
    """One service plan's batches."""

    name = "sinch"
    refusals = REFUSALS
    broken = (500, {"code": "internal_error", "text": "Internal error"})

    def __init__(self, truth: TruthLog, faults: FaultBook) -> None:
        super().__init__(truth, faults)
        self.look = Look()
        self._teller = Teller(self.counts)
        self._under: dict[str, list[str]] = defaultdict(list)
        for number in range(len(truth)):
            if (entry := truth.entry(number)).get("provider") == self.name:
                self._under[entry["key"]].append(entry["id"])

    def order(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Set the plan; or a text from outside, `text_from` and what it `says`; `forget` all that was sent."""
        wanted = dict(wanted)
        if wanted.pop("forget", False):
            self._under.clear()
        sender, says = wanted.pop("text_from", None), wanted.pop("says", "")
        told = super().order(wanted)
        if sender is not None and not self._hear(str(sender), str(says)):
            raise BadSandbox("inbound_url", "only an address on this machine is called")
        return told

    def asked_for(self, request: Request, path: str) -> tuple[str, str]:
        """The door, and the batch."""
        match request.method, path.split("/"):
            case "POST", ["xms", "v1", plan, "batches"] if plan == PLAN:
                return "create", ""
            case "GET", ["xms", "v1", plan, "batches"] if plan == PLAN:
                return "list", ""
            case "GET", ["xms", "v1", plan, "batches", id] if plan == PLAN:
                return "one", id
        return "", ""

    def signed(self, request: Request) -> bool:
        """By the plan's token."""
        return request.headers.get("authorization") == f"Bearer {TOKEN}"

    def unsigned(self) -> Answer:
        """Without a word, as Sinch does it."""
        return REFUSALS["401"]

    def headers(self, fault: Order | None) -> dict[str, str]:
        """When to come back."""
        return {"Retry-After": "1"} if fault is not None and fault.kind == "429" else {}

    def whom(self, stage: str, request: Request) -> str:
        """The number of a text."""
        to = asked_in_json(request).get("to") if stage == "create" else None
        return str(to[0]) if isinstance(to, list) and to else ""

    def act(self, stage: str, about: str, request: Request, then: Then) -> None:
        """Do what was asked for."""
        match stage:
            case "create":
                return self._create(asked_in_json(request), then)
            case "list":
                return then(self._list(request.parameters()))
        entry = self._kept(about)
        return then((200, self._shown(entry)) if entry else NOT_THERE)

    def _create(self, asked: Mapping[str, Any], then: Then) -> None:
        to, body = asked.get("to"), asked.get("body")
        if not isinstance(to, list) or len(to) != 1 or not _NUMBER.fullmatch(str(to[0])):
            return then(REFUSALS["number"])
        if not isinstance(body, str) or not 0 < len(body) <= MOST_LETTERS:
            return then(REFUSALS["long"])
        reference, number = asked.get("client_reference"), str(to[0])
        fate, trouble = self._pick("fate", "create", number), self._pick("callback", "create", number)

        def accepted(entry: Entry | None) -> None:
            if entry is None:
                return then(self.broken)
            self._under[str(reference)].append(entry["id"])
            self._tell(entry, trouble.kind if trouble else "")
            return then((201, self._shown(entry)))

        self.accept(
            body,
            accepted,
            channel="sms",
            provider=self.name,
            id="01" + secrets.token_hex(12).upper(),
            to=number if number.startswith("+") else f"+{number}",
            key=reference,
            segments=segments(body),
            callback=asked.get("callback_url"),
            report=asked.get("delivery_report", "none"),
            fate=FATES[fate.kind] if fate else "Delivered",
            code=fate.number("code") if fate else 0,
            **{"from": asked.get("from")},
        )
        return None

    def _kept(self, id: str) -> Entry | None:
        number = self.truth.number_of(id)
        entry = self.truth.entry(number) if number is not None else None
        if entry is None or entry.get("provider") != self.name:
            return None
        return entry if time.time() - _at(entry["at"]) <= self.look.keeps_s else None

    def _list(self, asked: Mapping[str, str]) -> Answer:
        try:
            since = _at(asked["start_date"]) if "start_date" in asked else time.time() - DAY
            page, size = int(asked.get("page", "0")), min(int(asked.get("page_size", "30")), 100)
        except ValueError:
            return _error(400, "syntax_invalid_parameter_format", "A date or a number cannot be read")
        ids = self._under.get(asked.get("client_reference", ""), ())
        found = [each for name in reversed(ids) if (each := self._kept(name)) and _at(each["at"]) >= since]
        shown = [self._shown(each) for each in found[page * size : (page + 1) * size]]
        return 200, {"count": len(found), "page": page, "batches": shown, "page_size": len(shown)}

    def _shown(self, entry: Entry) -> dict[str, Any]:
        moment = entry["at"].replace("+00:00", "Z")
        told = {
            "id": entry["id"],
            "to": [entry["to"].removeprefix("+")],
            "from": entry["from"],
            "canceled": False,
            "body": entry["body"],
            "type": "mt_text",
            "created_at": moment,
            "modified_at": moment,
            "delivery_report": entry["report"],
            "client_reference": entry["key"],
            "flash_message": False,
        }
        return {name: value for name, value in told.items() if value is not None}

    # Calling back

    def _tell(self, entry: Entry, fault: str) -> None:
        if not entry["callback"] or entry["report"] not in ("per_recipient", "per_recipient_final"):
            return
        said = {
            "type": "recipient_delivery_report_sms",
            "batch_id": entry["id"],
            "recipient": entry["to"].removeprefix("+"),
            "at": entry["at"].replace("+00:00", "Z"),
            "client_reference": entry["key"],
        }
        steps = [("Queued", 400), ("Dispatched", 401), (entry["fate"], entry["code"])]
        chosen = steps if entry["report"] == "per_recipient" else steps[2:]
        calls = [_signed({**said, "status": status, "code": code}) for status, code in chosen]
        self._teller.tell(entry["callback"], calls, every=self.look.step_ms / 1000, fault=fault)

    def _hear(self, sender: str, says: str) -> bool:
        self.counts["heard"] += 1
        told = {
            "type": "mo_text",
            "id": "01" + secrets.token_hex(12).upper(),
            "from": sender.removeprefix("+"),
            "to": NUMBER.removeprefix("+"),
            "body": says,
            "received_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        }
        return self._teller.tell(self.look.inbound_url, [_signed(told)], every=0)


def _signed(told: Mapping[str, Any]) -> Call:
    body = json.dumps(told).encode()

    def headers(forged: bool) -> dict[str, str]:
        nonce, at = secrets.token_hex(8), str(int(time.time()))
        secret = b"forged" if forged else SECRET.encode()
        mac = hmac.digest(secret, b".".join((body, nonce.encode(), at.encode())), "sha256")
        return {
            "x-sinch-webhook-signature": b64encode(mac).decode(),
            "x-sinch-webhook-signature-nonce": nonce,
            "x-sinch-webhook-signature-timestamp": at,
            "x-sinch-webhook-signature-algorithm": "HmacSHA256",
        }

    return Call(body, headers)


def _at(told: str) -> float:
    return datetime.fromisoformat(told).timestamp()
