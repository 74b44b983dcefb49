"""The channel's own rules: nothing is posted by an account that nobody has looked at, that follows or hides what it is.

What the account looks like is read by `broker.licences.posture` just before a turn of sending, and comes in with
the Case.
"""

from __future__ import annotations

from broker.policy import Case, Policy, Verdict
from channels.posts import looked_at_lately, looks


def was_looked_at(case: Case) -> Verdict:
    """What nobody has looked at lately may have changed hands (R7)."""
    return looked_at_lately(case, "Mastodon")


def follows_nobody(case: Case) -> Verdict:
    """A school's account follows nobody, so that pupils are left alone (R6, R9)."""
    why = "the account follows others at Mastodon, which a school's account does not"
    return looks(case, "following", "0", "follows", why)


def is_marked_automated(case: Case) -> Verdict:
    """An account that a program posts for says so, as most servers ask: “this is an automated account”."""
    why = "the account is not marked as automated at Mastodon"
    return looks(case, "automated", "yes", "not_automated", why)


POLICIES: tuple[Policy, ...] = (was_looked_at, follows_nobody, is_marked_automated)
