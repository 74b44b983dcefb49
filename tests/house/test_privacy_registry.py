"""No table and no column is forgotten: what each holds of anybody stands in one registry, and so in docs/privacy.md."""

from __future__ import annotations

import pytest

from broker.privacy.keeping import BY_AGE
from broker.rules.book import RULES
from broker.rules.keeping import Kept
from ledger import tables as t
from ledger.privacy.registry import PERSONAL, REGISTRY, Erasure, Kind, Whose
from tests.support.privacy_page import PAGE, current

TABLES = t.metadata.tables


def test_every_column_of_every_table_says_what_it_holds() -> None:
    """A new one fails here: say in ledger/privacy/registry what it holds of anybody, how long, how it is erased."""
    there = {f"{name}.{column.name}" for name, table in TABLES.items() for column in table.c}
    told = {f"{name}.{column}" for name, held in REGISTRY.items() for column in held.columns}
    assert (sorted(there - told), sorted(told - there)) == ([], [])


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_whatever_holds_something_of_somebody_says_what_becomes_of_it(name: str) -> None:
    held = REGISTRY[name]
    personal = {column for column, kind in held.columns.items() if kind in PERSONAL}
    if held.erasure is Erasure.NOTHING:
        assert not {Kind.NAME, Kind.ADDRESS, Kind.KNOWN_AS, Kind.WORDS, Kind.WRITTEN} & set(
            held.columns.values()
        )
    if held.erasure is Erasure.STANDS:
        assert held.because
    if held.erasure is Erasure.GONE:
        assert held.theirs
    if held.erasure is Erasure.EMPTIED:
        # All that is personal is emptied, but what says nothing any more beside what is.
        left = personal - held.emptied.keys() - {c for c, k in held.columns.items() if k is Kind.OPERATOR}
        assert left == set()
        assert held.theirs
    if held.erasure is Erasure.STRUCK:
        assert held.typed


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_what_the_registry_names_is_there(name: str) -> None:
    held, columns = REGISTRY[name], TABLES[name].c
    assert {*held.theirs, *held.shown, *held.emptied} <= set(columns.keys())
    assert held.aged is None or isinstance(columns[held.aged].type, t.Moment)
    assert all(isinstance(whose, Whose) for whose in held.theirs.values())
    if held.aged is not None:
        assert len(TABLES[name].primary_key) == 1
        assert held.kept.rule


def test_whatever_goes_by_its_own_age_is_some_chore_of_the_night() -> None:
    assert {held.kept for held in REGISTRY.values() if held.aged} == set(BY_AGE.values())


def test_every_length_is_a_rule_of_the_book() -> None:
    assert {kept.rule for kept in Kept if kept.rule} <= set(RULES)


def test_the_page_of_privacy_is_current() -> None:
    page = PAGE.read_text()
    assert page == current(page), "run: python -m tests.support.privacy_page"
