"""What the record tells of the ledger's rows, so that a row changed behind its back is found: pure.

The record has every move of a delivery and the digest of every announcement as it was kept. Folded in the order of the
entries they say how each row must stand. `COVERED` says in plain words which columns that is; docs/record.md shows it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, NamedTuple

from broker.actor import Actor
from broker.announcement import Announcement
from broker.delivery import Event, Phase, State, step
from broker.errors import IllegalTransition
from broker.ports.approvals import Binding, Decided
from broker.record import Entry

COVERED: Mapping[str, str] = {
    "record_entry": "kind, at, announcement_id (against the sealed bytes of the entry)",
    "announcement": "actor_kind, actor_id, purpose, urgency, audience, people, ways, expires_at, withdrawn_at,"
    " fanned_out_at (whether the last two are set)",
    "content": "language, part, text of every version, until the wording is pruned",
    "content_attachment": "name, sha256 of every version",
    "delivery": "that it is there; state; code once it is settled; settled_by",
    "attempt": "that it is there; delivery_id; outcome",
    "approval": "decision, by, bound of the one that stands",
    "verdict": "account, rules_version, answer, code of every one",
    "schedule": "what it says, to whom, by which ways and with which files; approved_by; whether it has ended",
    "reminder_rule": "what it says, to whom and by which ways; approved_by; whether it is retired",
    "account": "paused_at (whether it is set)",
    "switch": "kind, subject of those that are off",
    "budget": "amount",
    "rules": "version, body of the newest",
    "operator": "name, folded_name of those who are there",
    "operator_role": "role",
    "licence_version": "body, specimen of every version",
    "licence": "version; stands_until, which may not lie beyond the days that are settled",
    "head_holder": "name",
}
_OPEN = frozenset({State.QUEUED, State.SENDING})


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not agree: where, as `delivery 17`, and what, in a sentence."""

    where: str
    what: str


class Stands(NamedTuple):
    """How a delivery must stand; what is None nobody told. Many share one: nearly all of a window end alike."""

    announcement: int
    state: State
    code: str | None = None
    settled_by: str | None = None


Judged = tuple[str, int, str, str]  # what the rules said: by which account, under which version, answer, code
Standing = tuple[str, str, str]  # a second person's answer that stands: which, whose, what it binds


@dataclass(slots=True)
class AnnouncementTold:
    """How an announcement must stand. `kept` is the digest of its rows, None for one from before there was any."""

    actor: tuple[str, str, str | None] | None = None  # kind, name, on whose behalf
    kept: str | None = None
    wording: str | None = None
    reworded: dict[int, str] = field(default_factory=dict)  # version → digest, of every later one
    struck: bool = False  # somebody was taken out of its words, and nobody said what later versions became
    decided: Standing | None = None
    judged: list[Judged] = field(default_factory=list)
    withdrawn: bool = False
    planned: bool = False


@dataclass(slots=True)
class Story:
    """What entries tell, in the order in which they are heard."""

    announcements: dict[int, AnnouncementTold] = field(default_factory=dict)
    deliveries: dict[int, Stands] = field(default_factory=dict)
    attempts: dict[int, tuple[int, str]] = field(default_factory=dict)  # → (delivery, what it came to)
    transitions: int = 0

    def hear(self, body: Mapping[str, Any]) -> None:
        """One entry about an announcement. Raises KeyError, TypeError or ValueError for what Carillon never wrote."""
        listens = _LISTENS.get(body["kind"])
        if listens is not None:
            listens(self, body["announcement"], body["facts"], body["actor"])

    def move(self, delivery: int, stands: Stands) -> None:
        """A delivery came to stand there."""
        self.transitions += 1
        self.deliveries[delivery] = stands

    def of(self, announcement: int) -> AnnouncementTold:
        """What is told of an announcement itself."""
        return self.announcements.setdefault(announcement, AnnouncementTold())


def kept_digest(announcement: Announcement) -> str:
    """What an accepted announcement is, whatever becomes of it: its row must give this digest for ever."""
    a = announcement
    ways = [list(way.channels) for way in a.ways]
    said = [a.department, a.audience, a.people.value, ways, a.purpose.value, a.urgency.value]
    return _digest([str(a.public_id), *said, a.expires_at.astimezone(UTC).isoformat()])


def wording_digest(parts: Iterable[tuple[str, str, str]], files: Iterable[tuple[str, str]]) -> str:
    """The digest of a wording: (language, part, text) of each part, (name, sha256) of each file."""
    return _digest([sorted(list(part) for part in parts), sorted(list(file) for file in files)])


def decision_entry(announcement: Announcement, decided: Decided, binding: Binding, actor: Actor) -> Entry:
    """What the record tells of a second person's answer. The reason stays beside it, for a name may stand in it."""
    facts = {
        "id": str(announcement.public_id),
        "content_version": binding.content_version,
        "rules": binding.rules_version,
        "bound": binding.digest,
        "counted": binding.counted,
    }
    return Entry(f"announcement.{decided.value}", actor, facts, announcement.id)


def delivery_fault(told: Stands | None, state: str, code: str, settled_by: str | None) -> str | None:
    """What of a delivery's row is not as the record tells it; None when it agrees."""
    if told is None or told.state in _OPEN:
        if state in _OPEN:
            return None
        return f"it is {state}, and the record says {told.state.value if told else 'nothing yet'}"
    if state != told.state:
        return f"it is {state}, and the record says {told.state.value}"
    if told.code is not None and code != told.code:
        return f"its reason is {code or 'none'}, and the record says {told.code or 'none'}"
    if told.settled_by is not None and settled_by != told.settled_by:
        return "it was settled by somebody else, as the record says"
    return None


Listener = Callable[[Story, int, Mapping[str, Any], Mapping[str, Any]], None]


def _digest(value: object) -> str:
    """A SHA-256 (hex) of canonical JSON."""
    return hashlib.sha256(json.dumps(value, separators=(",", ":")).encode()).hexdigest()


def _tried(story: Story, announcement: int, facts: Mapping[str, Any], _actor: object) -> None:
    shared: dict[object, Stands] = {}
    for delivery, attempt, event, code, _commitment, *came_to in facts["tries"]:
        alike = (event, code, *came_to)
        stands = shared.get(alike)
        if stands is None:
            state = State(came_to[0]) if came_to else _AFTER[event]
            # What was accepted, and what goes back as if it had not begun, gets its reason from what comes next.
            stands = shared[alike] = Stands(announcement, state, code)
        story.deliveries[delivery] = stands
        story.attempts[attempt] = (delivery, event)
    story.transitions += len(facts["tries"])


def _judged(story: Story, announcement: int, facts: Mapping[str, Any], _actor: object) -> None:
    for delivery, event, code, _dropped in facts["verdicts"]:
        story.move(delivery, Stands(announcement, _AFTER_JUDGING[event], code))


def _moved(story: Story, announcement: int, facts: Mapping[str, Any], _actor: object) -> None:
    for delivery, _before, state, code in facts["moves"]:
        story.move(delivery, Stands(announcement, State(state), code))


def _looked_up(story: Story, announcement: int, facts: Mapping[str, Any], _actor: object) -> None:
    for delivery, state in facts["absent"]:
        story.move(delivery, Stands(announcement, State(state)))


def _withdrawn(story: Story, announcement: int, facts: Mapping[str, Any], _actor: object) -> None:
    for delivery in facts["deliveries"]:
        story.move(delivery, Stands(announcement, State.WITHDRAWN, facts.get("code", "withdrawn")))


def _pruned(story: Story, _announcement: int, facts: Mapping[str, Any], _actor: object) -> None:
    """Messages that had their time: first and last number of each run of deliveries."""
    gone = {number for first, last in facts["pruned"] for number in range(first, last + 1)}
    for number in gone:
        story.deliveries.pop(number, None)
    story.attempts = {n: told for n, told in story.attempts.items() if told[0] not in gone}


def _struck(story: Story, announcement: int, facts: Mapping[str, Any], _actor: object) -> None:
    """Somebody who was erased was struck out of its words: from now on it is what it became."""
    told = story.of(announcement)
    told.kept, told.wording = facts["kept"], facts["wording"]
    told.struck = True


def _reworded(story: Story, announcement: int, facts: Mapping[str, Any], _actor: object) -> None:
    story.of(announcement).reworded[facts["content_version"]] = facts["wording"]


def _decided(decision: str) -> Listener:
    def listen(story: Story, announcement: int, facts: Mapping[str, Any], actor: Mapping[str, Any]) -> None:
        story.of(announcement).decided = (decision, actor["id"], facts["bound"])

    return listen


def _ruled(story: Story, announcement: int, facts: Mapping[str, Any], _actor: object) -> None:
    ruled = (facts["account"], facts["rules"], facts["answer"], facts["code"])
    story.of(announcement).judged.append(ruled)


def _undecided(story: Story, announcement: int, _facts: object, _actor: object) -> None:
    story.of(announcement).decided = None


def _one(state: State) -> Listener:
    def listen(story: Story, announcement: int, facts: Mapping[str, Any], actor: Mapping[str, Any]) -> None:
        settled_by = actor["id"] if state is State.UNCERTAIN else None
        story.move(facts["delivery"], Stands(announcement, state, None, settled_by))

    return listen


def _accepted(story: Story, announcement: int, facts: Mapping[str, Any], actor: Mapping[str, Any]) -> None:
    told = story.of(announcement)
    told.actor = (actor["kind"], actor["id"], actor.get("on_behalf_of"))
    told.kept, told.wording = facts.get("kept"), facts.get("wording")


def _announcement_withdrawn(story: Story, announcement: int, _facts: object, _actor: object) -> None:
    story.of(announcement).withdrawn = True


def _planned(story: Story, announcement: int, _facts: object, _actor: object) -> None:
    story.of(announcement).planned = True


def _afters(before: State, events: Iterable[Event]) -> Mapping[str, State]:
    found = {}
    for event in events:
        try:
            found[event.value] = (
                step(before, event, Phase.STARTED) if before is State.SENDING else step(before, event)
            )
        except IllegalTransition:
            continue
    return found


_AFTER = _afters(State.SENDING, Event)
# A claim is told only where somebody fell away from what it covers: it is in hand, or was.
_AFTER_JUDGING: Mapping[str, State] = {**_afters(State.QUEUED, Event), Event.CLAIM.value: State.QUEUED}
_LISTENS: Mapping[str, Listener] = {
    "announcement.accepted": _accepted,
    "announcement.withdrawn": _announcement_withdrawn,
    "announcement.planned": _planned,
    **{f"announcement.{answer.value}": _decided(answer.value) for answer in Decided},
    "approval.void": _undecided,
    "announcement.judged": _ruled,
    "deliveries.tried": _tried,
    "deliveries.judged": _judged,
    "deliveries.moved": _moved,
    "deliveries.recovered": _moved,
    "deliveries.stranded": _moved,
    "deliveries.looked_up": _looked_up,
    "deliveries.withdrawn": _withdrawn,
    "deliveries.pruned": _pruned,
    "announcement.struck": _struck,
    "announcement.reworded": _reworded,
    "delivery.requeued": _one(State.QUEUED),
    "delivery.settled": _one(State.UNCERTAIN),
    "delivery.retracted": _one(State.RETRACTED),
}
