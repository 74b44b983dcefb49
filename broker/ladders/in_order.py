"""What a draft's ways in order must be: each later one personal, and its time neither too soon nor too late."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from broker.announcement import AWAITING, Announcement, Draft, Step
from broker.channel import Traits
from broker.corrections.law import AGAIN
from broker.errors import InvalidAnnouncement, Problem
from broker.judging import Ruling
from broker.ladders.ladder import SHEET, Ladder, Need, Opening, too_late, too_soon
from broker.policy import Hold
from broker.ports import Transaction
from broker.rules.approval import SECOND_PERSON
from broker.rules.blast import SIZE_CODES
from broker.rules.ladders import LEAST

MOST_STEPS = 8
# Holds that end when somebody decides, nobody knows when.
_FOR_A_PERSON = AWAITING | SECOND_PERSON | SIZE_CODES


def waits_for_way(tx: Transaction, announcement: Announcement) -> bool:
    """Whether one of the first ways that is not there any more is waited for.

    Not once it is over, and not where another way can open instead: paper does at its time, and no sooner.
    """
    if tx.now >= announcement.expires_at:
        return False
    ladder = tx.ladders.of(announcement.id)
    if ladder is None or not ladder.openings:
        return True
    paper_at = ladder.openings[0].by(announcement.due_at)
    return len(announcement.ways) == 1 and (paper_at is None or tx.now < paper_at)


def with_ladder(draft: Draft) -> Draft:
    """Ways in order always have a ladder: where nobody said when, each opens once the one before has failed.

    But for what is said again, which meets the duties of another one: that one's ladder goes on.
    """
    if draft.ladder is None and len(draft.ways) > 1 and not _again(draft):
        return replace(draft, ladder=Ladder((Opening(),) * len(draft.ways)))
    return draft


def in_turn(
    first: tuple[str, ...], later: Sequence[tuple[tuple[str, ...], Opening]], *, seen: bool
) -> tuple[tuple[Step, ...], Ladder | None]:
    """Ways one after another as somebody names them, with when each later one opens; the slip sheet is the last.

    No ladder where there is but one step and nobody is asked whether it was seen. Raises InvalidAnnouncement.
    """
    steps, openings, sheet = [Step(first)], list[Opening](), None
    for ways, opening in later:
        if sheet is not None:
            raise InvalidAnnouncement(
                _problem("sheet_last", "after the slip sheet there is no other way", "name it last")
            )
        if ways == (SHEET,):
            sheet = opening
        else:
            steps.append(Step(ways))
            openings.append(opening)
    if not later and not seen:
        return tuple(steps), None
    return tuple(steps), Ladder((*openings, sheet or Opening()), seen)


def out_of_order(draft: Draft, traits: Mapping[str, Traits]) -> Iterator[Problem]:
    """What is wrong with the order of a draft's ways, as far as no ledger is needed to say so."""
    ladder = draft.ladder
    if ladder is None:
        return
    if len(draft.ways) > MOST_STEPS:
        yield _problem("too_many_ways", "these are too many ways in order", f"name at most {MOST_STEPS}")
    if len(ladder.openings) != len(draft.ways) and not _again(draft):
        yield _problem("ladder_ways", "not every way after the first says when it opens", "say it of each")
    for step in draft.ways[1:]:
        for name in step.channels:
            if traits[name].for_anybody:
                hint = "name it with the first ways"
                yield _problem(
                    "then_public", f"{name} is for everybody to read: nobody is told by it in turn", hint
                )
    for opening in ladder.openings:
        if opening.at is None and opening.unless is not Need.REACHED:
            yield _problem(
                "no_time",
                f"it is not said by when it has to be {opening.unless.value}",
                'write "email after 2 h unless seen"',
            )
        if isinstance(opening.at, timedelta) and opening.at <= timedelta(0):
            yield _problem("past", "a way cannot open before the first one", "write after 2 h")


def must_leave_time(
    tx: Transaction, announcement: Announcement, ladder: Ladder, found: Sequence[Ruling]
) -> None:
    """Each way has its time before the next one opens, and none opens at the expiry. Raises InvalidAnnouncement."""
    least = tx.rules.current().duration(LEAST)
    begins = _begins(announcement, found)
    soon = too_soon(ladder, announcement.due_at, begins, least)
    if soon is not None:
        place, earliest = soon
        minutes = max(1, round((earliest - announcement.due_at).total_seconds() / 60))
        raise InvalidAnnouncement(
            _problem(
                "too_soon",
                f"{_called(announcement, place)} would open before the way before it could have told anybody",
                f"let it open {minutes} min after the announcement is due, or later",
            )
        )
    late = too_late(ladder, announcement.due_at, announcement.expires_at)
    if late is not None:
        what = f"{_called(announcement, late)} would open when the announcement has expired"
        raise InvalidAnnouncement(_problem("too_late", what, "let it open sooner, or expire later"))


def _begins(announcement: Announcement, found: Sequence[Ruling]) -> datetime:
    """When the rules let the first of the first ways begin; not knowing when somebody will decide."""
    first = announcement.ways[0].channels
    held = [
        ruling.verdict.until
        if isinstance(ruling.verdict, Hold) and ruling.verdict.code not in _FOR_A_PERSON
        else announcement.due_at
        for ruling in found
        if ruling.account.channel in first
    ]
    return max(announcement.due_at, min(held, default=announcement.due_at))


def _again(draft: Draft) -> bool:
    return draft.follows is not None and draft.follows.kind in AGAIN


def _called(announcement: Announcement, place: int) -> str:
    ways = announcement.ways
    return " and ".join(ways[place].channels) if place < len(ways) else f"the slip {SHEET}"


def _problem(code: str, message: str, hint: str) -> Problem:
    return Problem(code, "then", message, hint)
