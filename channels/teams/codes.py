"""Power Automate's refusals as data: what each means for us, and a sentence that is safe to show.

After https://learn.microsoft.com/azure/connectors/connectors-native-reqres and /power-automate/error-reference. One is
known by its status and its code; the first line that fits counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from broker.errors import AccountRejected, ContentRejected, DeliveryFailure, RateLimited, Uncertain

LONGEST_PAUSE = timedelta(hours=24)
UNTOLD_PAUSE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a refusal comes to, and the sentence for people."""

    failure: type[DeliveryFailure]
    why: str


_ACCOUNT, _CONTENT = AccountRejected, ContentRejected
_ADDRESS = "Teams does not accept the workflow's address: copy it again from the workflow, and set it"
_GONE = "the workflow is not there any more: make a new one in Teams, and set its address"

# (status, the beginning of the code, in small letters): what it means
MEANINGS: Mapping[tuple[int, str], Meaning] = {
    (400, "workflowtriggerisnotenabled"): Meaning(
        _ACCOUNT, "the workflow is turned off: turn it on in Power Automate"
    ),
    (400, "flowsuspended"): Meaning(
        _ACCOUNT, "Microsoft suspended the workflow: look at it in Power Automate"
    ),
    (400, ""): Meaning(_CONTENT, "Teams cannot take the card as it is"),
    (401, ""): Meaning(_ACCOUNT, _ADDRESS),
    (403, ""): Meaning(_ACCOUNT, _ADDRESS),
    (404, ""): Meaning(_ACCOUNT, _GONE),
    (405, ""): Meaning(_ACCOUNT, _ADDRESS),
    (410, ""): Meaning(_ACCOUNT, _GONE),
    (413, ""): Meaning(_CONTENT, "the card is too long for Teams"),
}


def failure(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> DeliveryFailure:
    """What an answer other than "accepted" comes to."""
    error = body.get("error")
    told = str(error.get("code", "")).lower() if isinstance(error, Mapping) else ""
    if status == 429:
        return RateLimited("Teams asks us to slow down", code="429", retry_after=_pause(headers))
    meaning = next(
        (m for (known, code), m in MEANINGS.items() if known == status and told.startswith(code)), None
    )
    if meaning is None:
        return Uncertain(f"Teams gave an answer that is neither yes nor no (HTTP {status})", code=str(status))
    return meaning.failure(meaning.why, code=str(status))


def _pause(headers: Mapping[str, str]) -> timedelta:
    told = headers.get("Retry-After", "")
    known = told.isascii() and told.isdigit() and len(told) <= 9
    return min(timedelta(seconds=int(told)), LONGEST_PAUSE) if known else UNTOLD_PAUSE
