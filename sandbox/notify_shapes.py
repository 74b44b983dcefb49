"""What GOV.UK Notify takes and refuses: its errors, our two templates, and a message read as it reads one.

After https://docs.notifications.service.gov.uk/rest-api.html, as the stand-in is (`sandbox.stand_ins.notify`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.web_api import Answer

TEXTS = "5a4db0c5-0000-4000-8000-0000000000a1"
MAILS = "5a4db0c5-0000-4000-8000-0000000000a2"
TEMPLATES = {
    TEXTS: ("sms", {"body": "((text))"}),
    MAILS: ("email", {"subject": "((subject))", "body": "((body))"}),
}
SENDER = "5a4db0c5-0000-4000-8000-0000000000b1"
REPLY_TO = "5a4db0c5-0000-4000-8000-0000000000b2"
MOST_LETTERS = 918
MOST_BYTES = 2_000_000
_NUMBER = re.compile(r"\+?[0-9]{9,15}", re.ASCII)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_GAP = re.compile(r"\(\(([a-z]+)\)\)")


def error(status: int, kind: str, message: str) -> Answer:
    """An error as Notify words it."""
    return status, {"status_code": status, "errors": [{"error": kind, "message": message}]}


def _bad(message: str) -> Answer:
    return error(400, "BadRequestError", message)


CLOCK = error(403, "AuthError", "Error: Your system clock must be accurate to within 30 seconds")
REFUSALS: Mapping[str, Answer] = {
    "429": error(429, "RateLimitError", "Exceeded rate limit for key type LIVE of 3000 requests per 60 seconds"),
    "daily": error(429, "TooManyRequestsError", "Exceeded send limits (250000) for today"),
    "403": error(403, "AuthError", "Invalid token: API key not found"),
    "clock": CLOCK,
    "team": _bad("Can’t send to this recipient using a team-only API key"),
    "trial": _bad(
        "Can’t send to this recipient when service is in trial mode – see "
        "https://www.notifications.service.gov.uk/trial-mode"
    ),
    "number": error(400, "ValidationError", "phone_number Not enough digits"),
    "address": error(400, "ValidationError", "email_address is not a valid email address"),
    "abroad": _bad("Cannot send to international mobile numbers"),
    "long": _bad("Text messages cannot be longer than 918 characters. Your message is 1000 characters"),
    "gone": _bad("Template has been deleted"),
    "503": (503, {"message": "Service Unavailable"}),
}  # fmt: skip


def read_message(kind: str, asked: Mapping[str, Any]) -> tuple[Answer | None, dict[str, str]]:
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


def template_as_json(id: str, words: str) -> Answer:
    """One of ours as it is looked up, with `words` of its own after what it is filled with."""
    kind, parts = TEMPLATES[id]
    gaps = {gap: {"required": True} for part in parts.values() for gap in _GAP.findall(part)}
    parts = {**parts, "body": parts["body"] + words}
    return 200, {"id": id, "name": "Announcements", "type": kind, "version": 1, "subject": None, **parts,
                 "personalisation": gaps}  # fmt: skip


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
        return error(400, "ValidationError", "one_click_unsubscribe_url is not a valid https url")
    return None
