"""The last run that was kept, bench/last.json, and how this one stands beside it. It never fails a run for a ratio."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.findings import Findings

LAST = Path(__file__).with_name("last.json")


def record(found: Findings, path: Path = LAST) -> None:
    """Keep this run, with its conditions and the spread of every ratio."""
    spread = {
        name: {"lowest": one.ratio.lowest, "highest": one.ratio.highest, "quarters": one.ratio.quarters}
        for name, one in found.comparisons.items()
    }
    kept = {
        "conditions": dict(found.conditions),
        "found": found.as_object(),
        "spread": {name: _rounded(one) for name, one in spread.items()},
        "chosen": dict(found.chosen),
    }
    path.write_text(json.dumps(kept, indent=2) + "\n")


def beside(found: Findings, path: Path) -> Iterator[str]:
    """Each ratio beside the one that was kept, in words; a file that cannot be read is one line too."""
    try:
        kept: dict[str, Any] = json.loads(path.read_text())
        before, when = kept["found"], kept["conditions"]
    except (OSError, ValueError, KeyError, TypeError):
        yield f"{path} holds no run to compare with"
        return
    yield f"beside the run of {when['date']} ({when['run']}, {when['cores']} cores, load {when['load_before']}):"
    now = found.as_object()
    for group in ("ratios", "cpu_ratio"):
        for name, value in now[group].items():
            was = before.get(group, {}).get(name)
            change = f"{value / was - 1:+.0%}" if was else "new"
            yield f"  {group} {name}: {value:g}, then {was if was is not None else '-'} ({change})"


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: [round(each, 3) for each in value] if isinstance(value, tuple) else round(value, 3)
        for name, value in values.items()
    }
