"""Mastodon's refusals as data: what each means for us, and a sentence that is safe to show.

After https://docs.joinmastodon.org/api/guidelines/ and /methods/statuses/#create. A refusal is known by its status and
a phrase of its `error`; the first line that fits counts. Servers speak many languages, so a status counts alone, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from broker.errors import (
    AccountRejected,
    ContentRejected,
    DeliveryFailure,
    Permanent,
    RateLimited,
    Uncertain,
)

LONGEST_PAUSE = timedelta(hours=6)  # posts are counted by three hours, requests by five minutes
UNTOLD_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a refusal comes to, our own code for it and the sentence for people."""

    failure: type[Permanent]
    code: str
    why: str


_ACCOUNT, _CONTENT = AccountRejected, ContentRejected

# (status, phrase of the error, in small letters): what it means
MEANINGS: Mapping[tuple[int, str], Meaning] = {
    (401, ""): Meaning(
        _ACCOUNT,
        "401",
        "the server does not accept the account's access token: make a new one there (Preferences, Development)"
        " and set it",
    ),
    (403, "scope"): Meaning(
        _ACCOUNT, "scope", "the access token may not do that: give its application read and write:statuses"
    ),
    (403, "disabled"): Meaning(_ACCOUNT, "disabled", "the account is disabled: ask the server's moderators"),
    (403, "suspend"): Meaning(_ACCOUNT, "suspended", "the server has suspended the account"),
    (403, ""): Meaning(_ACCOUNT, "403", "the server does not permit this account to do that"),
    (422, "character limit"): Meaning(
        _CONTENT, "too_long", "the post is too long for the server: set `longest` to what it allows"
    ),
    (422, ""): Meaning(_CONTENT, "422", "the server cannot take the post as it is"),
    (400, ""): Meaning(_CONTENT, "400", "the server cannot take the post as it is"),
    (413, ""): Meaning(_CONTENT, "413", "the post is too long for the server"),
}


def failure(
    status: int, body: Mapping[str, Any], headers: Mapping[str, str], *, now: datetime
) -> DeliveryFailure:
    """What an answer other than success comes to; `now` serves to read a reset."""
    if status == 429:
        return RateLimited("the server asks us to slow down", code="429", retry_after=_pause(headers, now))
    if status >= 500:
        return Uncertain(f"the server broke down while it had the post (HTTP {status})", code=str(status))
    if status < 400:
        why = "the server leads to another address: if that lasts, set `server` to it"
        return Uncertain(why, code=str(status))
    told = str(body.get("error", "")).lower()
    meaning = next((m for (known, phrase), m in MEANINGS.items() if known == status and phrase in told), None)
    if meaning is None:
        why = f"the server gave an answer that is neither yes nor no (HTTP {status})"
        return Uncertain(why, code=str(status))
    return meaning.failure(meaning.why, code=meaning.code)


def _pause(headers: Mapping[str, str], now: datetime) -> timedelta:
    """Until the limit begins anew, which Mastodon tells in ISO 8601."""
    try:
        reset = datetime.fromisoformat(headers.get("X-RateLimit-Reset", ""))
    except ValueError:
        return UNTOLD_PAUSE
    wait = (reset if reset.tzinfo else reset.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta(0)), LONGEST_PAUSE)
