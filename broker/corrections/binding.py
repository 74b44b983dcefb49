"""A draft that follows something up, tied to it in the transaction that keeps it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from broker import audience as audiences
from broker import drafts
from broker.actor import Actor
from broker.announcement import Announcement, Draft, Follows, FollowUp
from broker.audience import Audience
from broker.corrections.law import AGAIN, OVER, NotFollowed, as_correction, must_stand
from broker.errors import InvalidAnnouncement, NotFound, Problem, RuleBroken
from broker.moments import today_of
from broker.office.expressions import resolve
from broker.ports import Ports, Transaction
from broker.record import Entry
from broker.scrutiny.audit import wording_digest
from broker.values import StopKind


def there(tx: Transaction, public_id: UUID, *, lock: bool = False) -> Announcement:
    """An announcement by its id. Raises NotFound."""
    first = tx.announcements.by_public_id(public_id, lock=lock)
    if first is None:
        hint = "copy its id from `carillon status`"
        raise NotFound(Problem("not_found", "id", "there is no such announcement", hint))
    return first


def first_of(tx: Transaction, follows: Follows, *, lock: bool = False) -> Announcement:
    """What is followed up, if it may be. Raises NotFound, NotFollowed."""
    first = there(tx, follows.first, lock=lock)
    later = tx.announcements.by_id(first.corrected_by) if first.corrected_by is not None else None
    must_stand(first, follows.kind, tx.now, corrected_by=later.public_id if later else None)
    if follows.kind is FollowUp.WITHDRAWAL:
        _must_be_news(tx, first)
    return first


def bind(
    ports: Ports, tx: Transaction, announcement: Announcement, draft: Draft, *, actor: Actor
) -> Announcement:
    """Tie a stored announcement to what its draft follows up; returns it as it is then.

    Of a correction: whatever of the thread is in hand is stopped from the moment this commits.
    Raises NotFound, NotFollowed, InvalidAnnouncement.
    """
    follows = draft.follows
    if follows is None:
        return announcement
    first = first_of(tx, follows, lock=True)
    kind = follows.kind
    tip = tip_of(tx, first) if kind in {FollowUp.CORRECTION, FollowUp.EDIT} else first
    tx.threads.bind(announcement.id, tip.id, kind)
    told = [Entry("announcement.follows", actor, _facts(first, kind), announcement.id)]
    if kind is FollowUp.CORRECTION:
        _must_differ(tx, first, tip, draft)
        told += _stop(tx, announcement, actor)
        told += _word_twice(ports, tx, announcement, draft, follows.lead, actor)
    elif kind is FollowUp.EDIT:
        _must_differ(tx, first, tip, draft)
    elif kind in AGAIN:
        tx.threads.list_people(announcement.id, _people(tx, first, follows))
    tx.record.add(told)
    return tx.announcements.by_id(announcement.id)


def audience_of(tx: Transaction, announcement: Announcement, written: Audience) -> Audience:
    """Its audience with groups taken apart. Raises UnknownAudience where a group of it is gone.

    But for what follows up: its thread says who, so that whoever has a wrong text is told whatever became of the group.
    """
    try:
        return resolve(tx, written)
    except RuleBroken:
        if announcement.follow_up is None or tx.threads.counted(announcement.id) is None:
            raise
        return written


def counted(tx: Transaction, announcement: Announcement, audience: Audience, today: date) -> int:
    """How many people it is about: those of its thread where it follows one up, else whom fan-out would tell today."""
    known = tx.threads.counted(announcement.id) if announcement.follow_up is not None else None
    return known if known is not None else tx.plans.count_meant(announcement, audience, today)


def is_in_effect(tx: Transaction, announcement: Announcement) -> bool:
    """Whether it speaks instead of what it corrects, though nothing of it may be planned yet."""
    if announcement.follow_up is not FollowUp.CORRECTION or announcement.corrects is None:
        return False
    return tx.announcements.by_id(announcement.corrects).corrected_at is not None


def let_go(tx: Transaction, announcement: Announcement) -> None:
    """It is taken back: before it took effect what waited for it goes on, and nobody is warned of it any more."""
    tx.sweeps.clear_alarm(OVER, str(announcement.public_id))
    if announcement.follow_up is FollowUp.CORRECTION:
        tx.threads.release(announcement.id)


def tip_of(tx: Transaction, first: Announcement) -> Announcement:
    """The last that said it: the first one, or the newest edit of it."""
    edits = [
        one
        for one in tx.threads.below(first.id)
        if one.follow_up is FollowUp.EDIT and one.withdrawn_at is None
    ]
    return max(edits, key=lambda one: one.id, default=first)


def _must_be_news(tx: Transaction, first: Announcement) -> None:
    """That it is taken back is told once, and of nothing that nobody has yet. Raises NotFollowed."""
    if first.follow_up is FollowUp.CORRECTION and not is_in_effect(tx, first):
        message = "nobody has this correction yet, and what it corrects goes on without it"
        raise NotFollowed(Problem("not_begun", "id", message, f"carillon undo {first.public_id}"))
    oldest = first
    while oldest.corrects is not None:
        oldest = tx.announcements.by_id(oldest.corrects)
    for one in tx.threads.below(oldest.id):
        if one.follow_up is FollowUp.WITHDRAWAL and one.withdrawn_at is None:
            hint = f"if that was wrong as well: carillon correct {one.public_id}"
            raise NotFollowed(Problem("told", "tell", "they were told already that it is taken back", hint))


def _stop(tx: Transaction, announcement: Announcement, actor: Actor) -> list[Entry]:
    stopped = tx.threads.stop(tx.threads.before(announcement.id), by=announcement.id)
    tx.stops.add_all(StopKind.ANNOUNCEMENT, stopped)
    facts = {"by": str(announcement.public_id)}
    return [Entry("announcement.being_corrected", actor, facts, each) for each in stopped]


def _word_twice(
    ports: Ports, tx: Transaction, announcement: Announcement, draft: Draft, lead: str, actor: Actor
) -> list[Entry]:
    """Version 2: what those read who have a wrong text. Its ways have their say about it, too."""
    parts = as_correction({part: text for part, text in draft.parts.items() if text}, lead)
    drafts.check_wording(ports, tx, replace(draft, parts=parts))
    tx.threads.word_twice(announcement, parts, draft.language)
    digest = wording_digest(
        [(draft.language, part.value, text) for part, text in parts.items()],
        [(file.name, file.sha256) for file in draft.attachments],
    )
    facts = {"id": str(announcement.public_id), "content_version": 2, "wording": digest}
    return [Entry("announcement.reworded", actor, facts, announcement.id)]


def _must_differ(tx: Transaction, first: Announcement, tip: Announcement, draft: Draft) -> None:
    """Other words, or the same with another file: a wrong one was sent along."""
    kept = tx.announcements.content(tip.id, 1)
    before = {part: text for each in kept for part, text in each.parts.items() if text}
    went = kept if tip.id == first.id else tx.announcements.content(first.id, 1)
    files = {(one.name, one.sha256) for each in went for one in each.attachments}
    same_files = {(one.name, one.sha256) for one in draft.attachments} <= files
    if same_files and before == {part: text for part, text in draft.parts.items() if text}:
        raise InvalidAnnouncement(
            Problem("same_words", "text", "this is what was said before", "write what is right")
        )


def _people(tx: Transaction, first: Announcement, follows: Follows) -> list[int]:
    """To whom it is sent again. Raises NotFollowed for people who are not there, or whom it was not about."""
    if follows.joined:
        if first.fanned_out_at is None:
            raise _nobody("not_begun", "it has told nobody yet", "who joined hears it with the others")
        today = today_of(tx)
        audience = resolve(tx, audiences.parse(first.audience))
        found = list(tx.threads.joined(first.id, audience, first.people, today))
        if not found:
            raise _nobody("nobody_joined", "nobody joined since", "there is nobody to tell")
        return found
    if not follows.people:
        raise _nobody("nobody", "it is said to nobody again", "name a person, or those who joined")
    named = tx.threads.name(first.id, follows.people)
    if any(one.person is None for one in named):
        raise _nobody("unknown_person", "one of these people is not known here", "see: carillon people find")
    if not all(one.told_of for one in named):
        hint = "for who joined since: --joined"
        raise _nobody("not_about_them", "it was not about one of these people", hint)
    if all(one.knows for one in named):
        hint = "nothing more of it goes to whoever has seen it: announce what else they should know"
        raise _nobody("seen", "it is known to have been seen", hint)
    return [one.person for one in named if one.person is not None]


def _nobody(code: str, message: str, hint: str) -> NotFollowed:
    return NotFollowed(Problem(code, "person", message, hint))


def _facts(first: Announcement, kind: FollowUp) -> dict[str, object]:
    return {"first": str(first.public_id), "as": kind.value}
