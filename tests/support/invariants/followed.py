"""What must hold of threads: who has a wrong text reads that it is corrected, and nobody else does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from broker.announcement import AS_CORRECTION, Announcement, FollowUp
from broker.delivery import Event, Evidence, State
from tests.support.invariants.seen import Seen

PROVEN = frozenset({Event.RETRY, Event.REJECT, Event.EXHAUST, Event.NOT_SENT, Event.WITHDRAW, Event.REFUSE})


def a_correction_goes_to_whom_something_left_before_and_to_nobody_else(seen: Seen) -> Iterator[str]:
    """By each way and address: something that may have left comes before a correction, nothing before a right text."""
    for announcement in seen.announcements.values():
        if announcement.follow_up is not FollowUp.CORRECTION:
            continue
        before = _by_way(seen, _earlier(seen, announcement))
        for row in seen.deliveries.values():
            if row.announcement_id != announcement.id or row.address_id is None:
                continue
            earlier = before[row.channel, row.address_id]
            if row.channel not in announcement.ways[0].channels:  # by a later way: whatever told these people
                earlier = [*earlier, *_about(seen, row, announcement)]
            corrects = row.content_version == AS_CORRECTION
            if corrects and not any(_may_have_left(seen, one) for one in earlier):
                yield f"delivery {row.id} corrects, and nothing had left by {row.channel}"
            if not corrects and any(_arrived(seen, one) for one in earlier):
                yield f"delivery {row.id} does not say that it corrects what left by {row.channel}"


def what_is_corrected_is_over(seen: Seen) -> Iterator[str]:
    """In the end nothing of it waits, and whoever it was to tell stands in a correction that was planned."""
    for announcement in seen.announcements.values():
        if announcement.corrected_at is None or announcement.corrected_by is None:
            continue
        if announcement.withdrawn_at is not None:  # its posts are gone, and what tells of that is corrected
            continue
        correction = seen.announcements[announcement.corrected_by]
        waits = (row for row in seen.in_state(State.QUEUED) if row.announcement_id == announcement.id)
        yield from (f"delivery {row.id} waits, and is corrected" for row in waits)
        if correction.fanned_out_at is None:
            continue
        there = {
            (r.channel, r.address_id) for r in seen.deliveries.values() if r.announcement_id == correction.id
        }
        for row in seen.deliveries.values():
            if row.announcement_id == announcement.id and (row.channel, row.address_id) not in there:
                yield f"delivery {row.id} was corrected, and nothing by {row.channel} says so"


def _earlier(seen: Seen, announcement: Announcement) -> set[int]:
    """Everything of its thread that was said before it."""
    thread, grown = {announcement.id}, True
    while grown:
        size = len(thread)
        for one in seen.announcements.values():
            if one.corrects is not None and {one.id, one.corrects} & thread:
                thread |= {one.id, one.corrects}
        grown = len(thread) > size
    return {each for each in thread if each < announcement.id}


def _by_way(seen: Seen, announcements: set[int]) -> Mapping[tuple[str, int], Sequence[Row[Any]]]:
    found: dict[tuple[str, int], list[Row[Any]]] = defaultdict(list)
    for row in seen.deliveries.values():
        if row.announcement_id in announcements and row.address_id is not None:
            found[row.channel, row.address_id].append(row)
    return found


def _about(seen: Seen, row: Row[Any], announcement: Announcement) -> Sequence[Row[Any]]:
    """What went before, by whichever way, about those of whom a delivery tells."""
    person = {duty.id: duty.person_id for duty in seen.tables["duty"]}
    told: dict[int, set[int]] = defaultdict(set)
    for cover in seen.tables["delivery_covers"]:
        told[cover.delivery_id].add(person[cover.duty_id])
    before = _earlier(seen, announcement)
    others = (one for one in seen.deliveries.values() if one.announcement_id in before and one.address_id)
    return [one for one in others if told[one.id] & told[row.id]]


def _may_have_left(seen: Seen, row: Row[Any]) -> bool:
    """Whether a try of it did not prove that nothing left."""
    return any(one.evidence or one.outcome not in PROVEN for one in seen.attempts.get(row.id, ()))


def _arrived(seen: Seen, row: Row[Any]) -> bool:
    """Whether a provider truly has it, and nobody said that it came back."""
    came_back = any(one.evidence == Evidence.BOUNCED for one in seen.attempts.get(row.id, ()))
    return bool(seen.had.get(row.id)) and not came_back


ALWAYS = (a_correction_goes_to_whom_something_left_before_and_to_nobody_else,)
IN_THE_END = (what_is_corrected_is_over,)
