"""The four angles of an account: what holds, what is missing, and when each lapses by itself. No ledger here."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.licences.licence import (
    Angle,
    Liability,
    Licence,
    Owner,
    Policy,
    Risk,
    SafeUse,
    Technology,
    Terms,
    angles,
    end_of,
    first_to_lapse,
    lacking,
    stands_until,
    step_reached,
)

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
THEN = date(2026, 9, 1)
HEAD = Owner("Anna Bell", "head", THEN, date(2027, 9, 30), leadership=True)
IT = Owner("Ken Ito", "network manager", THEN, date(2027, 8, 31))
TEACHER = Owner("Tom Reed", "teacher of music", THEN, date(2027, 7, 31))
WHOLE = Licence(
    Policy("Use of text messages", "3", THEN, date(2027, 8, 31)),
    Liability("Governors", THEN, date(2027, 6, 30), (Risk("a wrong number", "checked each term"),)),
    SafeUse((HEAD, IT)),
    Technology("Ken Ito", THEN, date(2027, 5, 31), "the school's safe", ("labelled",)),
)
TERMS = Terms(LONDON, 2, {"following": "0"}, {"labelled": "it is labelled as automated"})


def changed(angle: str, **fields: Any) -> Licence:
    return replace(WHOLE, **{angle: replace(getattr(WHOLE, angle), **fields)})


def owners(*who: Owner) -> Licence:
    return replace(WHOLE, safe_use=SafeUse(who))


def test_a_whole_licence_holds_until_the_first_day_on_which_something_is_looked_at_again_is_over() -> None:
    found = angles(WHOLE, {"following": "0"}, NOW, TERMS)
    assert all(one.holds for one in found.values())
    assert stands_until(found) == end_of(date(2027, 5, 31), LONDON) == datetime(2027, 5, 31, 23, tzinfo=UTC)
    assert first_to_lapse(found) is Angle.TECHNOLOGY
    assert lacking(found) == ""


@pytest.mark.parametrize(
    ("licence", "angle", "says"),
    [
        (replace(WHOLE, policy=None), Angle.POLICY, "no policy"),
        (changed("policy", review=date(2026, 11, 1)), Angle.POLICY, "again by 1 November 2026"),
        (changed("policy", adopted=date(2026, 11, 3)), Angle.POLICY, "adopted only on 3 November 2026"),
        (replace(WHOLE, liability=None), Angle.LIABILITY, "no risk assessment"),
        (changed("liability", risks=()), Angle.LIABILITY, "names no risk"),
        (changed("liability", review=date(2026, 10, 31)), Angle.LIABILITY, "again by 31 October 2026"),
        (replace(WHOLE, safe_use=None), Angle.SAFE_USE, "no owner is named"),
        (owners(HEAD), Angle.SAFE_USE, "one person"),
        (owners(IT, TEACHER), Angle.SAFE_USE, "senior leadership"),
        (owners(HEAD, replace(IT, valid_until=date(2026, 11, 1))), Angle.SAFE_USE, "one person"),
        (owners(replace(HEAD, valid_until=date(2026, 11, 1)), IT, TEACHER), Angle.SAFE_USE, "leadership"),
        (owners(HEAD, replace(IT, trained=date(2026, 11, 3))), Angle.SAFE_USE, "one person"),
        (replace(WHOLE, technology=None), Angle.TECHNOLOGY, "nobody has looked"),
        (changed("technology", assured=()), Angle.TECHNOLOGY, "labelled as automated"),
        (changed("technology", review=date(2026, 11, 1)), Angle.TECHNOLOGY, "again by 1 November 2026"),
    ],
)
def test_each_angle_that_does_not_hold_is_named_with_its_reason(
    licence: Licence, angle: Angle, says: str
) -> None:
    found = angles(licence, None, NOW, TERMS)
    assert [each for each, one in found.items() if not one.holds] == [angle]
    assert says in found[angle].why
    assert stands_until(found) is None
    assert lacking(found).startswith(f"{angle.words}: ")


@pytest.mark.parametrize(
    ("posture", "holds"),
    [(None, True), ({}, True), ({"following": "0"}, True), ({"following": "3"}, False)],
)
def test_an_account_that_follows_somebody_does_not_hold_its_technology(
    posture: dict[str, str] | None, holds: bool
) -> None:
    found = angles(WHOLE, posture, NOW, TERMS)[Angle.TECHNOLOGY]
    assert found.holds is holds
    assert holds or "following: 3" in found.why


def test_a_third_owner_lets_the_training_of_one_run_out() -> None:
    found = angles(owners(HEAD, IT, TEACHER), None, NOW, TERMS)[Angle.SAFE_USE]
    assert found.until == end_of(IT.valid_until, LONDON)
    found = angles(owners(HEAD, IT), None, NOW, replace(TERMS, custodians=1))[Angle.SAFE_USE]
    assert found.until == end_of(HEAD.valid_until, LONDON)


@pytest.mark.parametrize(
    ("day", "utc"),
    [
        (date(2026, 10, 25), datetime(2026, 10, 26, tzinfo=UTC)),  # of 25 hours
        (date(2027, 3, 28), datetime(2027, 3, 28, 23, tzinfo=UTC)),  # of 23
    ],
)
def test_a_day_ends_at_midnight_on_the_schools_own_clock(day: date, utc: datetime) -> None:
    licence = changed("policy", review=day)
    last = angles(licence, None, utc - timedelta(seconds=1), replace(TERMS, asks={}))[Angle.POLICY]
    assert last.holds is (day > THEN)
    assert last.until == utc
    assert not angles(licence, None, utc, TERMS)[Angle.POLICY].holds


_DAYS = st.dates(date(2026, 1, 1), date(2028, 12, 31))
# Trained by now: whoever is trained meanwhile makes it stand for longer than was foreseen.
_TRAINED = st.dates(date(2026, 1, 1), NOW.date())
_OWNERS = st.lists(st.builds(Owner, st.just("A"), st.just("b"), _TRAINED, _DAYS, st.booleans()), max_size=5)


@given(_DAYS, _DAYS, _DAYS, _OWNERS)
def test_a_licence_that_stands_holds_until_its_end_and_not_a_moment_longer(
    policy: date, liability: date, technology: date, who: list[Owner]
) -> None:
    licence = Licence(
        replace(WHOLE.policy, review=policy),  # type: ignore[type-var]
        replace(WHOLE.liability, review=liability),  # type: ignore[type-var]
        SafeUse(tuple(who)),
        replace(WHOLE.technology, review=technology),  # type: ignore[type-var]
    )
    until = stands_until(angles(licence, None, NOW, TERMS))
    if until is None:
        assert lacking(angles(licence, None, NOW, TERMS))
        return
    assert until > NOW
    assert stands_until(angles(licence, None, until - timedelta(microseconds=1), TERMS)) == until
    assert stands_until(angles(licence, None, until, TERMS)) is None


@pytest.mark.parametrize(
    ("left", "step"), [(31, None), (30, 30), (15, 30), (14, 14), (10, 14), (7, 7), (1, 1), (0, 1)]
)
def test_the_last_step_of_warning_that_has_come_is_told(left: int, step: int | None) -> None:
    steps = [timedelta(days=n) for n in (30, 14, 7, 1)]
    found = step_reached(NOW + timedelta(days=left), NOW, steps)
    assert found == (timedelta(days=step) if step else None)
