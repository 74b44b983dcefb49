"""Ages: below a channel's age, and below the age of consent, a guardian's yes counts and a pupil's own does not.

Limits change (the United Kingdom is about to raise some), so that each has the day from which it counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from broker.announcement import Purpose
from broker.consent.ages import is_under, limit_on, limits_of
from broker.moments import day_at
from broker.policy import ALLOW, Case, Refuse, Verdict, covered
from broker.rules.case import Family
from broker.rules.parameters import Kind, Parameter

CHANNELS, CONSENT = "ages.channels", "ages.consent"


def _unreadable(written: Sequence[str]) -> str:
    try:
        limits_of(tuple(written))
    except ValueError as wrong:
        return f"{wrong}: write whatsapp 13 from 2024-04-11"
    return ""


PARAMETERS = (
    Parameter(
        CHANNELS,
        Kind.WORDS,
        "whatsapp 13 from 2024-04-11",
        "The age that a channel asks of those who use it, each from a day on: CHANNEL AGE from DATE. A younger pupil's"
        " own address gets nothing by it, unless a guardian gave consent; a pupil without a birth date counts as the"
        " youngest of the year group.",
        "R9; the providers' own terms; Online Safety Act 2023",
        check=_unreadable,
    ),
    Parameter(
        CONSENT,
        Kind.WORDS,
        "13 from 2018-05-25",
        "The age from which a pupil's own consent to promotional messages counts, from a day on: AGE from DATE. Below"
        " it a guardian gives it.",
        "UK GDPR art. 8; Data Protection Act 2018 s. 9",
        check=_unreadable,
    ),
)


def old_enough(case: Case) -> Verdict:
    """A channel with an age limit is none for a younger pupil's own address, whatever the purpose (R9)."""
    limit = limit_on(limits_of(case.rules.words(CHANNELS)), case.channel, _day(case))
    if limit is None or case.guardian_consent or not _some_under(case, limit):
        return ALLOW
    why = f"under age: this way is for those who are {limit}, unless a guardian has given consent"
    return Refuse("under_age", why, {"limit": limit})


def own_consent_counts(case: Case) -> Verdict:
    """Below the age of consent a pupil's own yes to promotion is none (UK GDPR art. 8)."""
    if case.purpose is Purpose.SERVICE or case.consent is not True or case.guardian_consent:
        return ALLOW
    limit = limit_on(limits_of(case.rules.words(CONSENT)), case.channel, _day(case))
    if limit is None or not _some_under(case, limit):
        return ALLOW
    why = f"under age: below {limit} a guardian gives consent to promotional messages, and none has"
    return Refuse("under_age", why, {"limit": limit})


def _day(case: Case) -> date:
    """A birthday begins at the school's midnight."""
    return day_at(case.now, case.zone)


def _some_under(case: Case, limit: int) -> bool:
    day = _day(case)
    return any(each.own and is_under(limit, each.born, each.year, day) for each in covered(case))


FAMILY = Family("ages", PARAMETERS, each_delivery=(old_enough, own_consent_counts))
