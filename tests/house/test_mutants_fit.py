"""The mutants of `make mutants` still fit the source and the tests they name, so that none rots unseen."""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from tests.mutants.catalogue import MUTANTS
from tests.mutants.copies import CHECKOUT
from tests.mutants.mutant import DoesNotFitError, Edit, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_changes_the_source_as_it_is_today(mutant: Mutant) -> None:
    for file, source in mutant.changed(CHECKOUT).items():
        assert source != (CHECKOUT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_tests_that_a_mutant_must_turn_red_are_there(mutant: Mutant) -> None:
    assert mutant.tests
    for test in (*mutant.tests, *mutant.thorough):
        file, function = test.partition("[")[0].split("::")
        tree = ast.parse((CHECKOUT / file).read_text(encoding="utf-8"))
        functions = {
            node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        }
        assert function in functions, test


def test_each_mutant_has_a_name_of_its_own() -> None:
    assert max(Counter(mutant.name for mutant in MUTANTS).values()) == 1


@pytest.mark.parametrize(
    ("old", "within"),
    [("absent", "f"), ("twice", "f"), ("once", "g"), ("return once", "f")],
    ids=["not there", "there twice", "another function", "no Python any more"],
)
def test_a_change_that_does_not_fit_is_refused(old: str, within: str) -> None:
    source = "def f():\n    twice = twice\n    return once\n"
    with pytest.raises(DoesNotFitError):
        Edit("f.py", within, old, "(").applied(source)


def test_a_change_stays_within_its_function() -> None:
    source = "def f():\n    return 1\n\n\ndef g():\n    return 1\n"
    assert Edit("f.py", "g", "return 1", "return 2").applied(source).count("return 2") == 1
