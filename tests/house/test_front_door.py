"""The front door for plug-in authors."""

from __future__ import annotations

import subprocess
import sys

import carillon


def test_everything_it_promises_is_there():
    assert len(carillon.__all__) == len(set(carillon.__all__))
    assert all(hasattr(carillon, name) for name in carillon.__all__)


def test_importing_it_brings_no_framework_along():
    told = "import sys, carillon; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {
        "aiohttp",
        "celery",
        "fastapi",
        "pydantic",
        "sqlalchemy",
        "twilio",
        "channels",
        "ledger",
    } & set(loaded)
