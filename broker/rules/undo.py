"""The undo window: nothing routine leaves before whoever said it had a moment to take it back."""

from __future__ import annotations

from broker.policy import ALLOW, Allow, Hold, Refuse, Verdict
from broker.rules.case import AnnouncementCase, Family
from broker.rules.parameters import Kind, Parameter

PARAMETERS = (
    Parameter(
        "undo.window",
        Kind.DURATION,
        "60 s",
        "How long a routine announcement waits after it was accepted, so that whoever sees the wrong group or a slip in"
        " the words can take it back with `carillon undo` and nothing of it has left. Urgent ones do not wait. What a"
        " schedule or a reminder says waited since somebody last changed it.",
        "R2, R20 (safe use): a text cannot be called back, and the wrong week or group is seen just after sending",
        most="1 h",
        sandbox="0 s",
    ),
)


def time_to_undo(case: AnnouncementCase) -> Verdict:
    """A routine announcement waits out its window; an urgent one skips it, and that is kept."""
    window = case.rules.duration("undo.window")
    if not window:
        return ALLOW
    if case.urgent:
        return Allow("undo_skipped", "urgent: nobody waited for second thoughts")
    until = (case.settled_at or case.accepted_at or case.now) + window
    if case.goes_out or max(case.now, case.due_at) >= until:
        return ALLOW
    why = f"it can still be taken back for {PARAMETERS[0].written(window)} after it was announced"
    if until >= case.expires_at:
        why = f"{why}, and its time would be over by then"
        return Refuse("undo_too_late", why, hint="let it expire later, or send it as urgent", about="expires")
    return Hold(until, "undo_window", why, {"seconds": int(window.total_seconds())}, whole=True)


FAMILY = Family("undo", PARAMETERS, each_time=(time_to_undo,))
