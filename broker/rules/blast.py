"""The blast radius: far more people than usual want a typed count or a second person's yes; a switch stops it all."""

from __future__ import annotations

from datetime import timedelta

from broker.policy import ALLOW, Hold, Refuse, Verdict
from broker.rules.adults import is_notice
from broker.rules.case import AnnouncementCase, Family
from broker.rules.parameters import Kind, Parameter

RECHECK = timedelta(minutes=5)  # letting it go on makes what waits due at once; this only bounds it

PARAMETERS = (
    Parameter(
        "blast.size",
        Kind.COUNT,
        "500",
        "An announcement to more people than this wants their number typed with --expect, or a second person's yes;"
        " 0 for no such size. Notices from approved templates are not asked about: their source holds what is far more"
        " than usual.",
        "R2, R20 (safe use): one wrong group and the whole school is told, at the school's cost",
        most="1000000",
        sandbox="0",
    ),
    Parameter(
        "blast.ratio",
        Kind.RATIO,
        "3",
        "So does one to this many times as many people as the department usually tells (the middle of its last twenty"
        " announcements, from the fifth on); 0 for no such limit.",
        "R8: a department speaks to its own; R20 (safe use)",
        most="1000",
        sandbox="0",
    ),
    Parameter(
        "blast.floor",
        Kind.COUNT,
        "60",
        "Whatever a department's norm is, nobody is asked about an audience as small as this.",
        "R14: two classes; who mostly writes to one family is not asked about a form, or nobody reads the question",
        most="1000000",
    ),
    Parameter(
        "blast.drift",
        Kind.RATIO,
        "0.1",
        "How far the people counted when it goes out may differ from the number that was typed, as a part of it; twenty"
        " people always may.",
        "R20 (safe use): the number was typed for another audience, if that has changed much since",
        most="1",
    ),
)
ALWAYS_MAY_DIFFER = 20
SIZE_CODES = frozenset({"size_unconfirmed", "size_differs"})


def not_stopped(case: AnnouncementCase) -> Verdict:
    """A kill switch holds everything that it is about, whatever else is true (R20, R22)."""
    if not case.stopped:
        return ALLOW
    return Hold(case.now + RECHECK, "stopped", f"stopped by the school: {case.stopped}")


def size_meant(case: AnnouncementCase) -> Verdict:
    """An audience beyond the norm or the set size waits until somebody typed its size, or a second person said yes.

    Asked before it begins to go out: a rule that is made afterwards is about the next one (decision 32). Nobody types a
    number for a notice at night: what a source tells far more of than usual it holds itself (decision 30).
    """
    if case.counted is None or case.goes_out or is_notice(case):
        return ALLOW
    if case.expected is not None:
        return _as_expected(case, case.counted, case.expected)
    reason = _beyond(case, case.counted)
    if not reason or case.second_person:
        return ALLOW
    why = f"it would tell {case.counted:,} people, {reason}: somebody has to type the number, or a second person agree"
    return Hold(case.expires_at, "size_unconfirmed", why, _evidence(case), whole=True)


def _as_expected(case: AnnouncementCase, counted: int, expected: int) -> Verdict:
    allowed = max(ALWAYS_MAY_DIFFER, int(expected * case.rules.ratio("blast.drift")))
    just_typed = case.announcement is None and case.settled_at is None
    if just_typed:  # from what was shown just now
        allowed = 0
    if abs(counted - expected) <= allowed:
        return ALLOW
    evidence = _evidence(case)
    if just_typed:
        why, hint = (
            f"it would tell {counted:,} people, not {expected:,}",
            f"if that is right: --expect {counted}",
        )
        return Refuse("size_differs", why, evidence, about="expect", hint=hint)
    why = f"it would now tell {counted:,} people, not the {expected:,} that were expected"
    return Hold(case.expires_at, "size_differs", why, evidence, whole=True)


def _beyond(case: AnnouncementCase, counted: int) -> str:
    """Why this is more than usual, in words; "" where it is not."""
    size, ratio = case.rules.count("blast.size"), case.rules.ratio("blast.ratio")
    if size and counted > size:
        return f"more than {size:,}"
    if counted <= case.rules.count("blast.floor") or not ratio or case.norm is None:
        return ""
    return f"and {case.department} usually tells about {case.norm:,}" if counted > ratio * case.norm else ""


def _evidence(case: AnnouncementCase) -> dict[str, str | int | float | bool | None]:
    return {"counted": case.counted, "expected": case.expected, "norm": case.norm}


FAMILY = Family("blast", PARAMETERS, each_time=(not_stopped, size_meant))
