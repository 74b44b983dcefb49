"""The channel's own rules: nothing is posted by an account that nobody has looked at, or that follows anybody.

What the account looks like is read by `broker.licences.posture` just before a turn of sending, and comes in with
the Case.
"""

from __future__ import annotations

from datetime import timedelta

from broker.policy import ALLOW, Case, Hold, Policy, Verdict

FRESH = timedelta(minutes=30)  # looked at every ten while something waits; three misses are too many
AGAIN = timedelta(minutes=5)  # somebody must change something at X first
SOON = timedelta(minutes=1)  # as the hold ends it is looked at again: X may be well long before five minutes


def was_looked_at(case: Case) -> Verdict:
    """What nobody has looked at lately may have changed hands (R7, R21)."""
    if case.posture is not None and case.posture_age is not None and case.posture_age <= FRESH:
        return ALLOW
    return Hold(
        case.now + SOON, "posture_unknown", "what the account looks like at X could not be seen lately"
    )


def follows_nobody(case: Case) -> Verdict:
    """A school's account follows nobody, so that nobody can message it and pupils are left alone (R6, R9)."""
    if case.posture is None or case.posture.get("following") == "0":
        return ALLOW
    return Hold(
        case.now + AGAIN, "follows", "the account follows others at X, which a school's account does not"
    )


def is_protected_as_declared(case: Case) -> Verdict:
    """An account declared locked posts only while it is, and the other way about (R21)."""
    if case.posture is None or case.posture.get("as_declared", "yes") == "yes":
        return ALLOW
    return Hold(
        case.now + AGAIN, "not_as_declared", "the account is not locked, or open, as the school declared"
    )


POLICIES: tuple[Policy, ...] = (was_looked_at, follows_nobody, is_protected_as_declared)
