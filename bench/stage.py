"""The child's end of a player: `python -m bench.stage KIND`, one order a line on stdin, one answer a line on stdout."""

from __future__ import annotations

import importlib
import json
import os
import re
import resource
import sys
import time
from pathlib import Path
from typing import Any, Protocol

import psutil  # type: ignore[import-untyped] # its stubs lag behind it

KINDS = {
    "carillon": "bench.peers.carillon",
    "bare_texts": "bench.peers.bare_texts",
    "bare_mails": "bench.peers.bare_mails",
    "task_each": "bench.peers.task_each",
    "apprise_texts": "bench.peers.apprise_texts",
    "apprise_mails": "bench.peers.apprise_mails",
    "post_office": "bench.peers.post_office",
    "stops": "bench.peers.stops",
    "watchers": "bench.peers.watchers",
    "web": "bench.peers.web",
}


class Peer(Protocol):
    """What a module of `bench.peers` offers: `Peer(**known)`, then rounds."""

    def play(self, **order: Any) -> dict[str, Any]:
        """One round; what it says goes into the answer."""


def main() -> None:
    """Answer until stdin ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is not an answer
    module = importlib.import_module(KINDS[sys.argv[1]])
    peer: Peer = module.Peer(**json.loads(sys.stdin.readline()))
    _answer(answers, {"ready": True})
    for line in sys.stdin:
        began_cpu, began = time.process_time(), time.monotonic()
        told = peer.play(**json.loads(line))
        cost = {"seconds": time.monotonic() - began, "cpu": time.process_time() - began_cpu}
        _answer(answers, {**cost, **told, **_memory()})
    if (close := getattr(peer, "close", None)) is not None:
        close()


def _memory() -> dict[str, float]:
    return {"rss_mb": psutil.Process().memory_info().rss / 2**20, "most_rss_mb": _most_memory() / 2**20}


def _most_memory() -> float:
    """Bytes. Linux keeps getrusage's figure across exec, so a child's would be its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        return float(peak[1]) * 1024 if peak else 0.0
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)  # macOS: bytes


def _answer(where: Any, what: dict[str, Any]) -> None:
    where.write(json.dumps(what) + "\n")
    where.flush()


if __name__ == "__main__":
    main()
