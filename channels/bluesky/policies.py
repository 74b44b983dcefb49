"""The channel's own rules: nothing is posted by an account that nobody has looked at, that follows or can be messaged.

What the account looks like is read by `broker.licences.posture` just before a turn of sending, and comes in with
the Case.
"""

from __future__ import annotations

from broker.policy import Case, Policy, Verdict
from channels.posts import looked_at_lately, looks


def was_looked_at(case: Case) -> Verdict:
    """What nobody has looked at lately may have changed hands (R7)."""
    return looked_at_lately(case, "Bluesky")


def follows_nobody(case: Case) -> Verdict:
    """A school's account follows nobody, so that pupils are left alone (R6, R9)."""
    why = "the account follows others at Bluesky, which a school's account does not"
    return looks(case, "following", "0", "follows", why)


def cannot_be_messaged(case: Case) -> Verdict:
    """Nobody can write to it in private (R4): its chat is closed, or open only to whom it follows, who are nobody."""
    why = "everybody may send the account private messages at Bluesky"
    return looks(case, "messages", "closed", "messages_open", why)


POLICIES: tuple[Policy, ...] = (was_looked_at, follows_nobody, cannot_be_messaged)
