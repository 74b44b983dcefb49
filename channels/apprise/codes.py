"""What a "no" of Apprise's comes to. It tells nothing else; the status of the one request is seen where it is made.

A no may be an answer that broke after the notice was taken: so it is uncertain, and not tried again by itself. A few
statuses alone prove that nothing was posted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from broker.errors import AccountRejected, DeliveryFailure, RateLimited, Uncertain

REFUSALS: Mapping[int, str] = {
    401: "the service does not accept what is in the address: make a new one there, and set it",
    403: "the service does not let us post to this room: make a new address there, and set it",
    404: "the service knows no such room: make a new address there, and set it",
    410: "the room is gone: make a new address there, and set it",
}
A_PAGE = "a page for people came in place of an answer: look in the room whether the notice stands there"
UNTOLD_PAUSE = timedelta(minutes=1)


def failure(status: int | None) -> DeliveryFailure:
    """By the status of the one answer there was."""
    if status == 429:
        return RateLimited("the service asks us to slow down", code="429", retry_after=UNTOLD_PAUSE)
    if status is not None and status in REFUSALS:
        return AccountRejected(REFUSALS[status], code=str(status))
    why = "the bridge says no, and not whether the notice was posted: look in the room"
    return Uncertain(why, code="no" if status is None else str(status))
