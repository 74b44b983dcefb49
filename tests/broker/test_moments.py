"""From what somebody typed to an instant: what cannot be meant is refused, what could mean two things is asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.errors import InvalidAnnouncement, Problem
from broker.moments import day_at, either_of, instant, zone_named

LONDON = "Europe/London"


def problem_of(text: str, zone: str = LONDON) -> Problem:
    with pytest.raises(InvalidAnnouncement) as caught:
        instant(text, zone=zone, field="at")
    return caught.value.problem


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2026-11-30 08:15", LONDON, "2026-11-30T08:15"),
        ("2026-06-30 08:15", LONDON, "2026-06-30T07:15"),
        ("2026-06-30T08:15", LONDON, "2026-06-30T07:15"),
        ("  2026-06-30 08:15  ", LONDON, "2026-06-30T07:15"),
        ("2026-06-30 08", LONDON, "2026-06-30T07:00"),
        ("2026-06-30 08:15:30", LONDON, "2026-06-30T07:15:30"),
        ("2026-06-30 24:00", LONDON, "2026-06-30T23:00"),
        ("2028-02-29 08:15", LONDON, "2028-02-29T08:15"),
        ("2026-06-30 08:15", "Asia/Kolkata", "2026-06-30T02:45"),
        # With an offset the school's zone has no say.
        ("2026-06-30 08:15Z", LONDON, "2026-06-30T08:15"),
        ("2026-06-30T08:15+01:00", "Asia/Kolkata", "2026-06-30T07:15"),
        ("2026-06-30T08:15-05:00", LONDON, "2026-06-30T13:15"),
        # The borders of the two nights.
        ("2026-03-29 00:59", LONDON, "2026-03-29T00:59"),
        ("2026-03-29 02:00", LONDON, "2026-03-29T01:00"),
        ("2026-10-25 00:59", LONDON, "2026-10-24T23:59"),
        ("2026-10-25 02:00", LONDON, "2026-10-25T02:00"),
        # Both 01:30s of October, said with their offset, are two instants an hour apart.
        ("2026-10-25T01:30+01:00", LONDON, "2026-10-25T00:30"),
        ("2026-10-25T01:30+00:00", LONDON, "2026-10-25T01:30"),
    ],
)
def test_a_time_is_one_instant(text: str, zone: str, utc: str) -> None:
    assert instant(text, zone=zone, field="at") == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-03-29 01:00", "2026-03-29 01:30", "2026-03-29T01:59:59"])
def test_the_hour_that_the_clocks_jump_over_does_not_exist(text: str) -> None:
    problem = problem_of(text)
    assert (problem.code, problem.field) == ("missing_hour", "at")
    assert "later or earlier" in problem.hint


@pytest.mark.parametrize("text", ["2026-10-25 01:00", "2026-10-25 01:30", "2026-10-25T01:59:59"])
def test_the_hour_that_comes_twice_is_asked_about(text: str) -> None:
    problem = problem_of(text)
    assert (problem.code, problem.field) == ("double_hour", "at")
    first, second = problem.hint.removeprefix("say which one: ").split(" or ")
    apart = instant(second, zone=LONDON, field="at") - instant(first, zone=LONDON, field="at")
    assert apart == timedelta(hours=1), "each answer that is offered can be typed as it stands"


def test_the_other_nights_of_the_year_have_neither() -> None:
    for day in range(365):
        night = datetime(2027, 1, 1, 1, 30) + timedelta(days=day)  # noqa: DTZ001 - wall time, as typed
        if night.date().isoformat() not in {"2027-03-28", "2027-10-31"}:
            instant(night.isoformat(), zone=LONDON, field="at")


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("Europe/Londn", "Europe/London"),
        ("europe/london", "Europe/London"),
        ("Europe/Dubln", "Europe/Dublin"),
        ("Pacific/Aukland", "Pacific/Auckland"),
    ],
)
def test_a_misspelt_zone_is_answered_with_the_nearest(misspelt: str, meant: str) -> None:
    problem = problem_of("2026-11-30 08:15", zone=misspelt)
    assert (problem.code, problem.field) == ("unknown_zone", "zone")
    assert problem.hint == f"did you mean {meant}?"


@pytest.mark.parametrize(
    "name", ["", "nowhere at all", "../../etc/passwd", "/etc/localtime", "x" * 10_000, "\x00"]
)
def test_what_is_like_no_zone_gets_an_example(name: str) -> None:
    with pytest.raises(InvalidAnnouncement) as caught:
        zone_named(name)
    assert caught.value.problem.hint == "use a name such as Europe/London"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "08:15",
        "30/11/2026 08:15",
        "2026-13-01 08:15",
        "2026-02-29 08:15",
        "2026-11-30 25:00",
        "2026-11-30 08:61",
        "2026-11-30 08:15 pm",
        "2026-11-30 08:15+25:00",
        "9999-12-31 24:00",
        "٢٠٢٦-11-30 08:15",
        "2026-11-30 08:15\x00",
        "2026-11-30 08:15" + " " * 100,
    ],
)
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    problem = problem_of(text)
    assert (problem.code, problem.hint) == ("bad_time", "write it as 2026-11-30 08:15")


@pytest.mark.parametrize("text", ["2026", "2026-11", "2026-11-30", "20261130", " 2026-11-30 ", "2026-W48-1"])
def test_a_day_without_a_time_is_not_guessed_to_be_midnight(text: str) -> None:
    assert problem_of(text).code == "no_hour"


@pytest.mark.parametrize("year", ["0001", "0026", "1999", "2200", "9999"])
def test_a_year_that_cannot_be_meant_is_refused(year: str) -> None:
    for text in (f"{year}-06-30 08:15", f"{year}-12-31T23:59+01:00", f"{year}-01-01T00:00-12:00"):
        problem = problem_of(text)
        assert (problem.code, problem.field) == ("bad_year", "at")
        assert f"the year {int(year)} cannot be meant" in problem.message


digits = st.text("0123456789-:T Z+.W", max_size=30)


@given(
    st.text(max_size=70) | digits | st.datetimes().map(str) | st.datetimes(timezones=st.timezones()).map(str)
)
def test_anything_typed_is_an_instant_in_utc_or_an_invalid_announcement(text: str) -> None:
    try:
        moment = instant(text, zone=LONDON, field="at")
    except InvalidAnnouncement:
        return
    assert moment.tzinfo is UTC


@given(
    st.datetimes(datetime(2001, 1, 1), datetime(2037, 12, 31)),  # noqa: DTZ001 - wall times
    st.sampled_from([LONDON, "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]),
)
def test_an_instant_shows_the_wall_time_that_was_typed(wall: datetime, zone: str) -> None:
    try:
        moment = instant(wall.isoformat(), zone=zone, field="at")
    except InvalidAnnouncement as refusal:
        asked = refusal.problem.code
    else:
        asked = ""
        assert moment.astimezone(zone_named(zone)).replace(tzinfo=None) == wall
    assert asked in {"", "missing_hour", "double_hour"}


@pytest.mark.parametrize(
    ("utc", "zone", "day"),
    [
        ("2026-06-30T22:59", LONDON, date(2026, 6, 30)),
        ("2026-06-30T23:00", LONDON, date(2026, 7, 1)),  # summer time
        ("2026-11-30T23:59", LONDON, date(2026, 11, 30)),
        ("2026-11-30T10:30", "Pacific/Auckland", date(2026, 11, 30)),
        ("2026-11-30T11:30", "Pacific/Auckland", date(2026, 12, 1)),
        ("2026-11-30T04:59", "America/New_York", date(2026, 11, 29)),
    ],
)
def test_which_day_it_is_is_the_schools_own_clocks_to_say(utc: str, zone: str, day: date) -> None:
    assert day_at(datetime.fromisoformat(utc).replace(tzinfo=UTC), zone) == day


def test_the_hour_that_comes_twice_is_offered_as_two_moments_that_can_be_typed() -> None:
    both = either_of("2026-10-25 01:30", zone=LONDON)
    assert both == ("2026-10-25T01:30:00+01:00", "2026-10-25T01:30:00+00:00")
    first, second = (instant(one, zone=LONDON, field="at") for one in both)
    assert second - first == timedelta(hours=1)


@pytest.mark.parametrize(
    "text", ["2026-10-25 03:30", "2026-03-29 01:30", "2026-10-25T01:30+01:00", "soon", "", "9" * 100]
)
def test_a_time_that_means_one_moment_or_none_offers_no_two(text: str) -> None:
    assert either_of(text, zone=LONDON) is None
