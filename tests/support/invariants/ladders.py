"""What must hold of ways in order: climbed one by one, each for a reason, and in the end nobody is left between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from broker.delivery import REACHED
from tests.support.invariants.seen import Seen


def rungs_are_climbed_one_by_one(seen: Seen) -> Iterator[str]:
    """No step is left out, and the slip sheet is the last."""
    steps = _steps(seen)
    sheets = {row.duty_id: row.step for row in seen.tables["rung"] if row.sheet}
    of = {duty.id: duty.announcement_id for duty in seen.tables["duty"]}
    for duty, climbed in steps.items():
        if climbed != list(range(1, len(climbed) + 1)):
            yield f"duty {duty} climbed {climbed}"
        if duty in sheets and sheets[duty] != len(seen.announcements[of[duty]].ways):
            yield f"duty {duty} is on the slip sheet at step {sheets[duty]}"


def nobody_is_told_by_a_way_that_is_not_open_for_them(seen: Seen) -> Iterator[str]:
    """What goes by a later way tells of those alone who stand there, or have stood."""
    steps = _steps(seen)
    of = {duty.id: duty.announcement_id for duty in seen.tables["duty"]}
    for cover in seen.tables["delivery_covers"]:
        row = seen.deliveries[cover.delivery_id]
        announcement = seen.announcements[row.announcement_id]
        # A correction goes where the wrong text went; what is said again may go by all ways at once.
        if announcement.follow_up is not None or of[cover.duty_id] != announcement.id:
            continue
        step = next(place for place, each in enumerate(announcement.ways) if row.channel in each.channels)
        if step and step not in steps.get(cover.duty_id, ()):
            yield f"delivery {row.id} by {row.channel} tells of duty {cover.duty_id}, which is not there yet"


def whoever_no_way_reached_stands_on_the_slip_sheet(seen: Seen) -> Iterator[str]:
    """In the end, of what is neither over nor waiting for a time: reached, acknowledged, or on paper."""
    reached = {
        cover.duty_id
        for cover in seen.tables["delivery_covers"]
        if not cover.dropped and seen.deliveries[cover.delivery_id].state in REACHED
    }
    on_paper = {row.duty_id for row in seen.tables["rung"] if row.sheet}
    live = {row.announcement_id for row in seen.tables["ladder"] if row.ended_at is None}
    for duty in seen.tables["duty"]:
        announcement = seen.announcements[duty.announcement_id]
        over = announcement.withdrawn_at or announcement.corrected_by or announcement.fanned_out_at is None
        if announcement.id not in live or over or duty.acknowledged_at is not None:
            continue
        if duty.id not in reached | on_paper:
            yield f"duty {duty.id} is neither reached nor on the slip sheet"


def _steps(seen: Seen) -> Mapping[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for row in sorted(seen.tables["rung"], key=lambda row: (row.duty_id, row.step)):
        found[row.duty_id].append(row.step)
    return found


ALWAYS = (rungs_are_climbed_one_by_one, nobody_is_told_by_a_way_that_is_not_open_for_them)
IN_THE_END = (whoever_no_way_reached_stands_on_the_slip_sheet,)
