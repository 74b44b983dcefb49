"""What several rows of a roster say of one person in one group, made one membership."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.rosters.roster import Role, RosterMembership
from ledger.rosters.periods import one_each, the_one

TODAY = date(2026, 3, 2)
DAYS = st.none() | st.dates(date(2025, 9, 1), date(2026, 8, 31))


def row(
    begins: date | None, ends: date | None, role: Role = Role.PUPIL, person: str = "ann"
) -> RosterMembership:
    return RosterMembership("choir", person, role, begins, ends)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(
            [row(date(2026, 1, 5), date(2026, 3, 31)), row(date(2026, 4, 1), date(2026, 7, 20))],
            (date(2026, 1, 5), date(2026, 7, 20)),
            id="touching periods are one",
        ),
        pytest.param(
            [row(date(2025, 9, 1), date(2025, 12, 19)), row(date(2026, 1, 5), None)],
            (date(2026, 1, 5), None),
            id="of two apart the one in force",
        ),
        pytest.param(
            [row(None, date(2025, 12, 19)), row(date(2026, 4, 1), date(2026, 7, 20))],
            (date(2026, 4, 1), date(2026, 7, 20)),
            id="in a gap the next to come",
        ),
        pytest.param(
            [row(None, date(2025, 10, 1)), row(date(2025, 11, 1), date(2025, 12, 1))],
            (date(2025, 11, 1), date(2025, 12, 1)),
            id="when all are past the last",
        ),
        pytest.param([row(None, None), row(TODAY, TODAY)], (None, None), id="an open one holds the rest"),
    ],
)
def test_the_period_that_counts(rows, expected):
    held = the_one(rows, TODAY)
    assert (held.begins_on, held.ends_on) == expected


def test_somebody_who_is_both_in_one_group_is_there_as_a_pupil():
    assert the_one([row(None, None, Role.STAFF), row(None, None)], TODAY).role is Role.PUPIL


@given(st.lists(st.builds(row, DAYS, DAYS, person=st.sampled_from("abc")), max_size=12))
def test_everybody_is_in_it_once_and_in_force_today_if_any_row_says_so(rows):
    rows = [r for r in rows if (r.begins_on or date.min) <= (r.ends_on or date.max)]
    kept = list(one_each(rows, TODAY))
    assert sorted(k.person for k in kept) == sorted({r.person for r in rows})

    def here(held: RosterMembership, day: date) -> bool:
        return (held.begins_on or date.min) <= day <= (held.ends_on or date.max)

    for one in kept:
        own = [r for r in rows if r.person == one.person]
        assert here(one, TODAY) == any(here(r, TODAY) for r in own)
        for day in (TODAY + timedelta(days=n) for n in range(-150, 150, 7)):
            assert not here(one, day) or any(here(r, day) for r in own), "a gap was filled"
