"""What is said when something was done to an account."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    "account_paused": "The account is paused. What is to go by it waits.",
    "account_resumed": "The account goes on. What waited for it is due at once.",
    "account_looked": "It was looked at just now.",
    "gateway_held_out": "The provider is held out. The others take over within a second.",
    "gateway_taken_back": "The provider is used again in its turn.",
    "posts_seen": "It is noted that you have looked at these posts.",
    "angle_signed": "Signed and kept under your name.",
    "angle_same": "Nothing was different, so nothing was changed.",
    "licence_renewed": "Renewed, and kept under your name.",
    "link_revoked": "The link opens nothing any more.",
}
