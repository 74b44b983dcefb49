"""A shell in a folder of its own, and a small school that is imported once and copied for each test."""

from __future__ import annotations

import io
import json
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.app import main
from sandbox.sample_school import write_sample_school
from sandbox.settings import ACCOUNT_SID, AUTH_TOKEN

NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing is sent in these tests
SETTINGS = {
    "CARILLON_SANDBOX": "true",
    "CARILLON_OPERATOR": "Mrs Bell",
    "CARILLON_DEPARTMENTS": "office,music",
    "CARILLON_ACCOUNTS__SMS__CHANNEL": "sms",
    "CARILLON_ACCOUNTS__SMS__ACCOUNT_SID": ACCOUNT_SID,
    "CARILLON_ACCOUNTS__SMS__AUTH_TOKEN": AUTH_TOKEN,
    "CARILLON_ACCOUNTS__SMS__SENDER": "+447400123456",
    "CARILLON_ACCOUNTS__SMS__API_BASE_URL": NOWHERE,
    "CARILLON_ACCOUNTS__MAIL__CHANNEL": "email",
    "CARILLON_ACCOUNTS__MAIL__HOST": "127.0.0.1",
    "CARILLON_ACCOUNTS__MAIL__PORT": "9",
    "CARILLON_ACCOUNTS__MAIL__SECURITY": "none",
    "CARILLON_ACCOUNTS__MAIL__SENDER": "office@stcecilias.example.org",
    "CARILLON_ACCOUNTS__MAIL__REPLY_TO": "office@stcecilias.example.org",
}


@dataclass(frozen=True)
class Ran:
    """What one command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The last line of the answer."""
        return json.loads(self.out.splitlines()[-1])

    @property
    def error(self) -> dict[str, str]:
        """The error, when there is one."""
        found: dict[str, str] = self.json["error"]
        return found


Shell = Callable[..., Ran]


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Shell]:
    """Runs `carillon` in an empty folder, with a school's settings and accounts that reach nobody."""
    for name in [name for name in os.environ if name.startswith("CARILLON_")]:
        monkeypatch.delenv(name)
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    handlers = logging.getLogger().handlers[:]

    def run(*argv: str, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capsys.readouterr()
        code = main(argv)
        told = capsys.readouterr()
        return Ran(code, told.out, told.err)

    yield run
    logging.captureWarnings(False)
    logging.getLogger().handlers[:] = handlers


@pytest.fixture(scope="session")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a sample school in it, made by the command itself; for copying."""
    folder = tmp_path_factory.mktemp("imported")
    write_sample_school(folder / "school", pupils=60)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        patch.chdir(folder)
        handlers = logging.getLogger().handlers[:]
        assert main(["people", "import", "school", "--yes", "--json"]) == 0
        logging.captureWarnings(False)
        logging.getLogger().handlers[:] = handlers
    return folder


@pytest.fixture
def school(shell: Shell, imported: Path, tmp_path: Path) -> Shell:
    """The shell, with the sample school in the ledger."""
    shutil.copytree(imported / "var", tmp_path / "var")
    return shell
