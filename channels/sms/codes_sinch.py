"""Sinch's codes as data: what each means for us, and a sentence that is safe to show.

After https://developers.sinch.com/docs/sms/api-reference/: status-codes for what answers a create, Delivery-reports for
what comes with a report. A code that is not here is judged by its HTTP status, a report's by its status.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from broker.delivery import Evidence
from broker.errors import (
    AccountRejected,
    AddressRejected,
    ContentRejected,
    DeliveryFailure,
    RateLimited,
    Uncertain,
)
from channels.sms.codes import Meaning

_ADDRESS, _CONTENT, _ACCOUNT = AddressRejected, ContentRejected, AccountRejected

# With a 400 or a 403.
MEANINGS: Mapping[str, Meaning] = {
    "blocked_account": Meaning(_ACCOUNT, "the Sinch account is blocked"),
    "missing_callback_url": Meaning(_ACCOUNT, "Sinch has no address to call back at"),
    "unknown_campaign": Meaning(_ACCOUNT, "Sinch does not know the account's campaign"),
    "unknown_group": Meaning(_ADDRESS, "Sinch takes this for no number"),
    "illegal_number_type": Meaning(_ADDRESS, "Sinch does not text numbers of this kind"),
    "syntax_invalid_json": Meaning(_CONTENT, "Sinch could not read the text"),
}
# One code for a wrong number and a wrong text: only the words tell which field it is about. They are never passed on.
_ABOUT_A_FIELD = frozenset({"syntax_invalid_parameter_format", "syntax_constraint_violation"})
_A_NUMBER = re.compile(
    r"\bmsisdn\b|\brecipients?\b|\bphone number\b|\bto\b(?:\[\d+\])?['\"`\]]", re.IGNORECASE
)
_A_SENDER = re.compile(r"['\"`\[]from\b|\boriginator\b|\bsender\b", re.IGNORECASE)

_BY_STATUS: Mapping[int, Meaning] = {
    401: Meaning(_ACCOUNT, "Sinch does not accept the account's token"),
    402: Meaning(_ACCOUNT, "the Sinch account has no credit left"),
    403: Meaning(_ACCOUNT, "the Sinch account may not do this"),
    404: Meaning(_ACCOUNT, "Sinch does not know this service plan in this region"),
}

# What is not here is no news: Queued and Dispatched come first, Unknown says that nobody knows.
STATUSES: Mapping[str, Evidence] = {
    "QUEUED": Evidence.ACCEPTED,
    "DISPATCHED": Evidence.ACCEPTED,
    "DELIVERED": Evidence.DELIVERED,
    "ABORTED": Evidence.BOUNCED,
    "CANCELLED": Evidence.BOUNCED,
    "REJECTED": Evidence.BOUNCED,
    "DELETED": Evidence.BOUNCED,
    "FAILED": Evidence.BOUNCED,
    "EXPIRED": Evidence.BOUNCED,
}
# Of a report; those below 400 are the networks' own.
REPORTS: Mapping[int, str] = {
    1: "the number is unknown or no longer in use",
    5: "the phone could not be reached",
    402: "no network takes texts for this number",
    403: "something went wrong at Sinch",
    404: "the network could not deliver it just now",
    405: "a part of the text was not filled in",
    406: "it could not be delivered in time",
    407: "it was cancelled before it left",
    408: "Sinch refused the text",
    410: "the account has no sender for this number",
    411: "the text has too many segments",
    412: "the account may not text this number's country",
    413: "the Sinch account is blocked, or out of credit",
}
WHY: Mapping[str, str] = {
    "ABORTED": "Sinch gave it up before any network had it",
    "CANCELLED": "it was cancelled before it left",
    "REJECTED": "the network refused it",
    "DELETED": "the network threw it away: the number is wrong, or its owner wants no texts",
    "FAILED": "the network did not deliver it and gave no reason",
    "EXPIRED": "it could not be delivered in time",
}


def failure(status: int, code: str, text: str, retry_after: timedelta | None = None) -> DeliveryFailure:
    """What an answer other than success comes to. `status` is HTTP's, `code` and `text` are Sinch's own."""
    shown = code if re.fullmatch(r"[a-z_]{1,40}", code) else str(status)
    if status >= 500:
        # Sinch has no idempotency on create, and a 500 may have sent.
        return Uncertain(f"Sinch broke down while it had the text (HTTP {status})", code=shown)
    if status < 400:
        return Uncertain(f"Sinch gave an answer that is neither yes nor no (HTTP {status})", code=shown)
    if status == 429:
        return RateLimited("Sinch asks us to slow down", code=shown, retry_after=retry_after)
    if code in _ABOUT_A_FIELD:
        if _A_SENDER.search(text):
            return AccountRejected("Sinch does not take the account's sender", code=shown)
        if _A_NUMBER.search(text):
            return AddressRejected("Sinch takes this for no number", code=shown)
        return ContentRejected("Sinch refused the text", code=shown)
    meaning = MEANINGS.get(code) or _BY_STATUS.get(status)
    if meaning is None:
        return ContentRejected(f"Sinch refused the text (HTTP {status})", code=shown)
    return meaning.failure(meaning.why, code=shown)


def why(status: str, code: int) -> str:
    """What a report of a text that did not arrive means."""
    return REPORTS.get(code) or WHY.get(status, "it was not delivered")
