"""A pytest plugin for runs on a mutant's copy: writes down what each test came to, and by what kind of failure.

Hypothesis is told to stop at the first failure: which example is smallest does not matter here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings

REPORT, ROOT = "CARILLON_MUTANT_REPORT", "CARILLON_MUTANT_ROOT"
RIGHT = (AssertionError, pytest.fail.Exception)

told: dict[str, str] = {}  # node id → passed, skipped, assertion, or the error that it broke on


def pytest_sessionstart() -> None:
    """Look that the copy is what is tested, and not what is installed."""
    import broker

    root = Path(os.environ[ROOT]).resolve()
    assert broker.__file__ is not None
    if not Path(broker.__file__).resolve().is_relative_to(root):
        raise pytest.UsageError(f"broker was imported from {broker.__file__} and not from the copy")


def pytest_collection_finish() -> None:
    """After conftest has loaded its own profile."""
    settings.register_profile(
        "mutant",
        settings.get_profile("carillon"),
        phases=(Phase.explicit, Phase.generate),
        database=None,
        report_multiple_bugs=False,
    )
    settings.load_profile("mutant")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What each test came to; a failure outside the test itself is no assertion of its own."""
    report = yield
    if report.failed:
        assert call.excinfo is not None
        right = report.when == "call" and _is_assertion(call.excinfo.value)
        told[item.nodeid] = "assertion" if right else f"{report.when}: {call.excinfo.typename}"
    elif report.when == "call" or report.skipped:
        told.setdefault(item.nodeid, report.outcome)
    return report


def pytest_sessionfinish() -> None:
    """Hand it over."""
    Path(os.environ[REPORT]).write_text(json.dumps(told), encoding="utf-8")


def _is_assertion(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_is_assertion(each) for each in error.exceptions)
    return isinstance(error, RIGHT) and not str(error).startswith("Timeout")
