"""What docs/states.md shows of the one state table; `python -m tests.support.states_page` writes it anew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from broker.delivery import EVIDENCE_STATE, STATES, TRANSITIONS, Phase, State, describe, is_settled

PAGE = Path(__file__).parents[2] / "docs" / "states.md"
BEGIN, END = "<!-- generated from broker/delivery.py: begin -->", "<!-- generated: end -->"
PHASES = {Phase.UNSTARTED: "sending, not started", Phase.STARTED: "sending, started"}


def generated() -> str:
    """The tables and the diagram."""
    return "\n".join((BEGIN, "", *_states(), "", *_transitions(), "", *_evidence(), "", *_diagram(), "", END))


def current(page: str) -> str:
    """The page with its generated part made anew."""
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: generated(), page, flags=re.DOTALL)


def _states() -> Iterator[str]:
    yield "| state | shown as | failed | settled |"
    yield "|---|---|---|---|"
    for state, look in STATES.items():
        settled = "unless a look-up is due" if state is State.UNCERTAIN else _tick(is_settled(state, None))
        yield f"| `{state}` | {look.label} | {_tick(look.failed)} | {settled} |"


def _transitions() -> Iterator[str]:
    yield "| from | event → to |"
    yield "|---|---|"
    for (state, phase), events in TRANSITIONS.items():
        steps = " · ".join(f"{event} → `{after}`" for event, after in events.items())
        nothing = "nothing: it absorbs evidence too" if state is State.RETRACTED else "evidence alone"
        yield f"| {PHASES[phase] if phase else state} | {steps or nothing} |"


def _evidence() -> Iterator[str]:
    yield f"| evidence | moves anything but `{State.RETRACTED}` to |"
    yield "|---|---|"
    for evidence, state in EVIDENCE_STATE.items():
        yield f"| {evidence.name.lower()} | `{state}` ({describe(state)}) |"


def _diagram() -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {State.QUEUED}"
    yield f"    state {State.SENDING} {{"
    yield f"        {_node(State.SENDING, Phase.UNSTARTED)} --> {_node(State.SENDING, Phase.STARTED)}: start committed"
    yield "    }"
    for (state, phase), events in TRANSITIONS.items():
        by_end: dict[State, list[str]] = {}
        for event, after in events.items():
            by_end.setdefault(after, []).append(event)
        for after, names in by_end.items():
            end = _node(after, Phase.UNSTARTED if after is State.SENDING else None)
            yield f"    {_node(state, phase)} --> {end}: {', '.join(names)}"
    yield "```"


def _node(state: State, phase: Phase | None) -> str:
    return {Phase.UNSTARTED: "claimed", Phase.STARTED: "started"}[phase] if phase else str(state)


def _tick(yes: bool) -> str:
    return "yes" if yes else ""


if __name__ == "__main__":
    PAGE.write_text(current(PAGE.read_text()))
