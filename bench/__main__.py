"""`python -m bench`, or `make bench`: measure, say, end. docs/performance.md tells what is compared with what."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from bench import api, million, pace, scenes, tell, urgent
from bench.conditions import conditions
from bench.findings import Findings
from bench.ground import ground
from bench.last import LAST, beside, record
from tests.support.servers import CannotBeHadError

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
Part = Callable[[scenes.Stage, Findings], None]


def _texts(stage: scenes.Stage, found: Findings) -> None:
    found.comparisons |= scenes.texts(stage)
    found.ours["sms"] = found.comparisons["sms_vs_bare"].ours


def _mails(stage: scenes.Stage, found: Findings) -> None:
    found.comparisons |= scenes.mails(stage)
    found.ours["email"] = found.comparisons["email_vs_bare"].ours


def _slow_texts(stage: scenes.Stage, found: Findings) -> None:
    found.comparisons |= scenes.slow_texts(stage)


def _memory(stage: scenes.Stage, found: Findings) -> None:
    found.memory = scenes.memory(stage)


def _urgent(stage: scenes.Stage, found: Findings) -> None:
    found.urgent["compose"] = urgent.compose(stage.ground, stage.sizes.urgent)


def _urgent_embedded(stage: scenes.Stage, found: Findings) -> None:
    found.urgent["embedded"] = urgent.embedded(stage.ground, stage.sizes.urgent)


def _pace(stage: scenes.Stage, found: Findings) -> None:
    found.pace = pace.keep(stage.ground)


def _shipped(stage: scenes.Stage, found: Findings) -> None:
    found.throttled = scenes.throttled(stage)


def _million(stage: scenes.Stage, found: Findings) -> None:
    found.million = million.run(stage.ground, stage.sizes.million, lambda line: print(line, file=sys.stderr))


def _api(stage: scenes.Stage, found: Findings) -> None:
    found.api = api.run(stage.ground, stage.sizes.million, lambda line: print(line, file=sys.stderr))


def _counts(stage: scenes.Stage, found: Findings) -> None:
    found.ours |= scenes.counts(stage)


PARTS: dict[str, Part] = {
    "texts": _texts,
    "slow-texts": _slow_texts,
    "mails": _mails,
    "memory": _memory,
    "urgent": _urgent,
    "urgent-embedded": _urgent_embedded,
    "apprise-as-shipped": _shipped,
    "pace": _pace,
    "million": _million,
    "api": _api,
    "counts": _counts,
}
QUICK = ("texts", "slow-texts", "mails", "memory", "urgent")
FULL = (*QUICK, "apprise-as-shipped", "urgent-embedded", "pace", "million", "api")
GATED = ("counts", "memory")


def main() -> int:
    """Run; the exit code says whether it could be run and, where gates are asked for, whether they hold."""
    told = _parser().parse_args()
    console = Console(
        file=sys.stderr if told.json or told.markdown else sys.stdout,
        width=None if sys.stdout.isatty() else 150,
    )
    try:
        found = measure(told, console)
    except CannotBeHadError as missing:
        console.print(str(missing))
        return 1
    tell.show(found, console)
    if told.compare is not None:
        console.print("\n".join(beside(found, told.compare)), highlight=False)
    if told.record:
        record(found)
    if told.page is not None:
        tell.into(told.page, found)
    broken = list(found.broken()) if told.gates else []
    for gate in broken:
        console.print(f"[red]gate: {gate}")
    if told.markdown:
        sys.stdout.write(tell.markdown(found))
    if told.json:
        sys.stdout.write(found.as_json() + "\n")
    return 1 if broken else 0


def measure(told: argparse.Namespace, console: Console) -> Findings:
    """Everything, or what is named."""
    quick = told.quick or (told.gates and not told.only)
    sizes = replace(scenes.QUICK if quick else scenes.FULL, million=told.million)
    parts = told.only or (GATED if told.gates and not told.quick else QUICK if quick else FULL)
    found = Findings(conditions("quick" if quick else "full"))
    began = time.monotonic()
    with ExitStack() as held:
        stage = scenes.Stage(held.enter_context(ground(sizes.groups)), sizes)
        held.callback(stage.close)
        for name in parts:
            console.print(f"[dim]{time.monotonic() - began:5.0f} s  {name}")
            PARTS[name](stage, found)
        found.chosen = stage.chosen
    console.print(f"[dim]{time.monotonic() - began:5.0f} s  done")
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and smaller rounds: under five minutes")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument(
        "--markdown", action="store_true", help="the table for docs/performance.md on standard output"
    )
    parser.add_argument(
        "--page", type=Path, nargs="?", const=PAGE, metavar="FILE", help="put it into docs/performance.md"
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, help="measure these alone")
    parser.add_argument(
        "--gates",
        action="store_true",
        help="fail for counts and memory; without --quick, measure these alone",
    )
    parser.add_argument(
        "--compare",
        type=Path,
        nargs="?",
        const=LAST,
        metavar="FILE",
        help="the ratios beside a run that was kept",
    )
    parser.add_argument(
        "--million", type=int, default=million.SIZE, metavar="SIZE", help="make it a smaller one"
    )
    parser.add_argument("--record", action="store_true", help=f"keep this run as {LAST.name}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
