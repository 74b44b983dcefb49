"""A configuration on its own: no .env, no secrets folder, and a plug-in channel to have accounts of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.bell import PLUGIN, install_plugin


@pytest.fixture
def bell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The bell channel, installed; gives the file where its truth goes."""
    monkeypatch.syspath_prepend(install_plugin(tmp_path / "site", PLUGIN))
    return tmp_path / "truth"
