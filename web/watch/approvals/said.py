"""What is said on the page after somebody decided."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    "agreed": "You said yes. It goes out when its time comes.",
    "refused_it": "You said no. Nothing of it will leave, and its author can read why.",
    "reviewed": "You have looked at it. It is listed no more.",
    "sent_without": "It goes out now. Everybody who may say yes was told, and it is listed until one has looked at it.",
    "reworded": "The new words are kept. Whoever had said yes has to say it again.",
    "agreed_to_all": "You said yes to all that it will say, until somebody changes it.",
}
