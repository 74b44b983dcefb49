"""What is said on the page after somebody was named, moved, or taken away; or changed what they sign in by."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    "staff_added": "They are added. Now give them a way to sign in.",
    "staff_roles": "What they may do is changed, from their next click on.",
    "staff_moved": "They act there from their next click on.",
    "staff_removed": "They act no more, and are signed out everywhere. What they did stays theirs.",
    "staff_signed_out": "They are signed out everywhere. They may sign in again.",
    "staff_reset": "They are signed out and sign in by nothing now. Give them a new way to sign in.",
    "staff_linked": "They may sign in by this account now.",
    "session_ended": "That browser is signed out.",
    "signed_out_elsewhere": "You are signed out everywhere else.",
    "password_chosen": "The password is kept. You are signed out everywhere else.",
}
