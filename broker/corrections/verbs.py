"""Correct, edit, take back and tell, say again: each makes an announcement that is judged like any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from broker import intake, judging
from broker.actor import Actor
from broker.announcement import Announcement, Attachment, Draft, Follows, FollowUp, Part, Step, Urgency
from broker.corrections import binding, planning
from broker.corrections.law import AGAIN, LEAD, NotFollowed, lead_of
from broker.errors import BrokerError, Problem
from broker.ladders.ladder import Ladder, said_later
from broker.office.reach import Untold
from broker.policy import Hold
from broker.ports import Ports, Transaction
from broker.ports.threads import PlannedFor
from broker.rules.ladders import LEAST


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody says about a follow-up beside its words. None: as the first one was."""

    urgent: bool = False
    lead: str = LEAD
    key: str | None = None
    expires_at: datetime | None = None
    expected: int | None = None
    copies: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()


PLAIN = Wanted()


def correction(ports: Ports, first: UUID, parts: Mapping[Part, str], wanted: Wanted = PLAIN) -> Draft:
    """The draft that says rightly what an announcement said wrongly, to everybody it told or was to tell.

    An urgent one's correction is urgent. Raises NotFound, NotFollowed.
    """
    follows = Follows(first, FollowUp.CORRECTION, lead_of(wanted.lead))
    return _draft(ports, follows, wanted, parts=parts)


def edit(ports: Ports, first: UUID, parts: Mapping[Part, str], wanted: Wanted = PLAIN) -> Draft:
    """The draft that mends a slip of the pen where a text is shown in place; nobody hears of it. Raises NotFollowed."""
    return _draft(ports, Follows(first, FollowUp.EDIT), wanted, parts=parts)


def withdrawal(ports: Ports, first: UUID, parts: Mapping[Part, str], wanted: Wanted = PLAIN) -> Draft:
    """The draft that tells those whom something reached that it is taken back. Raises NotFollowed."""
    return _draft(ports, Follows(first, FollowUp.WITHDRAWAL), wanted, parts=parts)


def resend(
    ports: Ports,
    first: UUID,
    people: Sequence[UUID] = (),
    *,
    joined: bool = False,
    new_addresses: bool = False,
    at_once: bool = False,
    wanted: Wanted = PLAIN,
) -> Draft:
    """The draft that says it once more: to people named, or to those who `joined` its groups since.

    `new_addresses`: by those of their addresses alone that nothing of it went to. Of ways in order it goes by those
    that have opened for each of them; `at_once`: by all. Raises NotFound, NotFollowed.
    """
    kind = FollowUp.REDIRECT if new_addresses else FollowUp.RESEND
    if joined and people:
        message = "it goes to people who are named or to those who joined, not to both at once"
        raise NotFollowed(Problem("both", "person", message, "send it twice"))
    follows = Follows(first, kind, people=tuple(people), joined=joined)
    return _draft(ports, follows, wanted, at_once=at_once)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a follow-up would do at this moment: by way, how many read that they are corrected, and how many the text.

    `undecided`: of what went before, not settled yet. `people`: of a resend, who by which way; for whom there is none,
    nothing. `untold`: of the others those whom nothing would reach, and why. `hold`: what it would wait for.
    """

    draft: Draft
    counted: int
    ways: Mapping[str, Mapping[int, int]]
    undecided: int
    people: Sequence[PlannedFor]
    untold: Sequence[Untold]
    rulings: Sequence[judging.Ruling]
    expires_at: datetime

    @property
    def in_order(self) -> bool:
        """Whether it is said again by the ways that have opened for each, and not by all at once."""
        return len(self.draft.ways) > 1 and self.people != ()

    @property
    def hold(self) -> Hold | None:
        """What keeps it waiting as a whole."""
        return judging.hold_of(self.rulings)


class _NotKept(BrokerError):
    """Raised by a rehearsal so that its transaction is taken back; it carries what was found."""

    def __init__(self, shown: Shown) -> None:
        self.shown = shown


def shown(ports: Ports, draft: Draft, *, actor: Actor) -> Shown:
    """Everything that saying it would check and plan, with nothing kept. Raises what `accept` raises."""

    def work(tx: Transaction) -> Shown:
        accepted = intake.accept_within(ports, tx, replace(draft, key=None), actor=actor)
        said = accepted.announcement
        found = judging.rulings(ports, tx, said, asked=True)
        planning.rehearse(ports, tx, said, actor=actor)
        again = said.follow_up in AGAIN
        raise _NotKept(
            Shown(
                draft=draft,
                counted=next((one.case.counted or 0 for one in found), 0),
                ways=tx.threads.planned(said.id),
                undecided=0 if again else tx.threads.undecided(tx.threads.before(said.id))[0],
                people=tx.threads.planned_for(said.id) if again else (),
                untold=() if again else planning.untold(ports, tx, said),
                rulings=found,
                expires_at=said.expires_at,
            )
        )

    try:
        return ports.ledger.transact(work)
    except _NotKept as done:
        return done.shown


def withdraw_and_tell(ports: Ports, draft: Draft, *, actor: Actor) -> tuple[int, intake.Accepted]:
    """Take an announcement back, then tell those whom it had reached; how many deliveries never left.

    The words are judged before anything is done: a refusal leaves all as it was. Safe to repeat under its key: then
    nothing was left to take back. Raises what `accept` does.
    """
    assert draft.follows is not None  # noqa: S101 - made by `withdrawal`
    with ports.ledger.look() as tx:
        said = draft.key is not None and tx.announcements.by_key(draft.department, draft.key) is not None
    if said:
        return 0, intake.accept(ports, draft, actor=actor)
    if refused := judging.refusal_in(intake.rehearse(ports, draft, actor=actor).rulings):
        raise refused
    withdrawn = intake.withdraw(ports, draft.follows.first, actor=actor)
    return withdrawn, intake.accept(ports, draft, actor=actor)


def _draft(
    ports: Ports,
    follows: Follows,
    wanted: Wanted,
    *,
    parts: Mapping[Part, str] | None = None,
    at_once: bool = False,
) -> Draft:
    with ports.ledger.look() as tx:
        first = binding.there(tx, follows.first)
        if wanted.key is None or tx.announcements.by_key(first.department, wanted.key) is None:
            binding.first_of(tx, follows)  # or it is the same call again, long after
        words = dict(parts) if parts is not None else _words(tx, first)
        files = wanted.attachments or (_files(tx, first) if parts is None else ())
        kept = tx.announcements.content(first.id, 1)
        language = kept[0].language if kept else ""  # withdrawn long after: its words may be of age
        expires_at = wanted.expires_at or first.expires_at
        there = _there(ports, tx, first)
        ladder = _ladder(tx, first, follows.kind, expires_at, there)
        now = tx.now
    later = follows.kind is FollowUp.WITHDRAWAL
    return Draft(
        department=first.department,
        audience=first.audience,
        people=first.people,
        ways=_ways(ports, list(there.values()), follows.kind, at_once=at_once),
        parts=words,
        purpose=first.purpose,
        urgency=Urgency.URGENT if wanted.urgent else first.urgency,
        language=language,
        key=wanted.key,
        # What is said before its time is corrected before its time.
        send_at=first.due_at if first.due_at > now and not later else None,
        expires_at=wanted.expires_at or (None if later else first.expires_at),
        attachments=files,
        expected=wanted.expected,
        copies=wanted.copies,
        follows=follows,
        ladder=ladder,
    )


def _there(ports: Ports, tx: Transaction, first: Announcement) -> Mapping[int, Step]:
    """Of its ways, by their places, those that there still are. Raises NotFollowed where none is."""
    usable = planning.usable(ports, tx, first.department)
    steps = {place: tuple(filter(usable, step.channels)) for place, step in enumerate(first.ways)}
    found = {place: Step(channels) for place, channels in steps.items() if channels}
    if not found:
        message = "none of the ways by which it went has an account any more"
        hint = "set one up again (`carillon channels` says what it needs), or announce it anew by another way"
        raise NotFollowed(Problem("no_account", "id", message, hint))
    return found


def _ladder(
    tx: Transaction, first: Announcement, kind: FollowUp, expires_at: datetime, there: Mapping[int, Step]
) -> Ladder | None:
    """Of a correction the same ladder, later; of what is said again none of its own, but the same link."""
    ladder = tx.ladders.of(first.id) if kind is FollowUp.CORRECTION or kind in AGAIN else None
    if ladder is None:
        return None
    if kind in AGAIN:
        return Ladder((), seen=True) if ladder.asks else None
    openings = (*(ladder.openings[place - 1] for place in list(there)[1:]), *ladder.openings[-1:])
    ladder = replace(ladder, openings=openings)
    return said_later(ladder, max(first.due_at, tx.now), tx.rules.current().duration(LEAST), expires_at)


def _words(tx: Transaction, first: Announcement) -> dict[Part, str]:
    kept = tx.announcements.content(first.id, 1)
    if not kept:
        raise NotFollowed(Problem("no_words", "id", "its words are not kept any more", "announce it anew"))
    return {part: text for part, text in kept[0].parts.items() if part is not Part.QUOTE}


def _files(tx: Transaction, first: Announcement) -> tuple[Attachment, ...]:
    return tuple(replace(file, token="") for file in tx.announcements.content(first.id, 1)[0].attachments)


def _ways(ports: Ports, there: Sequence[Step], kind: FollowUp, *, at_once: bool) -> tuple[Step, ...]:
    """Of the ways that there are those that this kind goes by; in their order what is corrected, or said again.

    Raises NotFollowed.
    """
    if kind is FollowUp.CORRECTION:
        return tuple(there)
    traits = {name: ports.channels.traits(name) for step in there for name in step.channels}
    if kind is FollowUp.EDIT:
        ways = tuple(name for name, each in traits.items() if each.broadcast and each.in_place)
        if not ways:
            message = "it stands in no feed, so that there is nothing to edit in place"
            raise NotFollowed(Problem("no_feed", "id", message, "correct it instead"))
    else:
        # What is said again is for people by name; that something is taken back is for subscribers, too.
        left_out = {
            name for name, each in traits.items() if each.broadcast or (kind in AGAIN and each.subscribed)
        }
        ways = tuple(name for name in traits if name not in left_out)
        if not ways:
            message = "it went to the public alone"
            raise NotFollowed(Problem("public_alone", "id", message, "announce it anew"))
        if kind in AGAIN and not at_once:
            steps = (tuple(name for name in step.channels if name in ways) for step in there)
            return tuple(Step(step) for step in steps if step)
    return (Step(ways),)
