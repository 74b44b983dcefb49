"""`python -m bench [--quick] [--json] [--only NAME …]`: measure, say, end."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from rich.console import Console

from bench import scenes
from bench.compare import Comparison
from bench.ground import ground
from bench.tell import Findings
from tests.support.servers import CannotBeHadError

COMPARISONS: dict[str, Callable[[scenes.Stage], Comparison]] = {
    "sms_vs_bare": scenes.texts,
    "email_vs_bare": scenes.mails,
    "sms_vs_bare_50ms": scenes.slow_texts,
    "sms_embedded_vs_bare": scenes.embedded_texts,
    "sms_vs_task_each": scenes.task_each,
}
MEASURES = ("memory", "planning")


def main() -> int:
    """Run; the exit code says only whether it could be run."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and smaller rounds: under five minutes")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--only", nargs="+", choices=[*COMPARISONS, *MEASURES], help="measure these alone")
    told = parser.parse_args()
    console = Console(file=sys.stderr if told.json else sys.stdout)
    try:
        findings = measure(scenes.QUICK if told.quick else scenes.FULL, told.only, console)
    except CannotBeHadError as missing:
        console.print(str(missing))
        return 1
    findings.show(console)
    if told.json:
        sys.stdout.write(findings.as_json() + "\n")
    return 0


def measure(sizes: scenes.Sizes, only: list[str] | None, console: Console) -> Findings:
    """Everything, or what is named."""
    findings, began = Findings(), time.monotonic()

    def say(what: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:5.0f} s  {what}")

    with ground(sizes.groups) as here:
        stage = scenes.Stage(here, sizes)
        try:
            for name, compare in COMPARISONS.items():
                if only is None or name in only:
                    say(name)
                    findings.comparisons[name] = compare(stage)
            if only is None or "planning" in only:
                say("planning")
                findings.planning = scenes.planning(stage)
            if only is None or "memory" in only:
                say("memory")
                findings.memory = scenes.memory(stage)
        finally:
            stage.close()
    say("done")
    return findings


if __name__ == "__main__":
    sys.exit(main())
