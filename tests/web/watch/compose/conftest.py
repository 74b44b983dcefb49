"""A school that writes, and somebody at the form."""

from __future__ import annotations

import pytest

from tests.support.watching import Serve, Watched
from tests.support.writing import Writer, writing_school


@pytest.fixture
def here(serve: Serve) -> Watched:
    """Texts, mails and a feed; Year 7 with three families."""
    return writing_school(serve)


@pytest.fixture
def writer(here: Watched) -> Writer:
    """At the form."""
    return Writer(here).open()
