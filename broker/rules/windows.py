"""The time of day: when what may be sent by which way, in the school's zone (R20: nobody is woken by a reminder)."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from broker.policy import ALLOW, Allow, Hold, Refuse, Verdict
from broker.rules.case import AnnouncementCase, Family
from broker.rules.hours import ANY, openings_written, opens
from broker.rules.parameters import Kind, Parameter

PARAMETERS = (
    Parameter(
        "windows.open",
        Kind.WINDOWS,
        "sms mon-sun 07:00-21:00; sms/promotional mon-sat 09:00-20:00; email/promotional mon-sat 08:00-20:00;"
        " */*/pupils mon-sun 07:00-20:00",
        "When announcements may leave, in the school's own time: channel/purpose/people, days, hours (pupils: both"
        " too; guardians: first and both too). All that fit must be open; what none fits may always leave. Outside of"
        " them an announcement waits until they open, and is refused where it would be over by then. Urgent ones do not"
        " wait.",
        "R20 (safe use); guidance for safer working practice: contact with pupils is for working hours and in the open;"
        " promotion at night is what people complain about",
        sandbox="",
        ways=lambda openings: (each.channel for each in openings if each.channel != ANY),
    ),
)


def in_its_hours(case: AnnouncementCase) -> Verdict:
    """Hold until its hours open; refuse what would by then have expired; urgent skips them, and that is kept."""
    fitting = [
        each
        for each in case.rules.windows("windows.open")
        if each.fits(case.channel, case.purpose, case.people)
    ]
    if not fitting:
        return ALLOW
    opening = opens(fitting, case.starts, case.zone)
    if opening == case.starts:
        return ALLOW
    evidence = {"windows": openings_written(fitting)}
    if case.urgent:
        return Allow("window_skipped", f"urgent: sent by {case.channel} outside its hours", evidence)
    if opening is None or opening >= case.expires_at:
        return Refuse(
            "window_too_late", f"its time would be over before {case.channel} may be used again", evidence
        )
    wall = opening.astimezone(ZoneInfo(case.zone))
    why = f"{case.channel} is not used at this hour: it waits until {wall:%A %H:%M}"
    return Hold(opening, "window_closed", why, evidence)


FAMILY = Family("windows", PARAMETERS, each_time=(in_its_hours,))
