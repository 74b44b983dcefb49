"""A school without anybody yet, and its office at the pages of imports."""

from __future__ import annotations

import pytest

from tests.support.importing import Office
from tests.support.watching import Serve


@pytest.fixture
def office(serve: Serve) -> Office:
    here = serve(CARILLON_DEPARTMENTS="office,music")
    here.sign_in()
    return Office(here)
