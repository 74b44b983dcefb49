"""`python -m bench.profile [texts|mails]`: where a worker's time goes while it sends, by py-spy, from outside.

Only what holds Python's lock is counted: a process sends as fast as that lets it. First by our own parts (the innermost
function of ours on the stack), then by function, whoever wrote it.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from bench.ground import ground
from bench.scenes import CHANNEL_OF, WARM, Sizes, Stage

RATE = 400  # samples a second
SHOWN = 18
OURS = re.compile(r"\((?:broker|ledger|channels|config|workers)/")


def main() -> int:
    """Send, watch, tell."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("what", nargs="?", choices=CHANNEL_OF, default="texts")
    parser.add_argument("--size", type=int, default=30_000)
    told = parser.parse_args()
    stacks = sampled(told.what, told.size)
    if not stacks:
        sys.stderr.write(
            "py-spy saw nothing: it needs the right to trace other processes (root, or ptrace_scope 0)\n"
        )
        return 1
    whole = stacks.total()
    parts, functions = Counter[str](), Counter[str]()
    for stack, count in stacks.items():
        frames = stack.split(";")
        functions[frames[-1]] += count
        parts[next((frame for frame in reversed(frames) if OURS.search(frame)), "(none of ours)")] += count
    for title, counted in (("by our parts", parts), ("by function", functions)):
        print(f"\n{told.what}, {title}")
        for frame, count in counted.most_common(SHOWN):
            print(f"  {count / whole:6.1%}  {frame}")
    return 0


def sampled(what: str, size: int) -> Counter[str]:
    """Stacks, outermost first, and how often each was seen."""
    with (
        ground([WARM, size]) as here,
        tempfile.TemporaryDirectory(prefix="carillon-bench-profile-") as folder,
    ):
        stage = Stage(here, Sizes(0, size, size, 0, 0, 0, 0, 0, (), 0))
        try:
            school, worker, file = here.main, stage.carillon(here.main), Path(folder) / "stacks"
            stage.our_round(school, worker, what, WARM)()
            school.planned(CHANNEL_OF[what], size)
            watching = [
                "py-spy",
                "record",
                "--pid",
                str(worker.pid),
                "--gil",
                "--function",
                "--format",
                "raw",
            ]
            watching += ["--rate", str(RATE), "--duration", "600", "--output", str(file)]
            spy = subprocess.Popen([str(Path(sys.executable).with_name(watching[0])), *watching[1:]])
            worker.play(account=what)
            stage.close()  # py-spy writes when the one it watches has gone
            spy.wait(30)
        finally:
            stage.close()
        lines = file.read_text().splitlines() if file.exists() else []
    found = Counter[str]()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        found[";".join(_short(frame) for frame in stack.split(";"))] += int(count)
    return found


def _short(frame: str) -> str:
    """A frame without the folder that everything of ours, or of others, lies in."""
    root = str(Path(__file__).resolve().parent.parent) + "/"
    return re.sub(r"[^( ]*/(?:site-packages|lib/python3\.\d+)/", "", frame.replace(root, ""))


if __name__ == "__main__":
    sys.exit(main())
