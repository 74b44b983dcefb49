"""The rules that hold on every channel, whoever wrote it. Each names its source."""

from __future__ import annotations

from datetime import timedelta

from broker.announcement import Purpose
from broker.policy import ALLOW, Case, Hold, Policy, Refuse, Verdict, Withdraw, covered

EXPIRED = "expired"
CORRECTED, BEING_CORRECTED = "corrected", "being_corrected"
CORRECTION_RECHECK = timedelta(minutes=1)  # a correction taken back makes what waits due at once
PAUSE_RECHECK = timedelta(minutes=5)  # resuming makes what waits due at once; this only bounds expiry


def not_withdrawn(case: Case) -> Verdict:
    """Nothing starts after withdrawal (design §6.5)."""
    return Withdraw("withdrawn", "the announcement was withdrawn") if case.withdrawn else ALLOW


def not_corrected(case: Case) -> Verdict:
    """Nothing wrong leaves once somebody has said it rightly; until that goes out itself, this waits (R22)."""
    if case.corrected:
        return Withdraw(CORRECTED, "a correction says it rightly")
    if case.being_corrected:
        return Hold(case.now + CORRECTION_RECHECK, BEING_CORRECTED, "a correction of it waits to go out")
    return ALLOW


def not_expired(case: Case) -> Verdict:
    """Nothing starts after expiry: a reminder after the rehearsal is worse than none (R1)."""
    if case.now >= case.expires_at:
        return Refuse(EXPIRED, "its time had passed before it could be sent")
    return ALLOW


def account_open(case: Case) -> Verdict:
    """A paused account keeps its deliveries waiting (R7, R22)."""
    if case.account_paused:
        return Hold(case.now + PAUSE_RECHECK, "account_paused", "the account it would go by is paused")
    return ALLOW


def not_opted_out(case: Case) -> Verdict:
    """Whoever said stop on this channel gets nothing more by it (R9, PECR)."""
    return Refuse("opted_out", "this address asked for no more messages") if case.opted_out else ALLOW


def not_bounced(case: Case) -> Verdict:
    """What came back for good is not tried again, until somebody says that the address is right (RFC 5321 §6)."""
    return Refuse("bounced", "what was sent to this address came back") if case.bounced else ALLOW


def somebody_to_tell(case: Case) -> Verdict:
    """A delivery that covers nobody any more has no reason to leave; a court block takes people out of it (R9)."""
    if case.broadcast or case.note or case.subscribed is not None or covered(case):
        return ALLOW
    if any(c.blocked for c in case.covers):
        return Refuse("blocked", "contact with this address is blocked for the child it is about")
    return Refuse("nobody_left", "nobody is left whom this message would have told")


def still_at_the_school(case: Case) -> Verdict:
    """Those who left the school since are not written to (UK GDPR: accuracy)."""
    if case.broadcast or case.note or case.subscribed is not None or case.person_active:
        return ALLOW
    return Refuse("left_school", "nobody behind this address belongs to the school any more")


def still_subscribed(case: Case) -> Verdict:
    """A subscriber who ended it, or whose link was taken back, is told nothing more (UK GDPR art. 7(3), R17)."""
    if case.subscribed is not False:
        return ALLOW
    return Refuse("unsubscribed", "whoever subscribed has ended it, or the link for it was taken back")


def promotional_needs_consent(case: Case) -> Verdict:
    """Promotion needs a consent that was given; a service message does not (PECR reg. 22, R15)."""
    if case.broadcast or case.purpose is Purpose.SERVICE or case.consent is True:
        return ALLOW
    return Refuse("no_consent", "no consent for promotional messages is on record for this way")


def not_taken_back(case: Case) -> Verdict:
    """Whoever took back even the consent to service messages on this channel gets none by it (UK GDPR art. 7, 21)."""
    if case.broadcast or case.purpose is not Purpose.SERVICE or case.consent is not False:
        return ALLOW
    return Refuse("taken_back", "consent to messages by this way was taken back")


HOUSE_RULES: tuple[Policy, ...] = (
    not_withdrawn,
    not_corrected,
    not_expired,
    still_at_the_school,
    still_subscribed,
    not_opted_out,
    not_bounced,
    promotional_needs_consent,
    not_taken_back,
    somebody_to_tell,
    account_open,
)
