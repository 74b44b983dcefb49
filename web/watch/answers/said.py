"""What is said when something was done with an answer."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    "answer_done": "It is dealt with. You find it under “Dealt with”, should it not be.",
    "answer_reopened": "It waits again, among those that were read.",
    "answer_released": "It is in that inbox now, for whoever watches it.",
}
