"""The channel's own rules: nothing is posted by an account that nobody has looked at, or that follows anybody.

What the account looks like is read by `broker.licences.posture` just before a turn of sending, and comes in with
the Case.
"""

from __future__ import annotations

from broker.policy import Case, Policy, Verdict
from channels.posts import looked_at_lately, looks


def was_looked_at(case: Case) -> Verdict:
    """What nobody has looked at lately may have changed hands (R7, R21)."""
    return looked_at_lately(case, "X")


def follows_nobody(case: Case) -> Verdict:
    """A school's account follows nobody, so that nobody can message it and pupils are left alone (R6, R9)."""
    why = "the account follows others at X, which a school's account does not"
    return looks(case, "following", "0", "follows", why)


def is_protected_as_declared(case: Case) -> Verdict:
    """An account declared locked posts only while it is, and the other way about (R21)."""
    why = "the account is not locked, or open, as the school declared"
    return looks(case, "as_declared", "yes", "not_as_declared", why, untold="yes")


POLICIES: tuple[Policy, ...] = (was_looked_at, follows_nobody, is_protected_as_declared)
