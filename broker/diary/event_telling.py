"""What is said of an event: in a reminder's words, and to whoever was reminded when it changes.

Whatever had not left yet of what was said before is taken back, for it says what is not so any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from broker import audience as audiences
from broker import intake
from broker.actor import Actor
from broker.announcement import Announcement, People
from broker.audience import Audience, Combined, fold
from broker.errors import RuleBroken
from broker.moments import today_of
from broker.office.expressions import resolve
from broker.ports import Transaction
from broker.ports.events import EventRow, Owed
from broker.privacy.strike import ERASED

MOST_OF_GROUPS = 120  # characters that their names may take of a text


def starts_in_words(row: EventRow) -> str:
    """{starts}: "Tue 3 Nov at 15:30"; of what takes whole days "Tue 3 Nov"."""
    day = f"{row.wall:%a} {row.wall.day} {row.wall:%b}"
    return day if row.days else f"{day} at {row.wall:%H:%M}"


def place_in_words(row: EventRow) -> str:
    """{place}; where nobody told one, the usual place."""
    return _plain(row.place) or "the usual place"


def title_in_words(row: EventRow) -> str:
    """{title}."""
    return _plain(row.title)


def applies(rule_audience: str, event_audience: str) -> bool:
    """Whether a rule for these groups is meant for an event of those."""
    return not rule_audience or fold(rule_audience) == fold(event_audience)


def is_elsewhere(row: EventRow, new: EventRow) -> bool:
    """Whether it takes place at another time or place, or not at all."""
    return (row.starts_at, row.place, row.cancelled_at) != (new.starts_at, new.place, new.cancelled_at)


def says_else(row: EventRow, new: EventRow) -> bool:
    """Whether what its reminders say, or whom they tell, is not the same any more."""
    said = (row.title, row.place, row.audience, row.wall, row.starts_at, row.cancelled_at)
    return said != (new.title, new.place, new.audience, new.wall, new.starts_at, new.cancelled_at)


def words_of(row: EventRow, new: EventRow, whose: str = "") -> str:
    """What those are told who were reminded already; "" where they need not hear of it. `whose`: see `whose_now`."""
    # A name that was struck out of it and comes in again with its calendar is no news to anybody.
    renamed = fold(row.title) != fold(new.title) and ERASED not in row.title
    title, where = title_in_words(new), f"on {starts_in_words(new)}, {place_in_words(new)}"
    if not (is_elsewhere(row, new) or renamed):
        return f"Change: {title} {where}, is now for {whose}." if whose and is_for_others(row, new) else ""
    once = f"{title_in_words(row)} is now {title}," if renamed else f"{title} is now"
    return f"Change: {once} {where}{', for ' if whose else ''}{whose}."


def is_for_others(row: EventRow, new: EventRow) -> bool:
    """Whether it is for other groups."""
    return fold(row.audience) != fold(new.audience)


def whose_now(tx: Transaction, row: EventRow, new: EventRow) -> str:
    """Which groups it is for now, in words, where somebody who was reminded has to hear that; else "".

    They have to where it was theirs and is not any more, or the other way round; and from then on with every change
    of it, for whoever was told once is told of each.
    """
    told = [each.announcement for each in tx.events.reminded([row.id]) if each.announcement is not None]
    said = [one for one in map(tx.announcements.by_public_id, told) if one is not None]
    if not said:
        return ""
    if is_for_others(row, new):
        matters = _somebody_changes_sides(tx, row, new, said)
    else:
        matters = any(fold(one.audience) != fold(new.audience) for one in said)
    if not matters:
        return ""
    words = _plain(audiences.in_words(audiences.parse(new.audience)))
    return words if len(words) <= MOST_OF_GROUPS else "other groups than before"


def _somebody_changes_sides(
    tx: Transaction, row: EventRow, new: EventRow, said: Sequence[Announcement]
) -> bool:
    """Whether these told somebody for whom it is no more, or again; while some of it still leaves nobody knows."""
    unsure = tx.threads.undecided([one.id for one in said])[0] > 0
    today, told = today_of(tx), [one.public_id for one in said]
    for some, others in ((row, new), (new, row)):
        apart = apart_from(tx, some.audience, others.audience)
        if apart is None:  # nobody can tell whom it was for
            return True
        for people in (People.BOTH, People.STAFF):
            count = tx.reaches.count(apart, people, today)
            if count and (unsure or count > tx.plans.count_untold(apart, people, today, told)):
                return True
    return False


def apart_from(tx: Transaction, some: str, others: str) -> Audience | None:
    """Those of some groups who are in none of the others; None where some of them are there no more."""
    try:
        return resolve(tx, Combined("-", audiences.parse(some), audiences.parse(others)))
    except RuleBroken:
        return None


def words_of_cancelling(row: EventRow) -> str:
    """What those are told who were reminded of what does not take place."""
    return f"Cancelled: {title_in_words(row)} on {starts_in_words(row)} does not take place."


def tell_the_reminded(tx: Transaction, row: EventRow, words: str, actor: Actor) -> None:
    """What was said of it so far is taken back as far as it has not left; whom it may have reached hears of the change.

    Its reminders are judged anew, for the new time: each goes to those of the group whom it had not told yet.
    """
    for earlier in tx.events.notices(row.id):
        _taken_back(tx, earlier, actor)
    begun = remind_anew(tx, row, actor)
    ways = [channel for said in begun for step in said.ways for channel in step.channels]
    people = {said.people for said in begun}
    if ways:
        whom = people.pop() if len(people) == 1 else People.BOTH
        tx.events.owe_notice(Owed(row.id, row.sequence, words, tuple(dict.fromkeys(ways)), whom))


def remind_anew(tx: Transaction, row: EventRow, actor: Actor) -> list[Announcement]:
    """What reminds of it is taken back as far as it has not left, and made anew; returns what had begun to go out."""
    reminded = [_taken_back(tx, each.announcement, actor) for each in tx.events.reminded([row.id])]
    tx.events.remind_anew(row.id)
    return [said for said in reminded if said is not None and tx.cases.is_planned(said.id)]


def _taken_back(tx: Transaction, announcement: UUID | None, actor: Actor) -> Announcement | None:
    """Nothing more of it may leave: it says what is not so any more."""
    said = tx.announcements.by_public_id(announcement, lock=True) if announcement is not None else None
    if said is not None:
        intake.forbid(tx, said, actor=actor)
    return said


def _plain(words: str) -> str:
    """A stranger's words without braces: they would be taken for gaps, and "{pupil}" for a child's name."""
    return words.translate({ord("{"): "(", ord("}"): ")"})
