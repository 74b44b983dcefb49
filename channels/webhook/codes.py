"""A receiver's answers as data: what each means for us, and a sentence that is safe to show.

After https://www.standardwebhooks.com: 2xx is "I have it", 410 "no more of this", anything else "not now". Which of the
others would befall every message is ours to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from broker.errors import AccountRejected, ContentRejected, DeliveryFailure, RateLimited, Uncertain

LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a refusal comes to, and the sentence for people."""

    failure: type[DeliveryFailure]
    why: str


_ACCOUNT, _CONTENT = AccountRejected, ContentRejected
_SIGNATURE = "the receiver does not accept our signature: give both sides the same secret"
_NOWHERE = "there is no receiver at the address: correct `address`"

MEANINGS: Mapping[int, Meaning] = {
    400: Meaning(_CONTENT, "the receiver cannot take the message as it is"),
    401: Meaning(_ACCOUNT, _SIGNATURE),
    403: Meaning(_ACCOUNT, _SIGNATURE),
    404: Meaning(_ACCOUNT, _NOWHERE),
    405: Meaning(_ACCOUNT, _NOWHERE),
    410: Meaning(_ACCOUNT, "the receiver wants no more: ask whoever runs it, or take the account out"),
    413: Meaning(_CONTENT, "the message is too long for the receiver"),
    415: Meaning(_ACCOUNT, "the receiver does not take JSON: it is none of ours, or not set up yet"),
    422: Meaning(_CONTENT, "the receiver cannot take the message as it is"),
}
MOVED = Meaning(_ACCOUNT, "the receiver has moved, and nobody is followed: set its new address")
A_PAGE = "a page for people came in place of an answer: a portal or a proxy may stand in between"


def failure(status: int, headers: Mapping[str, str]) -> DeliveryFailure:
    """What an answer other than 2xx comes to."""
    code = str(status)
    if status == 429:
        return RateLimited("the receiver asks us to slow down", code=code, retry_after=pause(headers))
    if 300 <= status < 400:
        return MOVED.failure(MOVED.why, code=code)
    meaning = MEANINGS.get(status)
    if meaning is None:
        return Uncertain(f"the receiver gave an answer that is neither yes nor no (HTTP {code})", code=code)
    return meaning.failure(meaning.why, code=code)


def pause(headers: Mapping[str, str]) -> timedelta | None:
    """For how long, where the receiver says it in seconds."""
    told = headers.get("Retry-After", "")
    if not (told.isascii() and told.isdigit() and len(told) <= 9):
        return None
    return min(timedelta(seconds=int(told)), LONGEST_PAUSE)
