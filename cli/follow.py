"""Following an announcement until it is settled, with a bar for each channel."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from broker.announcement import FollowUp, Stage, stage_in_words
from broker.delivery import State
from broker.duty import FOR_ANYBODY, DutyState
from broker.errors import NotFound, Problem
from cli import show
from ledger.connect import Ledger
from ledger.reads.status import Status, status

LOOK_EVERY = timedelta(milliseconds=200)
RESTS = 9  # times as long as a look took: a tenth of one core at the most
WAITING = frozenset({Stage.HELD, Stage.AWAITING_APPROVAL})
SAYS_RIGHTLY = frozenset({FollowUp.CORRECTION, FollowUp.WITHDRAWAL})
UNDER_WAY = frozenset({State.QUEUED, State.SENDING})

Look = Callable[[], Status]


def follow(
    look: Look,
    *,
    until: Callable[[Status], bool],
    quiet: bool,
    changed: Callable[[Status], None] | None = None,
) -> Status:
    """Look again and again until `until` holds; `changed` hears of every status that differs from the last."""
    with Bars(quiet=quiet) as bars:
        last: Status | None = None
        while True:
            began = time.monotonic()
            now = look()
            took = time.monotonic() - began
            bars.show(now)
            if changed is not None and (last is None or as_told(now) != as_told(last)):
                changed(now)
            if until(now):
                return now
            last = now
            # A look at fifty thousand people takes its time: whoever watches must not slow down what they watch.
            time.sleep(max(LOOK_EVERY.total_seconds(), RESTS * took))


class Bars:
    """One live bar a channel, on standard error; nothing where that is no terminal."""

    def __init__(self, *, quiet: bool) -> None:
        console = show.aside()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}"),
            TimeElapsedColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, status: Status) -> None:
        """Move the bars to where the announcement stands."""
        for channel, counted in status.channels.items():
            if channel not in self._tasks:
                self._tasks[channel] = self._progress.add_task(show.plain(channel), total=None, told="")
            total = sum(counted.values())
            done = sum(n for state, n in counted.items() if state not in UNDER_WAY)
            self._progress.update(
                self._tasks[channel], total=total, completed=done, told=show.states(counted)
            )


def as_told(status: Status) -> Mapping[str, Any]:
    """A status as JSON tells it."""
    said = status.announcement
    return {
        "announcement": said.public_id,
        "stage": status.stage,
        "department": said.department,
        "by": status.author.id,
        "on_behalf_of": status.author.on_behalf_of,
        "audience": said.audience,
        "people": said.people,
        "due_at": said.due_at,
        "expires_at": said.expires_at,
        "held": held_as_told(status),
        "follow_up": said.follow_up,
        "channels": {
            channel: {"deliveries": sum(counted.values()), "states": {s.value: n for s, n in counted.items()}}
            for channel, counted in status.channels.items()
        },
        "duties": {state.value: n for state, n in status.duties.items()},
        "retracting": status.retracting,
        "settled": status.settled,
    }


def held_as_told(status: Status) -> Mapping[str, Any] | None:
    """What the rules keep the whole announcement waiting for; None while they do not."""
    said = status.announcement
    if status.stage not in WAITING:
        return None
    return {"until": said.held_until, "code": said.hold_code, "why": said.hold_why}


def show_status(status: Status) -> None:
    """A status in words."""
    said = status.announcement
    stage = stage_in_words(status.stage, settled=status.settled, went_out=bool(status.channels))
    show.say(
        f"{said.public_id}: {stage}, from {said.department} to {show.plain(said.audience)} ({said.people})"
    )
    show.say(f"  announced by {show.plain(status.author.told)}")
    if status.stage in WAITING:
        show.say(f"  {show.plain(said.hold_why)}")
    if said.follow_up is not None or said.corrected_by is not None:
        what = f"a {said.follow_up} of another one" if said.follow_up else "corrected by another one"
        show.say(f"  {what}; all of them: carillon thread {said.public_id}")
    lapsed = status.duties.get(DutyState.LAPSED, 0)
    if said.follow_up in SAYS_RIGHTLY and status.stage is Stage.EXPIRED and lapsed:
        whom = show.many(lapsed, "person", "people")
        show.say(f"  its time was over before {whom} had it: announce what is right anew")
    for channel, counted in status.channels.items():
        show.say(f"  {channel}: {show.states(counted)}")
    show.say(f"  people: {FOR_ANYBODY if status.for_anybody else show.duties(status.duties)}")
    if status.retracting:
        show.say(f"  being taken back from the public: {status.retracting}")


def looking(ledger: Ledger, public_id: UUID) -> Look:
    """A look at one announcement, in a transaction of its own. Raises NotFound."""

    def look() -> Status:
        with ledger.reading() as hand:
            found = status(hand, public_id)
        if found is None:
            hint = "list the latest with: carillon status"
            raise NotFound(Problem("not_found", "id", "there is no such announcement", hint))
        return found

    return look
