"""The licence: an account speaks only while policy, liability, safe use and technology are settled for it (R20, R22).

It fails closed: an account about which nobody has settled anything says nothing. Before an announcement is accepted
that is a refusal, for whoever writes it can still choose another way or fill in the form; afterwards it is a wait, so
that what lapses in the middle of a send loses nothing.
"""

from __future__ import annotations

from datetime import timedelta

from broker.policy import ALLOW, Allow, Hold, Refuse, Verdict
from broker.rules.case import AnnouncementCase, Family
from broker.rules.parameters import Kind, Parameter

AGAIN = timedelta(minutes=5)  # what waits is woken by the renewal; this only bounds expiry
CODE = "unlicensed"
CUSTODIANS = "licence.custodians"
NOTHING = "nobody has settled anything about it yet"

PARAMETERS = (
    Parameter(
        CUSTODIANS,
        Kind.COUNT,
        "2",
        "How many people with training that is still valid must hold an account before it may speak. One of them is of"
        " the senior leadership, always.",
        "R7: no account belongs to one teacher",
        least="2",
        most="20",
    ),
    Parameter(
        "licence.warn",
        Kind.DURATION,
        "30 d",
        "How long before its licence lapses an account's owners are warned for the first time; then again 14 days,"
        " 7 days and one day before.",
        "R22: a risk assessment is reviewed, and lapses by itself",
        least="1 d",
        most="180 d",
    ),
)


def licensed(case: AnnouncementCase) -> Verdict:
    """Nothing leaves by an account whose four angles do not all hold at this moment (R20)."""
    if not case.licence_needed:
        return ALLOW
    evidence = {
        "account": case.account,
        "lapses": case.licensed_until.isoformat() if case.licensed_until else None,
    }
    if case.licensed_until is not None and case.now < case.licensed_until:
        if case.licensed_until <= case.starts:
            why = f"the licence of the account {case.account} lapses before this is due: renew it until then"
            return Allow("licence_lapses_first", why, evidence)
        return ALLOW
    why = f"the account {case.account} has no licence in force: {case.unlicensed or 'it has lapsed'}"
    if case.announcement is None:
        return Refuse(CODE, why, evidence, about="via", hint=_hint(case))
    return Hold(case.now + AGAIN, CODE, why, evidence)


def _hint(case: AnnouncementCase) -> str:
    other = "or leave it out" if len(case.ways) > 1 else "or choose another way"
    verb = "start" if case.unlicensed == NOTHING else "show"
    return f"carillon licence {verb} {case.account}, {other}"


FAMILY = Family("licence", PARAMETERS, each_time=(licensed,))
