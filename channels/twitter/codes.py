"""X's refusals as data: what each means for us, and a sentence that is safe to show.

After https://docs.x.com/x-api/fundamentals/response-codes-and-errors. X has few codes and many sentences, so a refusal
is known by its status and a phrase of its detail or type; the first line that fits counts.
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
    Problem,
    RateLimited,
    Transient,
    Uncertain,
)

LONGEST_PAUSE = timedelta(hours=25)  # X counts by the quarter of an hour, and by the day
UNTOLD_PAUSE = timedelta(minutes=15)
DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a refusal comes to, our own code for it and the sentence for people."""

    failure: type[DeliveryFailure]
    code: str
    why: str


_ACCOUNT, _CONTENT = AccountRejected, ContentRejected
CREDENTIALS = Meaning(
    _ACCOUNT, "401", "X does not accept the account's credentials: make new ones and set them"
)

# (status, phrase in the detail or the type, in small letters): what it means
MEANINGS: Mapping[tuple[int, str], Meaning] = {
    (401, ""): CREDENTIALS,
    (402, ""): Meaning(_ACCOUNT, "402", "the credit for X's API is used up: buy more"),
    (403, "duplicate content"): Meaning(_CONTENT, DUPLICATE, "X says that the very same was posted before"),
    (403, "suspended"): Meaning(_ACCOUNT, "suspended", "X has suspended the account"),
    (403, "locked"): Meaning(_ACCOUNT, "locked", "X has locked the account: sign in there and unlock it"),
    (403, "deleted or not visible"): Meaning(_CONTENT, "no_such_post", "the post to be quoted is not there"),
    (403, "shorter"): Meaning(_CONTENT, "too_long", "the post is too long for X"),
    (403, "oauth1-permissions"): Meaning(
        _ACCOUNT, "read_only", "the app may only read: allow it to write at X"
    ),
    (403, "client-forbidden"): Meaning(_ACCOUNT, "client_forbidden", "X does not let this app use its API"),
    (403, "unsupported-authentication"): Meaning(_ACCOUNT, "sign_in", "X wants another way to sign in"),
    (400, ""): Meaning(_CONTENT, "400", "X cannot take the post as it is"),
    (422, ""): Meaning(_CONTENT, "422", "X cannot take the post as it is"),
}
# "Not permitted", and whatever X finds next: what befalls every post stops the account, what befalls a quote does not.
NOT_PERMITTED = Meaning(_ACCOUNT, "403", "X does not permit this account to do that")
NOT_THIS_QUOTE = Meaning(_CONTENT, "403", "X does not permit this post to be quoted")

NO_QUOTE = Problem(
    "no_such_post", "quote", "there is no such post at X", "check its address, or leave the quote out"
)
HIDDEN_QUOTE = Problem(
    "post_not_public", "quote", "its author's posts are not for everybody to see", "leave the quote out"
)


def unchecked(hint: str = "") -> Problem:
    """Nobody knows whether there is the post to be quoted."""
    message = "X could not be asked whether there is the post to be quoted"
    return Problem("quote_unchecked", "quote", message, hint or "try again, or leave the quote out")


def failure(
    status: int, body: Mapping[str, Any], headers: Mapping[str, str], *, now: datetime, quoting: bool = False
) -> DeliveryFailure:
    """What an answer other than success comes to. `body` is X's problem, `now` serves to read a reset."""
    if status == 429:
        return RateLimited("X asks us to slow down", code="429", retry_after=_pause(headers, now))
    if status >= 500:
        return Uncertain(f"X broke down while it had the post (HTTP {status})", code=str(status))
    meaning = _meaning(
        status, f"{body.get('detail', '')} {body.get('type', '')} {body.get('errors', '')}".lower()
    )
    if meaning is None and status == 403:
        meaning = NOT_THIS_QUOTE if quoting else NOT_PERMITTED
    if meaning is None:
        return Uncertain(f"X gave an answer that is neither yes nor no (HTTP {status})", code=str(status))
    return meaning.failure(meaning.why, code=meaning.code)


def wrong_clock(away: timedelta) -> DeliveryFailure:
    """What a refusal of the moment that was signed comes to: nothing was posted, and X's time is known now."""
    minutes, late = round(abs(away) / timedelta(minutes=1)), "ahead of" if away > timedelta(0) else "behind"
    why = f"this machine's clock is {minutes:,} minutes {late} X's: it is tried again by X's clock; set ours right"
    return Transient(why, code="clock")


def _meaning(status: int, told: str) -> Meaning | None:
    return next((m for (known, phrase), m in MEANINGS.items() if known == status and phrase in told), None)


def _pause(headers: Mapping[str, str], now: datetime) -> timedelta:
    """Until the last of the limits that are used up begins anew: X tells that in seconds since 1970."""
    windows = ("x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour")
    resets = [
        int(told)
        for window in windows
        if (told := headers.get(f"{window}-reset", "")).isascii() and told.isdigit() and len(told) <= 12
        if headers.get(f"{window}-remaining", "0") == "0"
    ]
    if not resets:
        return UNTOLD_PAUSE
    return min(max(timedelta(seconds=max(resets) - now.timestamp()), timedelta(0)), LONGEST_PAUSE)
