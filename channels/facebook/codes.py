"""Facebook's refusals as data: what each means for us, and a sentence that is safe to show.

After https://developers.facebook.com/docs/graph-api/guides/error-handling and /docs/pages-api/error-codes. A refusal is
known by its `code` and `error_subcode`, whatever its status.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from broker.errors import (
    AccountRejected,
    ContentRejected,
    DeliveryFailure,
    Permanent,
    RateLimited,
    Uncertain,
)

LONGEST_PAUSE = timedelta(hours=25)  # a page's calls are counted by the day
UNTOLD_PAUSE = timedelta(minutes=15)
DUPLICATE = "506"
SLOWER = frozenset({4, 17, 32, 341, 613, 80001})
NO_SUCH_THING = (100, 33)  # or none that this token may see


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a refusal comes to and the sentence for people."""

    failure: type[Permanent]
    why: str


_ACCOUNT, _CONTENT = AccountRejected, ContentRejected
_TOKEN = Meaning(
    _ACCOUNT,
    "Facebook does not accept the page's access token: make a new one for the system user in the business settings"
    " and set it",
)
_PERMISSION = Meaning(
    _ACCOUNT,
    "the access token may not do that: give the system user pages_manage_posts, pages_read_engagement,"
    " pages_manage_metadata and the page, and make a new token",
)

# (code, subcode; None for any): what it means
MEANINGS: Mapping[tuple[int, int | None], Meaning] = {
    NO_SUCH_THING: Meaning(
        _ACCOUNT, "there is no such page, or the access token is for another: set page_id"
    ),
    (190, None): _TOKEN,
    (102, None): _TOKEN,
    (3, None): _PERMISSION,
    (10, None): _PERMISSION,
    (12, None): Meaning(
        _ACCOUNT, "Facebook has given up the version of its API that is used here: update Carillon"
    ),
    (2635, None): Meaning(
        _ACCOUNT, "Facebook has given up the version of its API that is used here: update Carillon"
    ),
    (368, None): Meaning(
        _ACCOUNT,
        "Facebook has blocked the page for a while for breaking its rules: look at its notices there",
    ),
    (506, None): Meaning(_CONTENT, "Facebook says that the very same was posted before"),
    (100, None): Meaning(_CONTENT, "Facebook cannot take the post as it is"),
    (1609005, None): Meaning(_CONTENT, "Facebook cannot take the link in the post"),
}
PERMISSIONS = range(200, 300)


def failure(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> DeliveryFailure:
    """What an answer other than success comes to."""
    code, subcode = codes_in(body)
    if code in SLOWER or status == 429:
        return RateLimited(
            "Facebook asks us to slow down", code=str(code or 429), retry_after=_pause(headers)
        )
    meaning = MEANINGS.get((code, subcode)) or MEANINGS.get((code, None))
    if meaning is None and code in PERMISSIONS:
        meaning = _PERMISSION
    if meaning is not None:
        return meaning.failure(meaning.why, code=str(code))
    if status >= 500 or code in (1, 2):
        return Uncertain(
            f"Facebook broke down while it had the post (HTTP {status})", code=str(code or status)
        )
    why = f"Facebook gave an answer that is neither yes nor no (HTTP {status})"
    return Uncertain(why, code=str(code or status))


def codes_in(body: Mapping[str, Any]) -> tuple[int, int]:
    """The code and the subcode of an error, 0 where there is none."""
    error = body.get("error")
    told = error if isinstance(error, Mapping) else {}
    code, subcode = told.get("code"), told.get("error_subcode")
    return code if type(code) is int else 0, subcode if type(subcode) is int else 0


def _pause(headers: Mapping[str, str]) -> timedelta:
    """What Facebook tells in minutes, somewhere in a header of JSON."""
    try:
        told = json.loads(headers.get("X-Business-Use-Case-Usage", ""))
        uses = [use for several in told.values() for use in several]
        minutes = max(int(use["estimated_time_to_regain_access"]) for use in uses)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError):
        return UNTOLD_PAUSE
    if minutes <= 0:
        return UNTOLD_PAUSE
    return min(timedelta(minutes=min(minutes, 10_000)), LONGEST_PAUSE)
