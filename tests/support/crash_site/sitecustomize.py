"""Put first on PYTHONPATH by a crash test: it reaches every Python that the test starts, and what those start."""

from __future__ import annotations

import os

if "CRASH_ORDERS" in os.environ:
    from tests.support.crash_seams import arm

    arm(os.environ["CRASH_ORDERS"])
