"""A rule as it is told: a number with what it counts, a day as people write it, where it comes from without codes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broker.rules.book import RULES
from web.watch.rules.words import duration, origin, said


@pytest.mark.parametrize(
    ("key", "written", "told"),
    [
        ("adults.smallest", "1", "1 pupil"),
        ("adults.smallest", "0", "none"),
        ("approval.drift_people", "20", "20 people"),
        ("ages.consent", "13 from 2018-05-25", "13 years, from 25 May 2018 on"),
        ("calendar.bank_holidays", "GB-ENG", "England"),
    ],
)
def test_a_value_is_told_as_people_say_it(key: str, written: str, told: str) -> None:
    assert said(key, written) == [told]


@pytest.mark.parametrize(
    ("days", "told"),
    [(30, "30 days"), (365, "365 days (1 year)"), (2557, "2,557 days (7 years)"), (400, "400 days")],
)
def test_years_stand_beside_the_days_that_make_them(days: int, told: str) -> None:
    assert duration(timedelta(days=days)) == told


def test_where_a_rule_comes_from_is_told_without_the_numbers_of_what_was_asked_for() -> None:
    assert origin("R13: open to scrutiny; R20: liability; a bill") == "open to scrutiny; liability; a bill"
    assert (
        origin("R2, R20 (safe use): a text cannot be called back") == "safe use: a text cannot be called back"
    )
    assert origin("R22; the office's number is no secret") == "the office's number is no secret"
    assert not [one.key for one in RULES.values() if not origin(one.source)]
