"""How far an announcement has come, as a mark and in the calendar's words: the same on every page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from broker.announcement import Stage


@dataclass(frozen=True, slots=True)
class Look:
    """The kind of its mark, and the words that stand beside it in the calendar."""

    mark: str
    words: str


STAGES: Mapping[Stage, Look] = {
    Stage.WITHDRAWN: Look("stop", "taken back"),
    Stage.CORRECTED: Look("info", "corrected"),
    Stage.AWAITING_APPROVAL: Look("warn", "waits for a yes"),
    Stage.HELD: Look("lock", "held by the rules"),
    Stage.SCHEDULED: Look("wait", "goes out"),
    Stage.PLANNING: Look("wait", "about to go out"),
    Stage.SENDING: Look("good", "went out"),
    Stage.EXPIRED: Look("bad", "never went out"),
}


def look_of(stage: Stage, *, went_out: bool) -> Look:
    """How a stage looks; what went out before its time was over went out."""
    return STAGES[Stage.SENDING if stage is Stage.EXPIRED and went_out else stage]
