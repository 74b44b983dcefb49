"""`carillon announce --dry-run`, told: what would go to whom, and who is not reached."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from broker import judging
from broker.duty import FOR_ANYBODY
from broker.money import written
from broker.office.reach import Way as Reach
from broker.policy import Allow, Hold, Verdict
from cli import show
from cli.held import besides_as_told, held_as_told
from config.rehearsal import Cost, Rehearsal, Way

MOST_NAMED = 500
OPTED_OUT = "opted_out"


def show_rehearsal(found: Rehearsal, *, json: bool) -> None:
    """A dry run for people, or as one JSON object."""
    if json:
        show.as_json(_as_told(found))
        return
    reach = found.reach
    due = show.wall(found.rehearsed.due_at, found.zone)
    show.say(f"This is about {show.many(reach.people, 'person', 'people')}, due {due}:")
    for channel, way in found.ways.items():
        count = reach.ways.get(channel)
        told = _told(count.addresses, count.people) if count else "the public"
        stopped = count.refused.get(OPTED_OUT, 0) if count else 0
        refused = f"; {stopped} asked for no more messages" if stopped else ""
        opens = _opens(found, channel)
        show.say(
            "", f"{opens}{channel} ({way.account}): {told}{refused}. {_in_words(way.verdict, found.zone)}"
        )
        show.say(
            f"  an example, to {way.example}{', in ' + show.many(way.parts, 'part') if way.parts > 1 else ''}:"
        )
        for name, words in way.rendering.items():
            show.say(*(f"  | {show.plain(line)}" for line in f"{name}: {words}".splitlines()))
        if way.cost is not None:
            show.say(f"  cost: {_cost_in_words(way.cost)}")
        show.say(*(f"  note: {show.plain(note)}" for note in way.notes))
    lost = len(reach.untold)
    nobody = f"{show.many(lost, 'person is', 'people are')} not reached:"
    show.say("", nobody if lost else f"{FOR_ANYBODY}." if reach.for_anybody else "Everybody is reached.")
    if lost:
        show.table(("who", "why"), [(who.name, who.why) for who in reach.untold[:MOST_NAMED]])
    if lost > MOST_NAMED:
        show.hint(f"and {lost - MOST_NAMED:,} more: carillon reach lists them all")
    show.hint("nothing was kept")


def _opens(found: Rehearsal, channel: str) -> str:
    """When a later way opens, as somebody would say it; nothing for the first ones."""
    draft = found.rehearsed.draft
    place = next(place for place, step in enumerate(draft.ways) if channel in step.channels)
    if not place or draft.ladder is None:
        return ""
    opening = draft.ladder.openings[place - 1]
    at = opening.by(found.rehearsed.due_at)
    late = f", and {show.wall(at, found.zone)} at the latest" if at else ""
    return f"for whom that fails{late}, at most: "


def _told(addresses: int, people: int) -> str:
    return f"{show.many(addresses, 'address', 'addresses')}, telling {show.many(people, 'person', 'people')}"


def _as_told(found: Rehearsal) -> dict[str, Any]:
    rehearsed, reach = found.rehearsed, found.reach
    return {
        "dry_run": True,
        "due_at": rehearsed.due_at,
        "expires_at": rehearsed.expires_at,
        "people": reach.people,
        "unreached": len(reach.untold),
        "counted": rehearsed.counted,
        "held": held_as_told(rehearsed.hold),
        "cost": _whole_cost(found),
        "verdicts": [_verdict_as_told(channel, way) for channel, way in found.ways.items()],
        "named": [{"name": who.name, "why": who.why} for who in reach.untold[:MOST_NAMED]],
        "channels": {
            channel: {"reach": _reach_as_told(reach.ways.get(channel)), **_way_as_told(way)}
            for channel, way in found.ways.items()
        },
    }


def _reach_as_told(count: Reach | None) -> dict[str, int] | None:
    if count is None:
        return None
    stopped = count.refused.get(OPTED_OUT, 0)
    return {"addresses": count.addresses, "people": count.people, "opted_out": stopped}


def _way_as_told(way: Way) -> dict[str, Any]:
    return {
        "account": way.account,
        "example": {"to": way.example, **way.rendering},
        "segments": way.parts,
        "cost": None if way.cost is None else {**asdict(way.cost), "total": way.cost.total},
        "notes": list(way.notes),
        "verdict": _in_words(way.verdict),
    }


def _verdict_as_told(channel: str, way: Way) -> dict[str, Any]:
    verdict = way.verdict
    return {
        "channel": channel,
        "account": way.account,
        "answer": judging.answer_of(verdict),
        "code": verdict.code,
        "why": verdict.why,
        "until": verdict.until if isinstance(verdict, Hold) else None,
        "besides": besides_as_told(verdict),
        "evidence": dict(verdict.evidence),
    }


def _whole_cost(found: Rehearsal) -> dict[str, Any] | None:
    costs = [way.cost for way in found.ways.values() if way.cost is not None]
    if not costs:
        return None
    return {"total": sum(cost.total for cost in costs), "currency": costs[0].currency, "left": costs[0].left}


def _cost_in_words(cost: Cost) -> str:
    said = f"{cost.messages:,} × {written(cost.unit, cost.currency)} = {written(cost.total, cost.currency)}"
    if cost.left is None:
        return said
    return f"{said}; {written(cost.left, cost.currency)} is left of this month's budget"


def _in_words(verdict: Verdict, zone: ZoneInfo | None = None) -> str:
    """A verdict as a sentence."""
    if isinstance(verdict, Allow):
        return f"The rules allow it; {verdict.why}." if verdict.why else "The rules allow it."
    if isinstance(verdict, Hold):
        until = f" until {show.wall(verdict.until, zone)}" if zone else ""
        return f"It would wait{until}: {verdict.told}."
    return f"It would not go: {verdict.why}."
