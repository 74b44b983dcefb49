"""What happened to an announcement, in order and in words: from the record, and from its own times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from broker.announcement import Announcement, Stage
from ledger.reads.timeline import Span, Timeline, Turn
from ledger.reads.watch import Shown
from web.watch.announcement.words import DID, who
from web.watch.words import many

ONE_DEED = timedelta(minutes=2)  # what one person did to many messages at once is one line
SENT, MOVED = "deliveries.tried", "deliveries."
STOPPED, SEEN, CLIMBED = "deliveries.withdrawn", "duties.acknowledged", "ladder.climbed"


@dataclass(frozen=True, slots=True)
class Moment:
    """One line: when, what, who did it ("" for nobody), and what else there is to say. `ahead`: it is still to come."""

    at: datetime
    icon: str
    says: str
    who: str = ""
    more: str = ""
    ahead: bool = False


def moments(row: Shown, found: Timeline, now: datetime) -> Sequence[Moment]:
    """All of it, the oldest first; what is still to come stands last."""
    all_of_it = [*_turns(found.turns), *_spans(row, found), *_own_times(row.announcement, found, now)]
    return sorted(all_of_it, key=lambda one: (one.ahead, one.at))


def _turns(turns: Sequence[Turn]) -> Iterator[Moment]:
    """Turn by turn; the same done by the same person to several messages in a row is one."""
    for (kind, person), each in groupby(turns, key=lambda one: (one.kind, who(one))):
        run: list[Turn] = []
        for turn in each:
            if run and turn.at - run[-1].at > ONE_DEED:
                yield _deed(kind, person, run)
                run = []
            run.append(turn)
        yield _deed(kind, person, run)


def _deed(kind: str, person: str, run: Sequence[Turn]) -> Moment:
    icon, says = DID[kind]
    if len(run) > 1:
        says = f"{says}: {many(len(run), 'message')}" if kind.startswith("delivery.") else says
    return Moment(run[0].at, icon, says, person, _more(run[-1]))


def _more(turn: Turn) -> str:
    facts = turn.facts
    if turn.kind == "announcement.planned" and "deliveries_added" in facts:
        return many(int(facts["deliveries_added"]), "message")
    if turn.kind == "announcement.expected":
        return many(int(facts["people"]), "person", "people")
    if turn.kind == "approval.void":
        return str(facts.get("why", ""))
    return ""


def _spans(row: Shown, found: Timeline) -> Iterator[Moment]:
    """When it began to leave and when all of it was settled; what was stopped, seen, or went on to a further way."""
    if (sent := found.spans.get(SENT)) is not None:
        yield Moment(sent.first, "send", "The first messages left")
    if row.settled and row.stage is Stage.SENDING and (last := _last_of(found)) is not None:
        yield Moment(last, "good", "Finished: nothing of it waits any more")
    if (stopped := found.spans.get(STOPPED)) is not None:
        yield Moment(stopped.last, "stop", "What had not left was stopped, and never will")
    yield from _first_and_last(found.spans.get(CLIMBED), "next", "A further way opened for those not reached")
    yield from _first_and_last(found.spans.get(SEEN), "tick", "Somebody said that it was seen")


def _first_and_last(span: Span | None, icon: str, says: str) -> Iterator[Moment]:
    if span is None:
        return
    if span.last - span.first < ONE_DEED:
        yield Moment(span.first, icon, says)
        return
    yield Moment(span.first, icon, says, more="the first time")
    yield Moment(span.last, icon, says, more="the last time so far")


def _last_of(found: Timeline) -> datetime | None:
    return max((span.last for kind, span in found.spans.items() if kind.startswith(MOVED)), default=None)


def _own_times(said: Announcement, found: Timeline, now: datetime) -> Iterator[Moment]:
    """Its own times, where the record does not tell of them, or they are still to come."""
    known = found.spans.keys()
    own = (
        ("announcement.accepted", said.accepted_at),
        ("announcement.planned", said.fanned_out_at),
        ("announcement.corrected", said.corrected_at),
        ("announcement.withdrawn", said.withdrawn_at),
    )
    for kind, at in own:
        if at is not None and kind not in known:
            yield Moment(at, *DID[kind])
    if said.withdrawn_at is not None or said.corrected_at is not None:
        return
    if said.fanned_out_at is None and said.due_at > now:
        yield Moment(said.due_at, "send", "It goes out", ahead=True)
    over = said.expires_at <= now
    says = "Its time was over: nothing starts any more" if over else "Nothing of it starts after this"
    yield Moment(said.expires_at, "wait", says, ahead=not over)
