"""docs/states.md shows the one state table as it is."""

from __future__ import annotations

from tests.support.states_page import PAGE, current


def test_the_page_of_states_is_current() -> None:
    page = PAGE.read_text()
    assert page == current(page), "run: python -m tests.support.states_page"
