"""A push service's answers as data: what each means for us, and a sentence that is safe to show.

After RFC 8030 (§5, §7), RFC 8292 (§4.2), and what the browsers' services say of their own. 404 and 410 tell that a
subscription is gone: then nothing of it is kept. Whoever was given a link can subscribe what was made under somebody
else's key, of which a service says 403: that must never stop everybody's notifications.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from broker.errors import (
    AccountRejected,
    AddressRejected,
    ContentRejected,
    DeliveryFailure,
    RateLimited,
    Uncertain,
)

LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a refusal comes to, and the sentence for people; `gone`: the subscription ends with it."""

    failure: type[DeliveryFailure]
    why: str
    gone: bool = False


GONE = Meaning(AddressRejected, "whoever subscribed has taken it back, or the browser is gone", gone=True)
ANOTHER_KEY = Meaning(AddressRejected, "it was subscribed under a key that is not the school's", gone=True)
ELSEWHERE = Meaning(AddressRejected, "the push service has moved, and nobody is followed", gone=True)
NOT_OURS = Meaning(AccountRejected, "the push service does not accept our key: see docs/channels/webpush.md")
MEANINGS: Mapping[int, Meaning] = {
    # 400 is said of headers, of a signature and of a subscription alike: it proves nothing of any account.
    400: Meaning(AddressRejected, "the push service cannot take anything for this browser"),
    401: NOT_OURS,
    403: ANOTHER_KEY,
    404: GONE,
    410: GONE,
    413: Meaning(ContentRejected, "the notification is too long for the push service"),
}
PRIVATE = "private_address"
_OF_THE_TOKEN = b"JwtToken"  # what Apple's service says in a 403 that befalls every notification


def old_key() -> AddressRejected:
    """The key in the settings was changed since."""
    return AddressRejected(ANOTHER_KEY.why, code="old_key", opt_out=True)


def inward() -> AddressRejected:
    """The name of its service leads elsewhere than when it was subscribed."""
    why = "its push service leads to this machine or into the school's own network"
    return AddressRejected(why, code=PRIVATE, opt_out=True)


def failure(status: int, headers: Mapping[str, str], body: bytes = b"") -> DeliveryFailure:
    """What an answer other than 2xx comes to."""
    code = str(status)
    if status == 429:
        return RateLimited("the push service asks us to slow down", code=code, retry_after=pause(headers))
    meaning = ELSEWHERE if 300 <= status < 400 else MEANINGS.get(status)
    if meaning is None:
        why = f"the push service gave an answer that is neither yes nor no (HTTP {code})"
        return Uncertain(why, code=code)
    if meaning is ANOTHER_KEY and _OF_THE_TOKEN in body[:1_000]:
        meaning = NOT_OURS
    if issubclass(meaning.failure, AddressRejected):
        return meaning.failure(meaning.why, code=code, opt_out=meaning.gone)
    return meaning.failure(meaning.why, code=code)


def pause(headers: Mapping[str, str]) -> timedelta | None:
    """For how long, where the service says it in seconds."""
    told = headers.get("Retry-After", "")
    if not (told.isascii() and told.isdigit() and len(told) <= 9):
        return None
    return min(timedelta(seconds=int(told)), LONGEST_PAUSE)
