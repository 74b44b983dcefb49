"""What a "no" of Apprise's comes to. It tells nothing else, save for a status in its log where the service gave one.

A no may be a connection that broke after the notice was taken: so it is uncertain, and not tried again by itself.
Four statuses alone prove that nothing was posted, and would be the same for every notice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from broker.errors import AccountRejected, DeliveryFailure, Uncertain

STATUS = re.compile(r"\berror=(\d{3})\b")
REFUSALS: Mapping[str, str] = {
    "401": "the service does not accept what is in the address: make a new one there, and set it",
    "403": "the service does not let us post to this room: make a new address there, and set it",
    "404": "the service knows no such room: make a new address there, and set it",
    "410": "the room is gone: make a new address there, and set it",
}


def failure(statuses: Iterable[str]) -> DeliveryFailure:
    """By the statuses that its log had."""
    seen = tuple(dict.fromkeys(statuses))
    if len(seen) == 1 and seen[0] in REFUSALS:
        return AccountRejected(REFUSALS[seen[0]], code=seen[0])
    why = "the bridge says no, and not whether the notice was posted: look in the room"
    return Uncertain(why, code=seen[0] if len(seen) == 1 else "no")
