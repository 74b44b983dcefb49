"""A duty: one person who must be told of one announcement, and the one function that says how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class DutyFacts:
    """What the ledger knows about one duty, as booleans that SQL can supply.

    `reached`: a direct delivery covering it is sent or delivered. `alive`: one is queued, sending, or uncertain
    with a look-up still due. Broadcasts count for neither.
    """

    acknowledged: bool
    reached: bool
    alive: bool
    over: bool  # the announcement is expired, withdrawn or corrected
    planned: bool  # fan-out has come to it


def derive(facts: DutyFacts) -> DutyState:
    """The state of a duty (design §2): acknowledged counts as met, an uncertain delivery meets nothing.

    A delivery that is still under way keeps a duty open even past expiry: it may yet turn out to have left.
    """
    if facts.acknowledged or facts.reached:
        return DutyState.MET
    if facts.alive:
        return DutyState.OPEN
    if facts.over or facts.planned:
        return DutyState.LAPSED
    return DutyState.OPEN
