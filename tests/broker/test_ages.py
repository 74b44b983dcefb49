"""How old somebody is, how old at most, and which limit counts on which day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.announcement import Purpose, Urgency
from broker.consent.ages import age_on, is_under, latest_birth, limit_on, limits_of
from broker.errors import RuleRefused
from broker.policy import Allow, Case, Cover, Refuse
from broker.rules.ages import CHANNELS, old_enough
from broker.rules.book import RULES, rules_of

DAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(2013, 11, 22), DAY, 13),
        (date(2013, 11, 23), DAY, 12),
        (date(2012, 2, 29), date(2025, 2, 28), 12),
        (date(2012, 2, 29), date(2025, 3, 1), 13),
    ],
)
def test_an_age_is_whole_years(born: date, day: date, age: int) -> None:
    assert age_on(born, day) == age


def test_a_year_group_is_as_old_as_its_youngest() -> None:
    assert latest_birth("7", DAY) == date(2015, 8, 31)
    assert latest_birth("7", date(2027, 8, 31)) == date(2015, 8, 31)
    assert latest_birth("7", date(2027, 9, 1)) == date(2016, 8, 31)
    assert latest_birth("R", DAY) == date(2022, 8, 31)
    assert not is_under(13, None, "9", DAY)
    assert is_under(13, None, "8", DAY)


@pytest.mark.parametrize("year", ["", "Sixth form", "7B", "100"])
def test_whose_age_nobody_knows_may_be_under_any(year: str) -> None:
    assert is_under(13, None, year, DAY)


def test_a_birth_date_counts_before_the_year_group() -> None:
    assert not is_under(13, date(2010, 1, 1), "7", DAY)


def test_a_limit_counts_from_its_day_on_for_its_channel() -> None:
    limits = limits_of(
        ("whatsapp 13 from 2024-04-11", "whatsapp 16 from 2027-01-01", "sms 8 from 2020-01-01")
    )
    assert limit_on(limits, "whatsapp", date(2024, 4, 10)) is None
    assert limit_on(limits, "whatsapp", DAY) == 13
    assert limit_on(limits, "whatsapp", date(2027, 1, 1)) == 16
    assert limit_on(limits, "email", DAY) is None
    assert limit_on(limits_of(("13 from 2018-05-25",)), "email", DAY) == 13


@pytest.mark.parametrize(
    "written", ["whatsapp", "whatsapp thirteen", "sms 13 from 2024-02-30", "sms 13 from now", "13"]
)
def test_a_limit_that_cannot_be_read_is_refused_and_the_old_one_stays(written: str) -> None:
    with pytest.raises(RuleRefused):
        RULES[CHANNELS].read(written)


@given(
    st.dates(date(1990, 1, 1), date(2030, 1, 1)),
    st.dates(date(2020, 1, 1), date(2060, 1, 1)),
    st.integers(1, 18),
)
def test_nobody_becomes_under_age_again(born: date, day: date, limit: int) -> None:
    if not is_under(limit, born, "", day):
        assert not is_under(limit, born, "", date(day.year + 1, day.month, min(day.day, 28)))


@pytest.mark.parametrize(
    ("zone", "answer"),
    [("Europe/London", Allow), ("America/New_York", Refuse), ("Pacific/Auckland", Allow)],
)
def test_a_birthday_begins_at_the_schools_midnight(zone: str, answer: type) -> None:
    now = datetime(2026, 11, 22, 2, tzinfo=UTC)
    case = Case(
        now, "whatsapp", "chats", Purpose.SERVICE, Urgency.ROUTINE, now, now + timedelta(days=1),
        covers=(Cover(1, 1, "Ann", own=True, born=date(2013, 11, 22)),),
        rules=rules_of({CHANNELS: "whatsapp 13 from 2024-04-11"}), zone=zone,
    )  # fmt: skip
    assert isinstance(old_enough(case), answer)
