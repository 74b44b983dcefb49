"""A copy of the tree in a temporary folder, where guards are taken out and tests run. The checkout is never touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.mutants.mutant import Mutant
from tests.mutants.witness import REPORT, ROOT

CHECKOUT = Path(__file__).parents[2]
LEFT_BEHIND = shutil.ignore_patterns(
    ".*", "__pycache__", "build", "*.egg-info", "node_modules", "var", "secrets", "bench"
)
LONGEST = timedelta(minutes=5)  # one run; a mutant may well make something wait for ever


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of tests came to: node id → outcome; and pytest's own words, for when nothing came of it."""

    outcomes: Mapping[str, str]
    said: str


class Copy:
    """One copy, ready to run tests."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def mutated(self, mutant: Mutant) -> Iterator[None]:
        """The guard is out; afterwards it is back. Raises DoesNotFitError."""
        changed = mutant.changed(self.root)
        before = {file: (self.root / file).read_text(encoding="utf-8") for file in changed}
        try:
            for file, source in changed.items():
                self._write(file, source)
            yield
        finally:
            for file, source in before.items():
                self._write(file, source)

    def run(self, tests: Sequence[str], *, sqlite_alone: bool = False) -> Ran:
        """Run tests (file::function) in a process of their own."""
        report = self.root / "witness.json"
        report.unlink(missing_ok=True)
        only = ["-k", "not postgresql", "--without-postgres"] if sqlite_alone else ["--both-databases"]
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.mutants.witness",
            "-p",
            "no:cacheprovider",
            "-q",
        ]
        with tempfile.TemporaryFile("w+") as said:
            # A session of its own, so that a run that hangs goes with all that it started.
            run = subprocess.Popen(
                [*command, *only, *tests],
                cwd=self.root,
                env=os.environ | {"PYTHONPATH": str(self.root), REPORT: str(report), ROOT: str(self.root)},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                run.wait(timeout=LONGEST.total_seconds())
            except subprocess.TimeoutExpired:
                os.killpg(run.pid, 9)
                run.wait()
            said.seek(0)
            words = said.read()
        outcomes = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
        return Ran(outcomes, words)

    def _write(self, file: str, source: str) -> None:
        path = self.root / file
        path.write_text(source, encoding="utf-8")
        # Python tells a stale cache by whole seconds and size: a guard out and back within one would be missed.
        for stale in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            stale.unlink()


@contextmanager
def a_copy() -> Iterator[Copy]:
    """A copy of the checkout, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="carillon-mutants-", dir="/tmp") as folder:
        root = Path(folder) / "carillon"
        shutil.copytree(CHECKOUT, root, ignore=LEFT_BEHIND)
        yield Copy(root)
