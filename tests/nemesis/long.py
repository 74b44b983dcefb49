"""Seeds added up: each run once, kept in a file when it is done, until there are enough of every fault."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ENOUGH = {"deliveries": 10_000, "sigkill": 1_000, "database": 100, "redis": 30, "provider": 2_000}


def main(kept: Path, asked: argparse.Namespace) -> int:
    """Go on with the seeds that are not in the file; 0 when enough is reached or this time's seeds all held."""
    done: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    seed, left = asked.seed, asked.seeds
    while not enough(totals(done)) and left:
        if str(seed) not in done:
            result = _one(seed, asked)
            if result is None:
                print(f"seed {seed} did not hold; it is run again next time", file=sys.stderr)
                _tell(done)
                return 1
            done[str(seed)] = result
            draft = kept.with_suffix(".new")
            draft.write_text(json.dumps(done, indent=1))
            draft.replace(kept)
            left -= 1
            _tell(done)
        seed += 1
    _tell(done)
    return 0


def totals(done: Mapping[str, Any]) -> dict[str, int]:
    """Everything added up."""
    names = (*ENOUGH, "lost", "doubled", "uncertain_sms", "uncertain_twitter", "uncertain_email")
    summed: Counter[str] = Counter(dict.fromkeys(names, 0))
    for one in done.values():
        summed.update({name: one[name] for name in ("deliveries", "lost", "doubled")})
        summed.update(one["faults"])
        summed.update({f"uncertain_{channel}": n for channel, n in one["uncertain_left"].items()})
    return dict(summed)


def enough(summed: Mapping[str, int]) -> bool:
    """Whether the long totals are reached."""
    return all(summed[name] >= least for name, least in ENOUGH.items())


def _one(seed: int, asked: argparse.Namespace) -> dict[str, Any] | None:
    """One seed in a process of its own; None when it did not hold."""
    flags = ["--seed", str(seed), "--minutes", str(asked.minutes), "--json"]
    flags += ["--without-clock"] if asked.without_clock else []
    ran = subprocess.run(
        [sys.executable, "-m", "tests.nemesis", *flags], stdout=subprocess.PIPE, text=True, check=False
    )
    return json.loads(ran.stdout.splitlines()[-1]) if ran.returncode == 0 else None


def _tell(done: Mapping[str, Any]) -> None:
    summed = totals(done)
    slowest = max((one["seconds_to_settled"] for one in done.values()), default=0.0)
    told = {"seeds": len(done), **summed, "slowest_to_settle": slowest, "enough": enough(summed)}
    print(json.dumps(told), flush=True)
