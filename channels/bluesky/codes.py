"""Bluesky's refusals as data: what each means for us, and a sentence that is safe to show.

After https://docs.bsky.app/docs/api/com-atproto-repo-put-record and the reference server. A refusal is known by its
status, its `error` and a phrase of its `message`; the first line that fits counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from broker.errors import (
    AccountRejected,
    ContentRejected,
    DeliveryFailure,
    RateLimited,
    Transient,
    Uncertain,
)

LONGEST_PAUSE = timedelta(hours=25)  # Bluesky counts by five minutes, the hour and the day
UNTOLD_PAUSE = timedelta(minutes=5)
NOT_FOUND = "RecordNotFound"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a refusal comes to, our own code for it and the sentence for people."""

    failure: type[DeliveryFailure]
    code: str
    why: str


_GONE = Meaning(AccountRejected, "taken_down", "Bluesky has taken the account down: appeal there")
_SESSION = Meaning(Transient, "session", "the session at Bluesky is over: another one is begun")

# (error, phrase of the message, in small letters): what it means, whatever its status
MEANINGS: Mapping[tuple[str, str], Meaning] = {
    ("AuthFactorTokenRequired", ""): Meaning(
        AccountRejected,
        "app_password",
        "Bluesky asks for a code by mail: set an app password, not the account's own",
    ),
    ("AuthenticationRequired", ""): Meaning(
        AccountRejected,
        "401",
        "Bluesky does not accept the account's name and app password: make a new app password there and set it",
    ),
    ("AccountTakedown", ""): _GONE,
    ("RepoTakendown", ""): _GONE,
    ("AccountDeactivated", ""): Meaning(
        AccountRejected, "deactivated", "the account is deactivated: sign in at Bluesky and activate it"
    ),
    ("ExpiredToken", ""): _SESSION,
    ("InvalidToken", ""): _SESSION,
    ("AuthMissing", ""): _SESSION,
    ("InvalidSwap", ""): Meaning(Uncertain, "there", "Bluesky has this very post already: it is looked for"),
    ("InvalidRequest", "grapheme"): Meaning(ContentRejected, "too_long", "the post is too long for Bluesky"),
    ("InvalidRequest", ""): Meaning(ContentRejected, "400", "Bluesky cannot take the post as it is"),
    ("InvalidRecord", ""): Meaning(ContentRejected, "400", "Bluesky cannot take the post as it is"),
}
# What tells no `error` that we know, by its status.
BY_STATUS: Mapping[int, Meaning] = {
    401: MEANINGS["AuthenticationRequired", ""],
    403: Meaning(AccountRejected, "403", "Bluesky does not permit this account to do that"),
    413: Meaning(ContentRejected, "413", "the post is too long for Bluesky"),
}


def failure(
    status: int, body: Mapping[str, Any], headers: Mapping[str, str], *, now: datetime
) -> DeliveryFailure:
    """What an answer other than success comes to; `now` serves to read a reset."""
    if status == 429:
        return RateLimited("Bluesky asks us to slow down", code="429", retry_after=_pause(headers, now))
    if status >= 500:
        return Uncertain(f"Bluesky broke down while it had the post (HTTP {status})", code=str(status))
    error, told = str(body.get("error", "")), str(body.get("message", "")).lower()
    meaning = next((m for (known, phrase), m in MEANINGS.items() if known == error and phrase in told), None)
    meaning = meaning or BY_STATUS.get(status)
    if meaning is None:
        why = f"Bluesky gave an answer that is neither yes nor no (HTTP {status})"
        return Uncertain(why, code=str(status))
    return meaning.failure(meaning.why, code=meaning.code)


def is_gone(body: Mapping[str, Any]) -> bool:
    """Whether Bluesky says that there is no such record; older servers say it in words alone."""
    return body.get("error") == NOT_FOUND or str(body.get("message", "")).startswith(
        "Could not locate record"
    )


def _pause(headers: Mapping[str, str], now: datetime) -> timedelta:
    """Until the limit begins anew, which Bluesky tells in seconds since 1970."""
    told = headers.get("RateLimit-Reset", "")
    if not (told.isascii() and told.isdigit() and len(told) <= 12):
        return UNTOLD_PAUSE
    return min(max(timedelta(seconds=int(told) - now.timestamp()), timedelta(0)), LONGEST_PAUSE)
