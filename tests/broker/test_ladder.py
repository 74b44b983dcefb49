"""Whether a duty stays on its rung or climbs, and why: a table of the plain cases, and properties over all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.ladders.ladder import (
    Climb,
    Climbed,
    Ladder,
    Need,
    Opening,
    Standing,
    Stay,
    next_move,
    said_later,
    seen_by_enough,
    times,
    too_late,
    too_soon,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TWO = [(NOON + HOUR, Need.REACHED), (NOON + 2 * HOUR, Need.REACHED)]
TOLD = Standing(1, 0, covered=True)

standings = st.builds(
    Standing,
    st.just(1),
    st.integers(0, 3),
    *(st.booleans() for _ in range(7)),
)
openings = st.lists(
    st.tuples(
        st.none() | st.integers(-180, 180).map(lambda m: NOON + timedelta(minutes=m)), st.sampled_from(Need)
    ),
    max_size=3,
)


@pytest.mark.parametrize(
    ("standing", "now", "move"),
    [
        (replace(TOLD, under_way=True), NOON, Stay(resting=False, until=NOON + HOUR)),
        (replace(TOLD, reached=True), NOON + 9 * HOUR, Stay(resting=True)),
        (TOLD, NOON, Climb(1, Climbed.FAILED)),
        (Standing(1, 0), NOON, Climb(1, Climbed.NOT_APPLICABLE)),
        (replace(TOLD, looking=True), NOON, Stay(resting=False, until=NOON + HOUR)),
        (replace(TOLD, looking=True), NOON + HOUR, Climb(1, Climbed.DEADLINE_NEARER)),
        (replace(TOLD, doubtful=True), NOON, Climb(1, Climbed.UNCERTAIN)),
        (replace(TOLD, under_way=True), NOON + HOUR, Climb(1, Climbed.NOT_REACHED)),
        (replace(TOLD, acknowledged=True), NOON + 9 * HOUR, Stay(resting=True)),
        (Standing(1, 2, covered=True), NOON + 9 * HOUR, Stay(resting=True)),  # on the sheet
    ],
)
def test_where_a_duty_goes_from_its_rung(standing: Standing, now: datetime, move: Stay | Climb) -> None:
    assert next_move(standing, TWO, now, look_ups_first=True) == move


def test_who_was_reached_but_has_not_said_so_is_told_by_the_next_way_at_its_time() -> None:
    opens = [(NOON + HOUR, Need.SEEN)]
    reached = replace(TOLD, reached=True)
    assert next_move(reached, opens, NOON, look_ups_first=True) == Stay(resting=False, until=NOON + HOUR)
    assert next_move(reached, opens, NOON + HOUR, look_ups_first=True) == Climb(1, Climbed.NOT_SEEN)
    assert next_move(replace(reached, acknowledged=True), opens, NOON + HOUR, look_ups_first=True).resting  # type: ignore[union-attr]


def test_a_way_may_demand_delivered() -> None:
    opens = [(NOON + HOUR, Need.DELIVERED)]
    sent = replace(TOLD, reached=True)
    assert next_move(sent, opens, NOON + HOUR, look_ups_first=True) == Climb(1, Climbed.NOT_DELIVERED)
    assert next_move(replace(sent, delivered=True), opens, NOON + HOUR, look_ups_first=True).resting  # type: ignore[union-attr]


def test_a_school_may_choose_not_to_wait_for_look_ups() -> None:
    looking = replace(TOLD, looking=True)
    assert next_move(looking, TWO, NOON, look_ups_first=False) == Climb(1, Climbed.UNCERTAIN)
    assert isinstance(next_move(looking, TWO, NOON, look_ups_first=True), Stay)


@given(standings, openings, st.integers(-200, 200), st.booleans())
def test_whoever_climbs_goes_one_step_and_never_beyond_the_sheet(
    standing: Standing, opens: list[tuple[datetime | None, Need]], minutes: int, first: bool
) -> None:
    move = next_move(standing, opens, NOON + timedelta(minutes=minutes), look_ups_first=first)
    if isinstance(move, Climb):
        assert move.step == standing.step + 1 <= len(opens)
        assert not standing.acknowledged


@given(standings, openings, st.integers(-200, 200), st.booleans())
def test_what_an_opening_asks_about_keeps_it_closed_whatever_the_time(
    standing: Standing, opens: list[tuple[datetime | None, Need]], minutes: int, first: bool
) -> None:
    if standing.step < len(opens) and standing.has(opens[standing.step][1]):
        assert next_move(standing, opens, NOON + timedelta(minutes=minutes), look_ups_first=first) == Stay(
            True
        )


@given(standings, openings, st.booleans())
def test_after_its_time_nobody_waits_any_more(
    standing: Standing, opens: list[tuple[datetime | None, Need]], first: bool
) -> None:
    move = next_move(standing, opens, NOON + timedelta(days=1), look_ups_first=first)
    waits_without_end = standing.step < len(opens) and opens[standing.step][0] is None
    assert isinstance(move, Climb) or move.resting or waits_without_end


@given(standings, openings, st.integers(-200, 200), st.integers(0, 200), st.booleans())
def test_time_alone_never_takes_a_climb_back(
    standing: Standing, opens: list[tuple[datetime | None, Need]], minutes: int, later: int, first: bool
) -> None:
    now = NOON + timedelta(minutes=minutes)
    if isinstance(next_move(standing, opens, now, look_ups_first=first), Climb):
        after = next_move(standing, opens, now + timedelta(minutes=later), look_ups_first=first)
        assert isinstance(after, Climb)


def test_an_opening_before_the_first_way_could_end_is_too_soon() -> None:
    ladder = Ladder((Opening(NOON + HOUR), Opening(timedelta(hours=2))))
    assert too_soon(ladder, NOON, NOON, HOUR) is None
    assert too_soon(ladder, NOON, NOON + timedelta(minutes=1), HOUR) == (
        1,
        NOON + HOUR + timedelta(minutes=1),
    )
    assert too_soon(Ladder((Opening(), Opening(HOUR))), NOON, NOON, HOUR) == (2, NOON + 2 * HOUR)
    assert too_late(ladder, NOON, NOON + 2 * HOUR) == 2
    assert too_late(ladder, NOON, NOON + 3 * HOUR) is None


def test_what_began_late_gives_each_way_its_least() -> None:
    ladder = Ladder((Opening(HOUR), Opening(2 * HOUR, Need.SEEN), Opening()))
    assert times(ladder, NOON, NOON, HOUR / 2) == [
        (NOON + HOUR, Need.REACHED),
        (NOON + 2 * HOUR, Need.SEEN),
        (None, Need.REACHED),
    ]
    late = NOON + 3 * HOUR
    assert [at for at, _ in times(ladder, NOON, late, HOUR / 2)] == [late + HOUR / 2, late + HOUR, None]


@pytest.mark.parametrize(
    ("said", "asked", "everybody", "enough"),
    [
        (set[int](), {1, 2}, False, False),
        ({1}, {1, 2}, False, True),
        ({1}, {1, 2}, True, False),
        ({1, 2}, {1, 2}, True, True),
        ({3}, set[int](), True, True),
        (set[int](), set[int](), True, False),
    ],
)
def test_one_guardian_suffices_or_all_are_needed(
    said: set[int], asked: set[int], everybody: bool, enough: bool
) -> None:
    assert seen_by_enough(said, asked, all_guardians=everybody) is enough


def test_what_is_said_later_keeps_its_times_or_gets_later_ones_before_it_is_over() -> None:
    near, far = NOON + HOUR / 4, NOON + 6 * HOUR
    ladder = Ladder((Opening(near, Need.SEEN), Opening(HOUR), Opening(far)), seen=True)
    later = said_later(ladder, NOON, HOUR / 2, NOON + 8 * HOUR)
    assert later.openings == (Opening(NOON + HOUR, Need.SEEN), Opening(HOUR), Opening(far))
    assert later.seen
    over = said_later(ladder, NOON, HOUR / 2, NOON + HOUR)
    assert over.openings == (Opening(None, Need.SEEN), Opening(HOUR), Opening(None))
