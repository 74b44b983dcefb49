"""Every way to say no: one tree, one sentence each, one shape."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from datetime import timedelta

import pytest

import broker
from broker import errors
from broker.errors import BrokerError, DeliveryFailure, Problem, RateLimited, RuleBroken, SetupError


def error_classes() -> Iterator[type[Exception]]:
    """Every exception that a module of the law defines."""
    for module in pkgutil.walk_packages(broker.__path__, "broker."):
        if module.name.startswith("broker.testing"):
            continue
        members = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
        for _, found in members:
            if issubclass(found, Exception) and found.__module__ == module.name:
                yield found


ERRORS = sorted(set(error_classes()) - {BrokerError}, key=lambda each: each.__name__)


def test_the_tree_is_found() -> None:
    assert {errors.IllegalTransition, errors.Uncertain, errors.RecordBroken} <= set(ERRORS)
    assert len(ERRORS) > 20


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_is_one_sentence_that_says_when_it_is_raised(error: type[Exception]) -> None:
    first = inspect.cleandoc(error.__dict__["__doc__"]).split("\n\n")[0]
    assert first.startswith(("Raised when ", "Raised at ", "Raised by "))
    assert first.endswith(".")
    assert ". " not in first


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_hangs_on_the_one_tree(error: type[Exception]) -> None:
    assert issubclass(error, BrokerError)


@pytest.mark.parametrize("error", [each for each in ERRORS if issubclass(each, RuleBroken)])
def test_a_broken_rule_carries_its_problem(error: type[RuleBroken]) -> None:
    problem = Problem("code", "field", "what is wrong", "what to do")
    raised = error(problem)
    assert raised.problem == problem
    assert str(raised) == "what is wrong"


@pytest.mark.parametrize("error", [each for each in ERRORS if issubclass(each, DeliveryFailure)])
def test_a_failure_carries_the_providers_code_and_a_sentence(error: type[DeliveryFailure]) -> None:
    raised = error("the number does not exist", code="21211")
    assert (raised.why, raised.code, str(raised)) == ("the number does not exist", "21211", raised.why)


def test_a_failure_is_passing_lasting_or_uncertain_and_never_two_of_them() -> None:
    kinds = (errors.Transient, errors.Permanent, errors.Uncertain)
    for error in ERRORS:
        if issubclass(error, DeliveryFailure) and error is not DeliveryFailure:
            assert sum(issubclass(error, kind) for kind in kinds) == 1


def test_a_rate_limit_may_say_for_how_long() -> None:
    assert RateLimited("slow down").retry_after is None
    assert RateLimited("slow down", retry_after=timedelta(seconds=3)).retry_after == timedelta(seconds=3)


def test_a_setup_error_tells_every_fault_at_once() -> None:
    faults = [Problem("missing", "database_url", "is not set"), Problem("bad", "zone", "is not known")]
    assert str(SetupError(faults)) == "database_url: is not set; zone: is not known"
    assert SetupError(faults[0]).problems == (faults[0],)


def test_a_problem_is_four_fields_of_json() -> None:
    assert Problem("past", "at", "this time is past").as_dict() == {
        "code": "past",
        "field": "at",
        "message": "this time is past",
        "hint": "",
    }
