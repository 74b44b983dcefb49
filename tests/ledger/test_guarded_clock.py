"""SQLite's clock is the process's: set back, it neither runs backwards nor stands still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ledger.dialect.sqlite import GuardedClock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Machine:
    """A machine whose clock can be set; what it ticks cannot."""

    def __init__(self) -> None:
        self.off, self.ticked = timedelta(0), 0.0

    def wall(self) -> datetime:
        return NOON + self.off + timedelta(seconds=self.ticked)

    def ticks(self) -> float:
        return self.ticked


def test_a_clock_set_back_by_an_hour_goes_on_and_is_right_again_two_hours_later() -> None:
    machine = Machine()
    clock = GuardedClock(machine.wall, machine.ticks)
    before = clock()
    machine.off = -HOUR
    machine.ticked = 60
    assert clock() - before == timedelta(seconds=30)
    machine.ticked = 2 * HOUR.total_seconds()
    assert clock() == machine.wall()


def test_a_clock_set_forward_is_followed_at_once() -> None:
    machine = Machine()
    clock = GuardedClock(machine.wall, machine.ticks)
    machine.off = HOUR
    assert clock() == NOON + HOUR


@given(st.lists(st.tuples(st.integers(-5000, 5000), st.integers(0, 5000)), max_size=30))
def test_whatever_is_done_to_the_machine_time_never_runs_backwards(steps: list[tuple[int, int]]) -> None:
    machine = Machine()
    clock = GuardedClock(machine.wall, machine.ticks)
    last = clock()
    for off, ticked in steps:
        machine.off += timedelta(seconds=off)
        machine.ticked += ticked
        now = clock()
        assert now >= last
        last = now
