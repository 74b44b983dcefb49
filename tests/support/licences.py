"""A whole licence as a form, and days around today to let it lapse by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

TODAY = datetime.now(UTC).date()  # when the run began
LONG_AGO, SOON = (TODAY - timedelta(days=100)).isoformat(), (TODAY + timedelta(days=300)).isoformat()
YESTERDAY = (TODAY - timedelta(days=1)).isoformat()


def form(**changed: dict[str, Any] | None) -> dict[str, Any]:
    """A whole licence; an angle given as None is left out, another has these lines changed."""
    whole: dict[str, Any] = {
        "policy": {"title": "Texts to families", "version": "3", "adopted": LONG_AGO, "review": SOON},
        "liability": {
            "reviewer": "Governors", "assessed": LONG_AGO, "review": SOON,
            "risks": [{"risk": "a wrong number", "mitigation": "asked each term"}],
        },
        "safe_use": {"owners": [
            {"name": "Anna Bell", "post": "head", "trained": LONG_AGO, "valid_until": SOON, "leadership": True},
            {"name": "Ken Ito", "post": "network manager", "trained": LONG_AGO, "valid_until": SOON},
        ]},
        "technology": {"checked_by": "Ken Ito", "checked": LONG_AGO, "review": SOON, "keeping": "the safe"},
    }  # fmt: skip
    for angle, lines in changed.items():
        whole[angle] = None if lines is None else {**whole[angle], **lines}
    return {angle: lines for angle, lines in whole.items() if lines is not None}
