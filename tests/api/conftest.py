"""A school with the API open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import Calling, a_school


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calling]:
    """One for a module of tests, on SQLite."""
    home: Path = tmp_path_factory.mktemp("api")
    with a_school(f"sqlite:///{home / 'carillon.sqlite3'}", home) as calling:
        yield calling
