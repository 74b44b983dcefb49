"""What is said when something of the school was changed, or something was stopped or let go on."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    "switch_stopped": "It is stopped. Nothing of it starts any more; what waits is kept.",
    "switch_stopped_already": "It was stopped already.",
    "switch_going": "It goes on. What waited for it is due at once.",
    "switch_going_already": "It was not stopped.",
    "token_revoked": "The key works no more.",
    "webhook_removed": "That program is told nothing more.",
    "webhook_resumed": "That program is told again, from where it stood.",
    "doctor_looked": "Everything was looked at just now.",
}
