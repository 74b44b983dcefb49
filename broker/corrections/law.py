"""What may follow up what, in which words, and what one delivery decides: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from broker.announcement import Announcement, FollowUp, Part
from broker.delivery import REACHED, State, is_settled
from broker.errors import Problem, RuleBroken

LEAD = "Correction: "
OVER = "correction_over"  # the alarm of what was to say it rightly, and waited until its time was over
LONGEST_LEAD = 60
MAY_HAVE_LEFT = REACHED | {State.UNCERTAIN}
AGAIN = frozenset({FollowUp.RESEND, FollowUp.REDIRECT})
BESIDE = AGAIN | {FollowUp.EDIT}  # say what another one says: that one is to be corrected
OF_WHAT_STANDS = BESIDE | {FollowUp.CORRECTION}


class NotFollowed(RuleBroken):
    """Raised when what somebody wants to correct, edit or send again is withdrawn, expired or corrected, or no such."""


class Decision(StrEnum):
    """What becomes of one way and address of a thread."""

    WAIT = "wait"  # something of it may still leave, or nobody knows yet whether it did
    CORRECT = "correct"  # it has the wrong text, or may have
    RIGHT_TEXT = "right text"  # nothing of it left


def decide(before: Sequence[tuple[State, datetime | None]]) -> Decision:
    """From the state and the next look-up of every delivery of the thread by one way to one address."""
    if not all(is_settled(state, lookup_at) for state, lookup_at in before):
        return Decision.WAIT
    return Decision.CORRECT if any(state in MAY_HAVE_LEFT for state, _ in before) else Decision.RIGHT_TEXT


def must_stand(first: Announcement, kind: FollowUp, now: datetime, *, corrected_by: UUID | None) -> None:
    """Whether it may be followed up so. `corrected_by`: what corrects it already. Raises NotFollowed."""
    if not first.audience:
        raise _no("not_followed", "the house itself said this to one address", "announce something instead")
    # Or all would be told whom that one reached.
    if kind is FollowUp.WITHDRAWAL and first.follow_up in BESIDE:
        raise _no("follow_up", f"this is a {first.follow_up} of another one", "withdraw it without telling")
    if kind not in OF_WHAT_STANDS:
        return
    if first.withdrawn_at is not None:
        raise _no("withdrawn", "it is withdrawn", "announce it anew")
    if corrected_by is not None:
        raise _no("corrected", "it has been corrected already", f"take the correction: {corrected_by}")
    if first.expires_at <= now:
        raise _no("expired", "its time is over", "announce it anew")
    if first.follow_up in BESIDE:
        raise _no("follow_up", f"this is a {first.follow_up} of another one", "take the one it belongs to")


def as_correction(parts: Mapping[Part, str], lead: str) -> Mapping[Part, str]:
    """The right text for those who have a wrong one: each of its parts behind the lead."""
    return {part: text if part is Part.QUOTE or not text else f"{lead}{text}" for part, text in parts.items()}


def lead_of(typed: str) -> str:
    """The lead as it stands before a text. Raises NotFollowed."""
    words = " ".join(typed.split())
    if not words or len(words) > LONGEST_LEAD or not words.isprintable():
        message = f"what a correction begins with is 1 to {LONGEST_LEAD} printable characters"
        raise NotFollowed(Problem("bad_lead", "lead", message, "such as: Correction:"))
    return f"{words} "


def _no(code: str, message: str, hint: str) -> NotFollowed:
    return NotFollowed(Problem(code, "id", message, hint))
