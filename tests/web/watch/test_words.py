"""Plain words: a sentence of the law as a page says it."""

from __future__ import annotations

import pytest

from web.watch.words import spoken


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("adopted: 2026-09-01", "Adopted: 1 Sep 2026"),
        ("version: 2026-09", "Version: 2026-09"),
        ("no day: 2026-02-31", "No day: 2026-02-31"),
        ("nobody answers for it (R20, R21)", "Nobody answers for it"),
    ],
)
def test_a_sentence_has_a_capital_days_as_people_write_them_and_no_numbers_of_the_requirement(
    told: str, said: str
) -> None:
    assert spoken(told) == said
