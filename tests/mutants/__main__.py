"""`python -m tests.mutants [--sample] [--json] [--only NAME …]`: take out one guard after the other (make mutants).

Each named test is green on an unchanged copy, and must go red, by an assertion of its own, on a copy without the guard.
Exit 0 only if every mutant that was tried is caught.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from tests.mutants.catalogue import MUTANTS
from tests.mutants.copies import Copy, Ran, a_copy
from tests.mutants.mutant import DoesNotFitError, Mutant

LAST_WORDS = 15  # lines of pytest's that are shown when something is not as it should be


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant; `why` tells what was amiss when it was not caught."""

    mutant: Mutant
    caught: bool
    why: str
    seconds: float


def main(argv: Sequence[str] | None = None) -> int:
    """Try them, tell, end."""
    told = _arguments().parse_args(argv)
    console = Console(file=sys.stderr if told.json else sys.stdout, soft_wrap=True)
    chosen = [m for m in MUTANTS if (m.name in told.only if told.only else m.quick or not told.sample)]
    with a_copy() as copy:
        if (green := _unchanged(copy, chosen, console, sample=told.sample)) is not None:
            console.print(f"the tests fail on the unchanged copy already:\n{green}", markup=False)
            return 1
        verdicts = []
        for mutant in chosen:
            verdicts.append(verdict := _tried(copy, mutant, sample=told.sample))
            word = "caught" if verdict.caught else f"SURVIVED: {verdict.why}"
            console.print(f"{verdict.seconds:5.1f} s  {mutant.name}: {word}", markup=False)
    console.print(_table(verdicts))
    if told.json:
        fates = {v.mutant.name: "caught" if v.caught else "survived" for v in verdicts}
        sys.stdout.write(json.dumps({"mutants": fates}) + "\n")
    return 0 if all(v.caught for v in verdicts) else 1


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--sample", action="store_true", help="the quick ones, on SQLite: within a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", choices=[m.name for m in MUTANTS], help="these alone"
    )
    return parser


def _tests_for(mutant: Mutant, *, sample: bool) -> Sequence[str]:
    return mutant.tests if sample else (*mutant.tests, *mutant.thorough)


def _unchanged(copy: Copy, chosen: Iterable[Mutant], console: Console, *, sample: bool) -> str | None:
    """None when every test is green on the unchanged copy, else what pytest says."""
    tests = sorted({test for mutant in chosen for test in _tests_for(mutant, sample=sample)})
    began = time.monotonic()
    ran = copy.run(tests, sqlite_alone=sample)
    if _missing(ran, tests) or not set(ran.outcomes.values()) <= {"passed"}:
        return _last_words(ran)
    console.print(f"{time.monotonic() - began:5.1f} s  unchanged: {len(ran.outcomes)} tests are green")
    return None


def _tried(copy: Copy, mutant: Mutant, *, sample: bool) -> Verdict:
    began = time.monotonic()
    tests = _tests_for(mutant, sample=sample)
    try:
        with copy.mutated(mutant):
            ran = copy.run(tests, sqlite_alone=sample)
        why = _amiss(ran, tests)
    except DoesNotFitError as error:
        why = str(error)
    return Verdict(mutant, not why, why, time.monotonic() - began)


def _amiss(ran: Ran, tests: Sequence[str]) -> str:
    """Why this is not caught: a test that is green, or red for another reason than an assertion; "" when it is."""
    if missing := _missing(ran, tests):
        return f"{missing[0]} did not run\n{_last_words(ran)}"
    wrong = {test: outcome for test, outcome in ran.outcomes.items() if outcome != "assertion"}
    return "; ".join(f"{test} {outcome}" for test, outcome in wrong.items())


def _missing(ran: Ran, tests: Iterable[str]) -> list[str]:
    return [test for test in tests if not any(of == test or of.startswith(f"{test}[") for of in ran.outcomes)]


def _last_words(ran: Ran) -> str:
    return "\n".join(ran.said.splitlines()[-LAST_WORDS:])


def _table(verdicts: Sequence[Verdict]) -> Table:
    table = Table()
    for heading, wraps in (("mutant", False), ("the guard it takes out", True), ("verdict", False)):
        table.add_column(heading, no_wrap=not wraps)
    for verdict in verdicts:
        fate = "caught" if verdict.caught else "SURVIVED"
        table.add_row(verdict.mutant.name, verdict.mutant.guard, fate)
    return table


if __name__ == "__main__":
    sys.exit(main())
