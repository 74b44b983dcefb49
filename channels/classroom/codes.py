"""Google's refusals as data: what each means for us, and a sentence that is safe to show.

After https://developers.google.com/classroom/troubleshooting/common-errors and RFC 6749, 5.2, for tokens. A refusal is
known by its `status` and, where that says too little, by a word of its message; the first line that fits counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from broker.errors import AccountRejected, ContentRejected, DeliveryFailure, RateLimited, Transient, Uncertain

LONGEST_PAUSE = timedelta(hours=24)
UNTOLD_PAUSE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a refusal comes to, our own code for it and the sentence for people."""

    failure: type[DeliveryFailure]
    code: str
    why: str


_ACCOUNT, _CONTENT = AccountRejected, ContentRejected
SIGN_IN = Meaning(
    _ACCOUNT, "401", "Google does not accept the account's sign-in: make a new refresh token, and set it"
)

# (status, a word of the message in small letters): what it means
MEANINGS: Mapping[tuple[str, str], Meaning] = {
    ("UNAUTHENTICATED", ""): SIGN_IN,
    ("PERMISSION_DENIED", "scope"): Meaning(
        _ACCOUNT, "scope", "the token lacks the scope classroom.announcements: make a new one with it"
    ),
    ("PERMISSION_DENIED", "classroomdisabled"): Meaning(
        _ACCOUNT, "disabled", "Classroom, or its API, is turned off for the account: see the Admin console"
    ),
    ("PERMISSION_DENIED", "projectpermissiondenied"): Meaning(
        _ACCOUNT, "project", "it was posted by another OAuth client, which alone may change it"
    ),
    ("PERMISSION_DENIED", ""): Meaning(
        _ACCOUNT, "403", "the account may not post in this course: make it a co-teacher there"
    ),
    ("NOT_FOUND", ""): Meaning(
        _ACCOUNT, "404", "there is no such course at Classroom: correct `course` or `classes`"
    ),
    ("FAILED_PRECONDITION", "coursestate"): Meaning(
        _ACCOUNT, "archived", "the course is archived: correct `course` or `classes`"
    ),
    ("FAILED_PRECONDITION", ""): Meaning(_CONTENT, "400", "Classroom cannot take the announcement as it is"),
    ("INVALID_ARGUMENT", ""): Meaning(_CONTENT, "400", "Classroom cannot take the announcement as it is"),
}
TOKENS: Mapping[str, Meaning] = {
    "invalid_grant": Meaning(
        _ACCOUNT, "invalid_grant", "the refresh token has ended or was revoked: make a new one, and set it"
    ),
    "invalid_client": Meaning(
        _ACCOUNT,
        "invalid_client",
        "Google does not know the OAuth client: correct client_id and client_secret",
    ),
    "unauthorized_client": Meaning(
        _ACCOUNT,
        "unauthorized_client",
        "the token belongs to another OAuth client: make one with this client",
    ),
    "invalid_scope": Meaning(_ACCOUNT, "invalid_scope", "the token lacks the scope classroom.announcements"),
}


def failure(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> DeliveryFailure:
    """What an answer of the API's other than success comes to."""
    error = body.get("error")
    told = error if isinstance(error, Mapping) else {}
    name, said = str(told.get("status", "")), str(told.get("message", "")).lower()
    if status == 429 or name == "RESOURCE_EXHAUSTED":
        return RateLimited("Classroom asks us to slow down", code="429", retry_after=_pause(headers))
    fits = (m for (known, word), m in MEANINGS.items() if known == name and word in said)
    meaning = next(fits, None) if 400 <= status < 500 else None
    if meaning is None:
        why = f"Classroom gave an answer that is neither yes nor no (HTTP {status})"
        return Uncertain(why, code=str(status))
    return meaning.failure(meaning.why, code=meaning.code)


def is_gone(status: int, body: Mapping[str, Any]) -> bool:
    """Whether Google itself says that there is no such thing: a proxy's page proves nothing."""
    error = body.get("error")
    return status == 404 and isinstance(error, Mapping) and error.get("status") == "NOT_FOUND"


def no_token(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> DeliveryFailure:
    """What it comes to that no token was given: whatever it is, nothing has been posted."""
    if status == 429:
        return RateLimited("Google asks us to slow down", code="429", retry_after=_pause(headers))
    meaning = TOKENS.get(str(body.get("error", ""))) if 400 <= status < 500 else None
    if meaning is None:
        return Transient(f"Google gave no token to sign in with (HTTP {status})", code=str(status))
    return meaning.failure(meaning.why, code=meaning.code)


def _pause(headers: Mapping[str, str]) -> timedelta:
    told = headers.get("Retry-After", "")
    known = told.isascii() and told.isdigit() and len(told) <= 9
    return min(timedelta(seconds=int(told)), LONGEST_PAUSE) if known else UNTOLD_PAUSE
