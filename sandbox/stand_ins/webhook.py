"""A stand-in for a receiver of webhooks: a screen's server that checks signatures as Standard Webhooks has them.

After https://www.standardwebhooks.com and its specification: `webhook-id`, `webhook-timestamp`, `webhook-signature`. It
takes what comes twice under one id for one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time

from sandbox.faults import FaultBook, Order
from sandbox.http import Request
from sandbox.truth import TruthLog
from sandbox.web_api import Answer, Then, WebApi, kinds

SECRET = "whsec_c2FuZGJveC13ZWJob29rLXNlY3JldC0wMDAx"  # noqa: S105 (pretended, like all else here)
TOLERANCE_S = 300
BAD = 400, {"error": "bad request"}
REFUSALS: dict[str, tuple[Answer, str]] = {
    "429": ((429, {"error": "slow down"}), "Too many requests until `after` seconds from now"),
    "401": ((401, {"error": "bad signature"}), "Signature not accepted"),
    "404": ((404, {"error": "no such hook"}), "Nothing is there"),
    "410": ((410, {"error": "gone"}), "Wants no more"),
    "413": ((413, {"error": "too large"}), "Too long"),
    "422": ((422, {"error": "unprocessable"}), "Cannot be taken"),
    "302": ((302, {}), "Led on to another address of this stand-in"),
    "503": ((503, {"error": "busy"}), "Service unavailable"),
}
ANSWERS = {name: answer for name, (answer, _) in REFUSALS.items()}
KINDS = kinds(("hook",), {name: does for name, (_, does) in REFUSALS.items()})


class WebhookStandIn(WebApi):
    """One receiver at /webhook/hook."""

    name = channel = "webhook"
    refusals = ANSWERS

    def asked_for(self, request: Request, path: str) -> tuple[str, str]:
        """One door."""
        return ("hook", "") if (request.method, path) == ("POST", "hook") else ("", "")

    def signed(self, request: Request) -> bool:
        """By the secret, over id, time and body; within five minutes of its clock."""
        asked = request.headers
        name, moment = asked.get("webhook-id", ""), asked.get("webhook-timestamp", "")
        if not name or not moment.isdigit() or abs(int(moment) - time.time()) > TOLERANCE_S:
            return False
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        right = hmac.new(key, f"{name}.{moment}.".encode() + request.body, hashlib.sha256).digest()
        return any(_is(right, each) for each in asked.get("webhook-signature", "").split())

    def unsigned(self) -> Answer:
        """As its own refusal has it."""
        return self.refusals["401"]

    def headers(self, fault: Order | None) -> dict[str, str]:
        """When to come back, and where it leads on to."""
        match fault.kind if fault is not None else "":
            case "429":
                return {"Retry-After": "1"}
            case "302":
                return {"Location": "/webhook/hook"}
        return {}

    def act(self, stage: str, about: str, request: Request, then: Then) -> None:
        """Note it, once for each id; show no more what is withdrawn."""
        name = request.headers["webhook-id"]
        try:
            told = json.loads(request.body)
            kind, about = str(told["type"]), str(told["data"]["id"])
        except (ValueError, KeyError, TypeError):
            return then(BAD)
        if kind == "announcement.withdrawn":
            self.gone.add(about)
            return then((200, {"ok": True}))
        if kind != "announcement.published" or not name.startswith("published_"):
            return then(BAD)
        if self.one(about) is not None:
            return then((200, {"ok": True}))
        body = request.body.decode()
        return self.accept(
            body, lambda entry: then((200, {"ok": True}) if entry else self.broken), id=about, key=name
        )


def _is(right: bytes, told: str) -> bool:
    version, _, signature = told.partition(",")
    try:
        return version == "v1" and hmac.compare_digest(base64.b64decode(signature, validate=True), right)
    except (binascii.Error, ValueError):
        return False


def open(truth: TruthLog, faults: FaultBook) -> WebApi:  # noqa: A001 - a stand-in is opened, by this name
    """The stand-in of one sandbox."""
    return WebhookStandIn(truth, faults)


def account(url: str) -> dict[str, object]:
    """An account that posts to it."""
    return {"channel": "webhook", "address": f"{url}/hook", "secret": SECRET}
