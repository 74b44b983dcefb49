"""Twilio's codes as data: what each means for us, and a sentence that is safe to show.

After https://www.twilio.com/docs/api/errors. Codes of the 20000s and 21000s answer a create; those of the 30000s come
with a status callback. A code that is not here is judged by its HTTP status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from broker.delivery import Evidence
from broker.errors import (
    AccountRejected,
    AddressRejected,
    ContentRejected,
    DeliveryFailure,
    RateLimited,
    Transient,
    Uncertain,
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code comes to. `opt_out`: the person asked for no more."""

    failure: type[DeliveryFailure]
    why: str
    opt_out: bool = False


_ADDRESS, _CONTENT, _ACCOUNT = AddressRejected, ContentRejected, AccountRejected

FORGOTTEN = frozenset({"20404"})  # of a deletion: it is not there, or not any more

MEANINGS: Mapping[int, Meaning] = {
    # a deletion
    20009: Meaning(Transient, "Twilio has not finished with the text yet"),
    # the account
    20003: Meaning(_ACCOUNT, "Twilio does not accept the account's credentials"),
    20005: Meaning(_ACCOUNT, "the Twilio account is not active"),
    20006: Meaning(_ACCOUNT, "the Twilio account may not do this"),
    20008: Meaning(_ACCOUNT, "these are Twilio's test credentials, which send nothing"),
    20404: Meaning(_ACCOUNT, "Twilio does not know this account"),
    20429: Meaning(RateLimited, "Twilio asks us to slow down"),
    21212: Meaning(_ACCOUNT, "the sender is not one Twilio accepts"),
    21603: Meaning(_ACCOUNT, "no sender was given"),
    21606: Meaning(_ACCOUNT, "the sender's number cannot send texts from this account"),
    21607: Meaning(_ACCOUNT, "the sender's number does not belong to this account"),
    21609: Meaning(_ACCOUNT, "Twilio does not accept the school's public address for callbacks"),
    21659: Meaning(_ACCOUNT, "the sender is not a number of this account's"),
    21660: Meaning(_ACCOUNT, "the sender's number belongs to another account"),
    21701: Meaning(_ACCOUNT, "the messaging service does not exist"),
    21703: Meaning(_ACCOUNT, "the messaging service has no sender"),
    21704: Meaning(_ACCOUNT, "the messaging service has no sender"),
    21705: Meaning(_ACCOUNT, "the messaging service is not valid"),
    30002: Meaning(_ACCOUNT, "the Twilio account is suspended"),
    # the address
    21211: Meaning(_ADDRESS, "this is not a valid number"),
    21214: Meaning(_ADDRESS, "this number cannot be reached"),
    21217: Meaning(_ADDRESS, "this is not a valid number"),
    # A country, not the account: one grandparent in France must not stop the school.
    21408: Meaning(_ADDRESS, "the account is not allowed to text this number's country"),
    21604: Meaning(_ADDRESS, "no number was given"),
    21608: Meaning(_ADDRESS, "a trial account may text only numbers that were verified"),
    21610: Meaning(_ADDRESS, "this person replied STOP", opt_out=True),
    21612: Meaning(_ADDRESS, "this number cannot be reached from the account's sender"),
    21614: Meaning(_ADDRESS, "this is not a mobile number"),
    21635: Meaning(_ADDRESS, "this is a landline"),
    # the text
    21602: Meaning(_CONTENT, "the text is empty"),
    21605: Meaning(_CONTENT, "the text is too long for Twilio"),
    21617: Meaning(_CONTENT, "the text is too long for Twilio"),
    21619: Meaning(_CONTENT, "the text is empty"),
    # not now
    21611: Meaning(RateLimited, "the sender's queue at Twilio is full"),
    # what became of it
    30001: Meaning(_ADDRESS, "Twilio's queue overflowed"),
    30003: Meaning(_ADDRESS, "the phone could not be reached: it may be off or out of coverage"),
    # Blocked by the network or the phone's owner; only 21610 is somebody's STOP to us.
    30004: Meaning(_ADDRESS, "the message was blocked"),
    30005: Meaning(_ADDRESS, "the number is unknown or no longer in use"),
    30006: Meaning(_ADDRESS, "this is a landline, or its network takes no texts"),
    30007: Meaning(_CONTENT, "the network filtered the message as unwanted"),
    30008: Meaning(_ADDRESS, "the network did not deliver it and gave no reason"),
    30010: Meaning(_ADDRESS, "the message would have cost more than the account allows"),
    30034: Meaning(_ACCOUNT, "the sender is not registered for texts to the United States"),
    30410: Meaning(_ADDRESS, "the network did not answer in time"),
}

# https://www.twilio.com/docs/messaging/api/message-resource#message-status-values; what is not here is no news.
STATUSES: Mapping[str, Evidence] = {
    "accepted": Evidence.ACCEPTED,
    "scheduled": Evidence.ACCEPTED,
    "queued": Evidence.ACCEPTED,
    "sending": Evidence.ACCEPTED,
    "sent": Evidence.ACCEPTED,
    "delivered": Evidence.DELIVERED,
    "read": Evidence.DELIVERED,
    "partially_delivered": Evidence.DELIVERED,
    "undelivered": Evidence.BOUNCED,
    "failed": Evidence.BOUNCED,
    "canceled": Evidence.BOUNCED,
}

_BY_STATUS: Mapping[int, Meaning] = {
    401: MEANINGS[20003],
    403: MEANINGS[20006],
    404: MEANINGS[20404],
    429: MEANINGS[20429],
}


def failure(status: int, code: int | None, retry_after: timedelta | None = None) -> DeliveryFailure:
    """What an answer other than success comes to. `status` is HTTP's, `code` Twilio's own."""
    shown = str(code or status)
    if status >= 500:
        # Twilio has no idempotency on create, and a 500 may have sent.
        return Uncertain(f"Twilio broke down while it had the text (HTTP {status})", code=shown)
    if status < 400:
        return Uncertain(f"Twilio gave an answer that is neither yes nor no (HTTP {status})", code=shown)
    meaning = MEANINGS.get(code or 0) or _BY_STATUS.get(status)
    if status == 429 or (meaning is not None and meaning.failure is RateLimited):
        why = meaning.why if meaning is not None and meaning.failure is RateLimited else MEANINGS[20429].why
        return RateLimited(why, code=shown, retry_after=retry_after)
    if meaning is None:
        return ContentRejected(f"Twilio refused the text (code {shown})", code=shown)
    if meaning.opt_out:
        return AddressRejected(meaning.why, code=shown, opt_out=True)
    return meaning.failure(meaning.why, code=shown)


def describe(code: str) -> Meaning | None:
    """What the code of a callback means, None for one that is unknown or no code at all."""
    return MEANINGS.get(int(code)) if code.isascii() and code.isdigit() and len(code) <= 6 else None
