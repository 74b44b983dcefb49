"""A stand-in for GOV.UK Notify: texts and mails of one service, by its templates, found by our reference.

Doors: send, list, one, template. Shapes and errors after https://docs.notifications.service.gov.uk/rest-api.html: a
token of HS256 that is at most 30 seconds old, a reference that may be given twice and then has two messages, pages of
250. The truth has texts as `sms` and mails as `email`, each with its `provider` and its `reference`. To be told what
becomes of messages, order its look: `callback_url`, `callback_token`; a text from outside: `text_from`, `says`.
"""

from __future__ import annotations

import hmac
import json
import time
import uuid
from base64 import urlsafe_b64decode
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox import telling, web_api
from sandbox.faults import FaultBook, Kind
from sandbox.http import Request
from sandbox.notify_shapes import (
    CLOCK,
    MAILS,
    REFUSALS,
    TEMPLATES,
    TEXTS,
    error,
    read_message,
    template_as_json,
)
from sandbox.segments import segments
from sandbox.settings import BadSandbox
from sandbox.telling import Call, Teller
from sandbox.truth import Entry, TruthLog
from sandbox.web_api import Answer, Then, asked_in_json

SERVICE = "5a4db0c5-0000-4000-8000-00000000c0de"
SECRET = "5a4db0c5-0000-4000-8000-0000005ec7e7"  # noqa: S105 - pretended, like all else here
KEY = f"sandbox-{SERVICE}-{SECRET}"
CALLBACK_TOKEN = "sandbox-callback-token"  # noqa: S105
PAGE = 250
ACCEPTED = 201
FATES = ("permanent-failure", "temporary-failure", "technical-failure")
KINDS = {
    **web_api.kinds(
        ("send", "list", "one", "template"),
        {
            "429": "RateLimitError",
            "daily": "TooManyRequestsError, all that may go today has gone",
            "403": "AuthError, the key is not known",
            "clock": "AuthError, the token is too old or too new",
            "team": "BadRequestError, the key is for the team alone",
            "trial": "BadRequestError, the service is in trial mode",
            "number": "ValidationError of the number",
            "address": "ValidationError of the email",
            "abroad": "BadRequestError, a number of another country",
            "long": "BadRequestError, the text is too long",
            "gone": "BadRequestError, the template was deleted",
            "503": "Service unavailable",
        },
    ),
    **{fate: Kind(f"Accepted, later {fate}", "fate", ("send",)) for fate in FATES},
    **telling.kinds("send"),
}


@dataclass(frozen=True)
class Look:
    """What the service is set to: where it calls, how long until a message moves on, and is forgotten."""

    callback_url: str = ""
    callback_token: str = CALLBACK_TOKEN
    step_ms: int = 20
    keeps_s: int = 604_800
    archived: bool = False
    words: str = ""  # of the template's own


def open(truth: TruthLog, faults: FaultBook) -> Notify:  # noqa: A001 - as every stand-in has it
    """The stand-in."""
    return Notify(truth, faults)


def settings(url: str, template: str = TEXTS) -> dict[str, Any]:
    """What a gateway for texts is set to."""
    return {
        "api_key": KEY,
        "template_id": template,
        "callback_token": CALLBACK_TOKEN,
        "api_base_url": url,
        "grace": 1,
    }


def mail_settings(url: str) -> dict[str, Any]:
    """What a gateway for mails is set to."""
    return {**settings(url, MAILS), "reply_to": "office@stcecilias.org.uk"}


def gateways(url: str) -> dict[str, dict[str, Any]]:
    """Both, by their channel."""
    return {"sms": settings(url), "email": mail_settings(url)}


class Notify(web_api.WebApi):
    """One service's messages."""

    name = "notify"
    refusals = REFUSALS
    broken = error(500, "Exception", "Internal server error")

    def __init__(self, truth: TruthLog, faults: FaultBook) -> None:
        super().__init__(truth, faults)
        self.look = Look()
        self._teller = Teller(self.counts)
        self._refusal: Answer = REFUSALS["403"]
        self._under: dict[str, list[str]] = defaultdict(list)
        for number in range(len(truth)):
            if (entry := truth.entry(number)).get("provider") == self.name:
                self._under[entry["reference"]].append(entry["id"])

    def order(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Set the service; or a text from outside, `text_from` and what it `says`; `forget` all that was sent."""
        wanted = dict(wanted)
        if wanted.pop("forget", False):
            self._under.clear()
        sender, says = wanted.pop("text_from", None), wanted.pop("says", "")
        told = super().order(wanted)
        if sender is not None and not self._hear(str(sender), str(says)):
            raise BadSandbox("callback_url", "only an address on this machine is called")
        return told

    def asked_for(self, request: Request, path: str) -> tuple[str, str]:
        """The door, and the kind, the id or the template."""
        match request.method, path.split("/"):
            case "POST", ["v2", "notifications", ("sms" | "email") as kind]:
                return "send", kind
            case "GET", ["v2", "notifications"]:
                return "list", ""
            case "GET", ["v2", "notifications", id]:
                return "one", id
            case "GET", ["v2", "template", id]:
                return "template", id
        return "", ""

    def signed(self, request: Request) -> bool:
        """By a token of HS256 under the key's secret, that names the service and is fresh."""
        self._refusal = REFUSALS["403"]
        try:
            head, claims, mac = request.headers.get("authorization", "").removeprefix("Bearer ").split(".")
            own = hmac.digest(SECRET.encode(), f"{head}.{claims}".encode(), "sha256")
            told = json.loads(_bytes(claims))
            if not hmac.compare_digest(own, _bytes(mac)) or told["iss"] != SERVICE:
                return False
            fresh = abs(time.time() - int(told["iat"])) <= 30
        except (ValueError, KeyError, TypeError):
            return False
        self._refusal = REFUSALS["403"] if fresh else CLOCK
        return fresh

    def unsigned(self) -> Answer:
        """Why the token did not hold."""
        return self._refusal

    def whom(self, stage: str, request: Request) -> str:
        """The number or email of a message."""
        if stage != "send":
            return ""
        asked = asked_in_json(request)
        return str(asked.get("phone_number") or asked.get("email_address") or "")

    def act(self, stage: str, about: str, request: Request, then: Then) -> None:
        """Do what was asked for."""
        match stage:
            case "send":
                return self._send(about, asked_in_json(request), then)
            case "list":
                return then(self._list(request.parameters()))
            case "one":
                entry = self._kept(about)
                return then(
                    (200, self._shown(entry)) if entry else error(404, "NoResultFound", "No result found")
                )
        return then(self._template(about))

    # Sending

    def _send(self, kind: str, asked: Mapping[str, Any], then: Then) -> None:
        wrong, filled = read_message(kind, asked)
        if wrong is not None:
            self.counts["refused"] += 1
            return then(wrong)
        to = asked["phone_number" if kind == "sms" else "email_address"]
        name, reference = str(uuid.uuid4()), asked.get("reference")
        fate, trouble = self._pick("fate", "send", to), self._pick("callback", "send", to)
        body = filled["body"]

        def accepted(entry: Entry | None) -> None:
            if entry is None:
                return then(self.broken)
            self._under[str(reference)].append(name)
            self._tell(entry, trouble.kind if trouble else "")
            return then((ACCEPTED, self._answered(entry)))

        self.accept(
            body,
            accepted,
            channel=kind,
            provider=self.name,
            id=name,
            to=to,
            key=name if kind == "email" else reference,
            reference=reference,
            subject=filled.get("subject", ""),
            segments=segments(body) if kind == "sms" else 1,
            fate=fate.kind if fate else "delivered",
            unsubscribe=asked.get("one_click_unsubscribe_url"),
            template=asked["template_id"],
        )
        return None

    def _answered(self, entry: Entry) -> dict[str, Any]:
        content = {"body": entry["body"]}
        if entry["channel"] == "sms":
            content["from_number"] = "GOVUK"
        else:
            content |= {"subject": entry["subject"], "from_email": "school@notifications.service.gov.uk"}
        return {
            "id": entry["id"],
            "reference": entry["reference"],
            "content": content,
            "uri": f"https://api.notifications.service.gov.uk/v2/notifications/{entry['id']}",
            "template": {"id": entry["template"], "version": 1, "uri": f"/v2/template/{entry['template']}"},
            "scheduled_for": None,
        }

    # Looking up

    def _kept(self, id: str) -> Entry | None:
        number = self.truth.number_of(id)
        entry = self.truth.entry(number) if number is not None else None
        if entry is None or entry.get("provider") != self.name or self._age(entry) > self.look.keeps_s:
            return None
        return entry

    def _list(self, asked: Mapping[str, str]) -> Answer:
        reference, kind = asked.get("reference", ""), asked.get("template_type")
        found = [entry for name in reversed(self._under.get(reference, ())) if (entry := self._kept(name))]
        page = [self._shown(each) for each in found if kind in (None, each["channel"])][:PAGE]
        here = "https://api.notifications.service.gov.uk/v2/notifications"
        links = {"current": f"{here}?reference={reference}"}
        if page:
            links["next"] = f"{here}?reference={reference}&older_than={page[-1]['id']}"
        return 200, {"notifications": page, "links": links}

    def _shown(self, entry: Entry) -> dict[str, Any]:
        text = entry["channel"] == "sms"
        return {
            "id": entry["id"],
            "reference": entry["reference"],
            "email_address": None if text else entry["to"],
            "phone_number": entry["to"] if text else None,
            "type": entry["channel"],
            "status": self._status(entry),
            "template": {"id": entry["template"], "version": 1, "uri": f"/v2/template/{entry['template']}/1"},
            "body": entry["body"],
            "subject": entry["subject"] or None,
            "created_at": entry["at"].replace("+00:00", "Z"),
            "created_by_name": None,
            "sent_at": None,
            "completed_at": None,
            "scheduled_for": None,
        }

    def _status(self, entry: Entry) -> str:
        steps = self._age(entry) * 1000 / max(self.look.step_ms, 1)
        return "created" if steps < 1 else "sending" if steps < 2 else str(entry["fate"])

    def _age(self, entry: Entry) -> float:
        return time.time() - datetime.fromisoformat(entry["at"]).timestamp()

    def _template(self, id: str) -> Answer:
        if id not in TEMPLATES or self.look.archived:
            return error(404, "NoResultFound", "No result found")
        return template_as_json(id, self.look.words)

    # Calling back

    def _tell(self, entry: Entry, fault: str) -> None:
        if not self.look.callback_url:
            return
        told = {
            "id": entry["id"],
            "reference": entry["reference"],
            "to": entry["to"],
            "status": entry["fate"],
            "created_at": entry["at"],
            "completed_at": entry["at"],
            "sent_at": entry["at"],
            "notification_type": entry["channel"],
            "template_id": entry["template"],
            "template_version": 1,
        }
        call = Call(json.dumps(told).encode(), self._vouched)
        self._teller.tell(self.look.callback_url, [call], every=2 * self.look.step_ms / 1000, fault=fault)

    def _hear(self, sender: str, says: str) -> bool:
        told = {
            "id": str(uuid.uuid4()),
            "source_number": sender.removeprefix("+"),
            "destination_number": "07400123456",
            "message": says,
            "date_received": datetime.now(UTC).isoformat(),
        }
        self.counts["heard"] += 1
        return self._teller.tell(
            self.look.callback_url, [Call(json.dumps(told).encode(), self._vouched)], every=0
        )

    def _vouched(self, forged: bool) -> dict[str, str]:
        return {"Authorization": f"Bearer {'forged' if forged else self.look.callback_token}"}


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
