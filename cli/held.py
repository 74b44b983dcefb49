"""What keeps an announcement waiting, as a program is told it."""

from __future__ import annotations

from collections.abc import Sequence

from broker.policy import Hold, Verdict


def held_as_told(hold: Hold | None) -> dict[str, object] | None:
    """What keeps an announcement waiting, and what does so besides; None while nothing does."""
    return None if hold is None else {**_one(hold), "besides": besides_as_told(hold)}


def besides_as_told(verdict: Verdict) -> Sequence[dict[str, object]]:
    """Further reasons to wait, which end no later."""
    return [_one(each) for each in verdict.besides] if isinstance(verdict, Hold) else []


def _one(hold: Hold) -> dict[str, object]:
    return {"until": hold.until, "code": hold.code, "why": hold.why}
