"""The nemesis: `python -m tests.nemesis --seed N --minutes 3 --json` (make nemesis, make nemesis-long).

Real processes on a real PostgreSQL and Redis, with the sandbox as the only truth; kills, database and Redis faults and
provider faults drawn from the seed; then rest, and a verdict. See docs/reliability.md. Exit 0 only if everything holds;
1 when something does not, which is said in words, with the folder that keeps logs and truth; 2 when there was no run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from tests.nemesis import long
from tests.nemesis.run import run
from tests.support.servers import CannotBeHadError

KEPT = Path("build/nemesis")


def main(argv: Sequence[str] | None = None) -> int:
    """One seed, or with --long as many as are lacking."""
    asked = _parser().parse_args(argv)
    KEPT.mkdir(parents=True, exist_ok=True)
    if asked.long:
        return long.main(KEPT / "long.json", asked)
    folder = Path(tempfile.mkdtemp(prefix=f"seed-{asked.seed}-", dir=KEPT.resolve()))
    try:
        outcome = run(
            folder,
            asked.seed,
            timedelta(minutes=asked.minutes),
            beyond=asked.beyond_grace,
            with_clock=not asked.without_clock,
        )
    except (CannotBeHadError, KeyboardInterrupt) as reason:
        shutil.rmtree(folder, ignore_errors=True)
        print(str(reason) or "interrupted", file=sys.stderr)
        return 2
    for fault in outcome.wrong:
        print(f"seed {asked.seed}: {fault}", file=sys.stderr)
    if outcome.wrong or asked.keep:
        print(f"seed {asked.seed}: its logs and truth are in {folder}", file=sys.stderr)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    if asked.json:
        print(json.dumps(outcome.told), flush=True)
    else:
        for name, value in outcome.told.items():
            print(f"{name}: {value}")
    return 1 if outcome.wrong else 0


def _parser() -> argparse.ArgumentParser:
    flags = argparse.ArgumentParser("python -m tests.nemesis", description="Hurt everything, then judge.")
    flags.add_argument("--seed", type=int, default=1)
    flags.add_argument("--minutes", type=float, default=3.0, help="how long the faults last")
    flags.add_argument("--json", action="store_true", help="the result as one line of JSON")
    flags.add_argument(
        "--beyond-grace",
        action="store_true",
        help="texts accepted later than the grace too: doubled ones are told",
    )
    flags.add_argument(
        "--without-clock", action="store_true", help="no jumping clock, which needs a C compiler"
    )
    flags.add_argument("--keep", action="store_true", help="keep the folder of a run that held")
    flags.add_argument("--long", action="store_true", help="add seeds up until the long totals are reached")
    flags.add_argument("--seeds", type=int, default=1000, help="with --long: at most so many seeds this time")
    return flags


if __name__ == "__main__":
    sys.exit(main())
