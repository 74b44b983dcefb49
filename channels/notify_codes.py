"""GOV.UK Notify's errors and statuses as data: what each means for us, and a sentence that is safe to show.

After https://docs.notifications.service.gov.uk/python.html. Notify says that the words of its messages may change and
its error types do not; but BadRequestError is one type for a wrong number and for a wrong key. So the words are read
where nothing else tells, and whatever fits no rule is about the text. They are never passed on: they quote ids.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from broker.delivery import Evidence
from broker.errors import (
    AccountRejected,
    AddressRejected,
    ContentRejected,
    DeliveryFailure,
    RateLimited,
    Uncertain,
)

# 3,000 a minute, on a rolling basis: after this long some of them have rolled out of it.
SOON = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Rule:
    """An error type and how its message goes (a regular expression, from its beginning): what they lead to."""

    status: int
    error: str
    words: str
    failure: type[DeliveryFailure]
    why: str


_ADDRESS, _CONTENT, _ACCOUNT = AddressRejected, ContentRejected, AccountRejected

FORGOTTEN = frozenset({"404 NoResultFound"})  # of one message: it is not there, or not any more

RULES: tuple[Rule, ...] = (
    # the account
    Rule(400, "BadRequestError", r".*team-only", _ACCOUNT, "this key of Notify's may write to the team alone"),
    Rule(400, "BadRequestError", r".*trial mode", _ACCOUNT, "the Notify service is in trial mode still"),
    Rule(400, "BadRequestError", r"template", _ACCOUNT, "Notify has not the template, or not for this"),
    Rule(400, "BadRequestError", r".*template is not suitable", _ACCOUNT, "the template is for something else"),
    Rule(400, "BadRequestError", r"missing personalisation", _ACCOUNT, "the template has placeholders of its own"),
    Rule(400, "BadRequestError", r".*does not exist", _ACCOUNT, "Notify does not know the sender or reply-to id"),
    Rule(400, "BadRequestError", r"service is not allowed", _ACCOUNT, "the Notify service may not send these"),
    Rule(400, "ValidationError", r"(template_id|sms_sender_id|email_reply_to_id|reference)\b", _ACCOUNT,
         "Notify does not take one of the account's settings"),
    Rule(403, "AuthError", r".*clock", _ACCOUNT, "this machine's clock is more than 30 seconds wrong"),
    Rule(403, "", r"", _ACCOUNT, "Notify does not accept the key"),
    Rule(401, "", r"", _ACCOUNT, "Notify does not accept the key"),
    Rule(404, "", r"", _ACCOUNT, "there is no Notify at this address"),
    # the address
    Rule(400, "ValidationError", r"(phone_number|email_address)\b", _ADDRESS, "Notify takes this for no address"),
    # A country, not the account: one grandparent in France must not stop the school.
    Rule(400, "BadRequestError", r".*international", _ADDRESS, "the Notify service may not text other countries"),
    Rule(400, "BadRequestError", r"recipient can", _ADDRESS, "no address was given"),
    Rule(400, "Invalid(Phone|Email)Error", r"", _ADDRESS, "Notify takes this for no address"),
    # the text
    Rule(400, "BadRequestError", r".*cannot be longer", _CONTENT, "the message is too long for Notify"),
    Rule(400, "BadRequestError", r"your message is empty", _CONTENT, "the message is empty"),
    Rule(413, "", r"", _CONTENT, "the message is too long for Notify"),
)  # fmt: skip

# What is not here is no news. `sent` is what becomes of texts to other countries, of which no more is heard.
STATUSES: Mapping[str, Evidence] = {
    "created": Evidence.ACCEPTED,
    "sending": Evidence.ACCEPTED,
    "pending": Evidence.ACCEPTED,
    "sent": Evidence.ACCEPTED,
    "delivered": Evidence.DELIVERED,
    "permanent-failure": Evidence.BOUNCED,
    "temporary-failure": Evidence.BOUNCED,
    "technical-failure": Evidence.BOUNCED,
}
WHY: Mapping[tuple[str, str], str] = {
    ("sms", "permanent-failure"): "the number is wrong, or its network refused the text",
    ("sms", "temporary-failure"): "the phone was off or without signal, or its inbox is full",
    ("email", "permanent-failure"): "there is no such mailbox",
    ("email", "temporary-failure"): "the mailbox is full, or its filter refused the mail",
}
BROKEN_THERE = "something went wrong between Notify and its provider: it was not sent"


def failure(status: int, error: str, message: str, *, now: datetime) -> DeliveryFailure:
    """What an answer other than success comes to. `error` and `message` are the first of those it lists."""
    code = _code(status, error)
    if status >= 500:
        # There is no idempotency: what is sent again under the same reference is a second message.
        return Uncertain(f"Notify broke down while it had the message (HTTP {status})", code=code)
    if status < 400:
        return Uncertain(f"Notify gave an answer that is neither yes nor no (HTTP {status})", code=code)
    if status == 429:
        if error == "TooManyRequestsError":
            return RateLimited(
                "the Notify service has sent all that it may today",
                code=code,
                retry_after=_until_midnight(now),
            )
        return RateLimited("Notify asks us to slow down", code=code, retry_after=SOON)
    for rule in RULES:
        if (
            rule.status == status
            and (not rule.error or re.fullmatch(rule.error, error))
            and re.match(rule.words, message, re.IGNORECASE)
        ):
            return rule.failure(rule.why, code=code)
    return ContentRejected(f"Notify refused the message (HTTP {status})", code=code)


def why(kind: str, status: str) -> str:
    """What a final status that is no success means, of an `sms` or an `email`."""
    return WHY.get((kind, status), BROKEN_THERE)


def _until_midnight(now: datetime) -> timedelta:
    """The limits of a day begin anew at midnight, UTC."""
    tomorrow = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
    return tomorrow - now


def _code(status: int, error: str) -> str:
    return f"{status} {error}" if re.fullmatch(r"[A-Za-z]{1,40}", error) else str(status)
