"""A stand-in for GOV.UK Notify: texts and mails of one service, by its templates, found by our reference.

Doors: send, list, one, template. Shapes and errors after https://docs.notifications.service.gov.uk/rest-api.html: a
token of HS256 that is at most 30 seconds old, a reference that may be given twice and then has two messages, pages of
250. The truth has texts as `sms` and mails as `email`, each with its `provider` and its `reference`. To be told what
becomes of messages, order its look: `callback_url`, `callback_token`; a text from outside: `text_from`, `says`.
"""

from __future__ import annotations

import hmac
import json
import re
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
from sandbox.segments import segments
from sandbox.settings import BadSandbox
from sandbox.telling import Call, Teller
from sandbox.truth import Entry, TruthLog
from sandbox.web_api import Answer, Then, asked_in_json

SERVICE = "5a4db0c5-0000-4000-8000-00000000c0de"
SECRET = "5a4db0c5-0000-4000-8000-0000005ec7e7"  # noqa: S105 - pretended, like all else here
KEY = f"sandbox-{SERVICE}-{SECRET}"
CALLBACK_TOKEN = "sandbox-callback-token"  # noqa: S105
TEXTS = "5a4db0c5-0000-4000-8000-0000000000a1"
MAILS = "5a4db0c5-0000-4000-8000-0000000000a2"
TEMPLATES = {
    TEXTS: ("sms", {"body": "((text))"}),
    MAILS: ("email", {"subject": "((subject))", "body": "((body))"}),
}
SENDER = "5a4db0c5-0000-4000-8000-0000000000b1"
REPLY_TO = "5a4db0c5-0000-4000-8000-0000000000b2"
PAGE = 250
MOST_LETTERS = 918
MOST_BYTES = 2_000_000
ACCEPTED = 201


def _error(status: int, error: str, message: str) -> Answer:
    return status, {"status_code": status, "errors": [{"error": error, "message": message}]}


def _bad(message: str) -> Answer:
    return _error(400, "BadRequestError", message)


CLOCK = _error(403, "AuthError", "Error: Your system clock must be accurate to within 30 seconds")
REFUSALS: Mapping[str, Answer] = {
    "429": _error(429, "RateLimitError", "Exceeded rate limit for key type LIVE of 3000 requests per 60 seconds"),
    "daily": _error(429, "TooManyRequestsError", "Exceeded send limits (250000) for today"),
    "403": _error(403, "AuthError", "Invalid token: API key not found"),
    "clock": CLOCK,
    "team": _bad("Can’t send to this recipient using a team-only API key"),
    "trial": _bad(
        "Can’t send to this recipient when service is in trial mode – see "
        "https://www.notifications.service.gov.uk/trial-mode"
    ),
    "number": _error(400, "ValidationError", "phone_number Not enough digits"),
    "address": _error(400, "ValidationError", "email_address is not a valid email address"),
    "abroad": _bad("Cannot send to international mobile numbers"),
    "long": _bad("Text messages cannot be longer than 918 characters. Your message is 1000 characters"),
    "gone": _bad("Template has been deleted"),
    "503": (503, {"message": "Service Unavailable"}),
}  # fmt: skip
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
_NUMBER = re.compile(r"\+?[0-9]{9,15}", re.ASCII)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_GAP = re.compile(r"\(\(([a-z]+)\)\)")


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
    broken = _error(500, "Exception", "Internal server error")

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
                    (200, self._shown(entry)) if entry else _error(404, "NoResultFound", "No result found")
                )
        return then(self._template(about))

    # Sending

    def _send(self, kind: str, asked: Mapping[str, Any], then: Then) -> None:
        wrong, filled = _read(kind, asked)
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
            return _error(404, "NoResultFound", "No result found")
        kind, parts = TEMPLATES[id]
        gaps = {gap: {"required": True} for part in parts.values() for gap in _GAP.findall(part)}
        parts = {**parts, "body": parts["body"] + self.look.words}
        return 200, {"id": id, "name": "Announcements", "type": kind, "version": 1, "subject": None, **parts,
                     "personalisation": gaps}  # fmt: skip

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


def _read(kind: str, asked: Mapping[str, Any]) -> tuple[Answer | None, dict[str, str]]:
    """What is wrong with a message, or its template filled."""
    words = asked.get("personalisation") or {}
    template = TEMPLATES.get(str(asked.get("template_id")))
    if template is None:
        return _bad("Template not found"), {}
    if template[0] != kind:
        return _bad(f"{template[0]} template is not suitable for {kind} notification"), {}
    if (wrong := _wrong_with_address(kind, asked)) is not None:
        return wrong, {}
    gaps = {gap for part in template[1].values() for gap in _GAP.findall(part)}
    if missing := sorted(gaps - words.keys()):
        return _bad(f"Missing personalisation: {', '.join(missing)}"), {}
    filled = {
        name: _GAP.sub(lambda gap: str(words[gap[1]]), part).strip() for name, part in template[1].items()
    }
    body = filled["body"]
    if not body:
        return _bad("Your message is empty."), {}
    if kind == "sms" and len(body) > MOST_LETTERS:
        return _bad(
            f"Text messages cannot be longer than 918 characters. Your message is {len(body)} characters"
        ), {}
    if len(body.encode()) > MOST_BYTES:
        return _bad("Emails cannot be longer than 2000000 bytes. Your message is longer."), {}
    return None, filled


def _wrong_with_address(kind: str, asked: Mapping[str, Any]) -> Answer | None:
    if kind == "sms":
        if not _NUMBER.fullmatch(str(asked.get("phone_number"))):
            return REFUSALS["number"]
        if asked.get("sms_sender_id") not in (None, SENDER):
            return _bad("sms_sender_id does not exist in database for service id")
        return None
    if not _EMAIL.fullmatch(str(asked.get("email_address"))):
        return REFUSALS["address"]
    if asked.get("email_reply_to_id") not in (None, REPLY_TO):
        return _bad("email_reply_to_id does not exist in database for service id")
    if not str(asked.get("one_click_unsubscribe_url", "https://")).startswith("https://"):
        return _error(400, "ValidationError", "one_click_unsubscribe_url is not a valid https url")
    return None


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
