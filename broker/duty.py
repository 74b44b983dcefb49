"""A duty: one person who must be told of one announcement, and the one function that says how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# What was sent by ways that are for everybody alone says this of its people, who are neither told nor untold.
FOR_ANYBODY = "published for anybody to read; nobody is addressed"


class DutyState(StrEnum):
    """Open until somebody was reached or nothing is left to try."""

    OPEN = "open"
    MET = "met"
    LAPSED = "lapsed"


class Unreached(StrEnum):
    """Why a person has no way at all, in the words of the reach statement."""

    NO_ADDRESS = "no number or address on file for this way"
    NO_GUARDIAN = "no guardian on file"
    BLOCKED = "contact is blocked for this child"
    WAY_GONE = "the way by which they have it has no account any more"

    @property
    def code(self) -> str:
        """As the ledger keeps it."""
        return self.name.lower()

    @classmethod
    def of(cls, code: str) -> Unreached:
        """What the ledger kept."""
        return cls[code.upper()]


@dataclass(frozen=True, slots=True)
class DutyFacts:
    """What the ledger knows about one duty, as booleans that SQL can supply. Broadcasts count for none of them.

    `reached`: a direct delivery covering it is sent or delivered. `alive`: one is queued, sending, or uncertain
    with a look-up still due. `doubtful`: one is uncertain and nobody has settled it. `over`: the announcement is
    expired, withdrawn or corrected. `planned`: fan-out has come to this person. `climbing`: a further way
    may still open for them (docs/decisions/0036-ladders.md).
    """

    acknowledged: bool
    reached: bool
    alive: bool
    doubtful: bool
    over: bool
    planned: bool
    climbing: bool = False


def derive(facts: DutyFacts) -> DutyState:
    """The state of a duty (design §2): acknowledged counts as met, an uncertain delivery meets nothing.

    A delivery under way keeps a duty open even past expiry, for it may turn out to have left; an uncertain one
    keeps it open until somebody settles it or the announcement is over.
    """
    if facts.acknowledged or facts.reached:
        return DutyState.MET
    if facts.alive:
        return DutyState.OPEN
    if facts.over:
        return DutyState.LAPSED
    if facts.doubtful or facts.climbing or not facts.planned:
        return DutyState.OPEN
    return DutyState.LAPSED
