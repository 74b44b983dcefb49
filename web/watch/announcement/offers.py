"""What can be done about an announcement, as far as its times tell: what a page offers. The verbs decide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from broker.announcement import Announcement, FollowUp, Stage, Urgency
from broker.corrections.law import NotFollowed, must_stand
from broker.delivery import REACHED
from broker.errors import RuleBroken
from broker.recover import may_be_tried_again
from broker.rules.approval import SECOND_PERSON
from broker.rules.blast import SIZE_CODES
from ledger.reads.watch import Shown

OVER = frozenset({Stage.WITHDRAWN, Stage.CORRECTED, Stage.EXPIRED})


@dataclass(frozen=True, slots=True)
class Offers:
    """Each of what may be offered. `told`: something of it has left, so that somebody may have read it."""

    undo: bool = False
    withdraw: bool = False
    correct: bool = False
    again: bool = False
    try_again: bool = False
    expect: bool = False
    reword: bool = False
    without: bool = False  # a second person, for it is urgent
    waits: bool = False  # for a second person
    told: bool = False

    @property
    def any(self) -> bool:
        """Whether there is anything to do."""
        return any(
            (self.undo, self.withdraw, self.correct, self.again, self.expect, self.reword, self.without)
        )


def offers(row: Shown, now: datetime, *, acts: bool, stops: bool) -> Offers:
    """What a page offers of one announcement, to whoever `acts` on it or only `stops` it."""
    said = row.announcement
    planned, over = said.fanned_out_at is not None, row.stage in OVER
    told = any(state in REACHED for states in row.channels.values() for state in states)
    undoable = not planned and not over and not row.channels
    waits = said.hold_code in SECOND_PERSON and not planned and not over
    return Offers(
        undo=stops and undoable,
        withdraw=stops and said.withdrawn_at is None and not undoable and _is_worth_stopping(row),
        correct=acts and allowed(lambda: _may_follow(said, FollowUp.CORRECTION, now)),
        again=acts and planned and allowed(lambda: _may_follow(said, FollowUp.RESEND, now)),
        try_again=acts and allowed(lambda: may_be_tried_again(said, now)),
        expect=acts and said.hold_code in SIZE_CODES and not planned and not over,
        reword=acts and undoable and said.follow_up is not FollowUp.CORRECTION,
        without=acts and waits and said.urgency is Urgency.URGENT,
        waits=waits,
        told=told,
    )


def allowed(ask: Callable[[], None]) -> bool:
    """Whether the law has nothing against it."""
    try:
        ask()
    except (RuleBroken, NotFollowed):
        return False
    return True


def _may_follow(said: Announcement, kind: FollowUp, now: datetime) -> None:
    must_stand(said, kind, now, corrected_by=said.public_id if said.corrected_by is not None else None)


def _is_worth_stopping(row: Shown) -> bool:
    """Not what is over, unless something of it stands in public, or it could still be told that it was wrong."""
    return row.stage is not Stage.CORRECTED and (row.stage is not Stage.EXPIRED or bool(row.channels))
