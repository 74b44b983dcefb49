"""Hours of the week: open, closed, next open; also on the two nights on which the clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.announcement import People, Purpose
from broker.rules.hours import Opening, opens, read_openings

LONDON = "Europe/London"


def at(wall: str, fold: int = 0) -> datetime:
    """A wall clock in London."""
    return datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(LONDON), fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("windows", "now", "then"),
    [
        ("sms mon-fri 08:00-18:00", "2026-11-23 08:00", "2026-11-23 08:00"),
        ("sms mon-fri 08:00-18:00", "2026-11-23 17:59", "2026-11-23 17:59"),
        ("sms mon-fri 08:00-18:00", "2026-11-23 07:59", "2026-11-23 08:00"),
        ("sms mon-fri 08:00-18:00", "2026-11-23 18:00", "2026-11-24 08:00"),
        ("sms mon-fri 08:00-18:00", "2026-11-27 18:00", "2026-11-30 08:00"),  # over the weekend
        ("sms sun 08:00-24:00", "2026-11-22 23:59", "2026-11-22 23:59"),
        ("sms sun 08:00-24:00", "2026-11-23 00:00", "2026-11-29 08:00"),
        ("sms mon 08:00-12:00; sms mon 13:00-18:00", "2026-11-23 12:30", "2026-11-23 13:00"),
        # All that fits must be open: the wider one, and the narrower.
        (
            "sms mon-sun 07:00-21:00; sms/promotional mon-fri 09:00-17:00",
            "2026-11-22 10:00",
            "2026-11-23 09:00",
        ),
        ("sms mon-sun 07:00-21:00; */*/pupils mon-sun 20:00-24:00", "2026-11-22 10:00", "2026-11-22 20:00"),
    ],
)
def test_it_opens_when_the_wall_clock_says_so(windows: str, now: str, then: str) -> None:
    assert opens(read_openings(windows), at(now), LONDON) == at(then)


def test_what_never_opens_together_never_opens() -> None:
    never = read_openings("sms mon 08:00-12:00; sms/promotional tue 08:00-12:00")
    assert opens(never, at("2026-11-22 10:00"), LONDON) is None


def test_nothing_that_fits_is_always_open() -> None:
    assert opens((), at("2026-11-22 03:00"), LONDON) == at("2026-11-22 03:00")


@pytest.mark.parametrize(
    ("windows", "now", "then"),
    [
        # 29 March 2026: 01:00 becomes 02:00. Eight on the wall is an hour earlier than the day before.
        ("sms mon-sun 08:00-18:00", at("2026-03-28 18:00"), datetime(2026, 3, 29, 7, tzinfo=UTC)),
        # An opening in the hour that is missing begins when the clocks have gone forward.
        ("sms sun 01:30-03:00", at("2026-03-28 22:00"), datetime(2026, 3, 29, 1, tzinfo=UTC)),
        # And one that ends in it ends there.
        ("sms sun 00:00-01:30", datetime(2026, 3, 29, 1, tzinfo=UTC), at("2026-04-05 00:00")),
        # 25 October 2026: 02:00 becomes 01:00 again.
        ("sms mon-sun 08:00-18:00", at("2026-10-24 18:00"), datetime(2026, 10, 25, 8, tzinfo=UTC)),
        ("sms sun 01:30-03:00", at("2026-10-24 22:00"), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_clock_changes_move_the_instant_and_not_the_hour(windows: str, now: datetime, then: datetime) -> None:
    assert opens(read_openings(windows), now, LONDON) == then


@pytest.mark.parametrize("fold", [0, 1])
def test_an_hour_that_comes_twice_is_open_both_times(fold: int) -> None:
    twice = at("2026-10-25 01:45", fold)
    assert opens(read_openings("sms sun 01:30-02:00"), twice, LONDON) == twice


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["*", "sms"]),
            st.sampled_from(range(7)),
            st.integers(0, 180) | st.integers(0, 1439),
            st.integers(1, 300),
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([date(2026, 3, 25), date(2026, 10, 20)]),
    st.integers(0, 10 * 24 * 60),
)
def test_the_next_opening_is_open_and_nothing_before_it_is(
    drawn: list[tuple[str, int, int, int]], day: date, minutes: int
) -> None:
    openings = [
        Opening(what, "*", "*", (weekday,), begins, min(begins + length, 1440))
        for what, weekday, begins, length in drawn
    ]
    now = datetime.combine(day, time(), UTC) + timedelta(minutes=minutes)
    found = opens(openings, now, LONDON)
    looked = now
    while found is None or looked < found:
        assert not _is_open(openings, looked), looked
        looked += timedelta(minutes=15)
        if looked > now + timedelta(days=8):
            break
    if found is not None:
        assert _is_open(openings, found)


def _is_open(openings: list[Opening], moment: datetime) -> bool:
    """By the wall clock alone, as somebody would look at it."""
    wall = moment.astimezone(ZoneInfo(LONDON))
    minute = wall.hour * 60 + wall.minute
    fitting = {o.what: False for o in openings}
    for one in openings:
        if wall.weekday() in one.days and one.begins <= minute < one.ends:
            fitting[one.what] = True
    return all(fitting.values())


@pytest.mark.parametrize(
    ("what", "fits"),
    [
        ("sms", True),
        ("email", False),
        ("*", True),
        ("sms/promotional", False),
        ("sms/service", True),
        ("*/*/pupils", False),
        ("*/service/guardians", True),
    ],
)
def test_an_opening_fits_by_channel_purpose_and_people(what: str, fits: bool) -> None:
    [one] = read_openings(f"{what} mon-fri 08:00-18:00")
    assert one.fits("sms", Purpose.SERVICE, People.GUARDIANS) is fits


@pytest.mark.parametrize(
    ("people", "whose"),
    [
        (People.GUARDIANS, {"guardians"}),
        (People.FIRST, {"first", "guardians"}),
        (People.PUPILS, {"pupils"}),
        (People.STAFF, {"staff"}),
        (People.BOTH, {"both", "guardians", "pupils"}),
    ],
)
def test_hours_for_pupils_or_guardians_are_those_of_announcements_that_go_to_them_too(
    people: People, whose: set[str]
) -> None:
    fitting = {
        each.value
        for each in People
        for one in read_openings(f"*/*/{each} mon-sun 07:00-20:00")
        if one.fits("email", Purpose.SERVICE, people)
    }
    assert fitting == whose
