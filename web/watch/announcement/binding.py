"""What somebody saw before they said yes: the words and the number of people. Nothing else is done than that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from broker import intake
from broker.actor import Actor
from broker.announcement import Draft
from broker.corrections import verbs
from broker.errors import Problem, RuleBroken
from broker.ports import Ports
from broker.rules.blast import SIZE_CODES
from web.watch.desk import Form
from web.watch.forms import people_meant

SEEN = "page seen"


@dataclass(frozen=True, slots=True)
class Preview:
    """What a follow-up would do, and what binds a yes to it. `asks`: its number of people has to be typed."""

    shown: verbs.Shown
    seen: str
    asks: bool


def preview(ports: Ports, draft: Draft, shown: verbs.Shown) -> Preview:
    """What was shown, signed, so that a form cannot say that something else was."""
    asks = shown.hold is not None and shown.hold.code in SIZE_CODES
    told = f"{shown.counted}:{int(asks)}:{intake.digest_of(draft)}"
    return Preview(shown, ports.signer.sign(SEEN, told), asks)


def bound(ports: Ports, draft: Draft, form: Form) -> Draft:
    """The draft that was shown, with the number of people that was shown for it or typed. Raises RuleBroken.

    Intake itself counts, once, against that number. Where far more people than usual would be told somebody types it,
    as everywhere; to have read it is not enough.
    """
    counted, asks, digest = _seen(ports, form["seen"])
    if digest != intake.digest_of(draft):
        hint = "look at it once more, then send it"
        raise RuleBroken(Problem("changed_since", "seen", "it is not what you looked at", hint))
    if asks and (typed := people_meant(form["count"])) != counted:
        message = f"it would tell {counted:,} people, not {typed:,}"
        raise RuleBroken(Problem("size_differs", "count", message, "if that is right, type this number"))
    return replace(draft, expected=counted) if counted else draft


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a form: accepted; or what it would do, with what was wrong with the yes to it."""

    accepted: intake.Accepted | None = None
    preview: Preview | None = None
    problem: Problem | None = None

    @property
    def status(self) -> int:
        """Of the page that shows it."""
        return 422 if self.problem is not None else 200


def answer(
    ports: Ports, draft: Draft, form: Form, send: Callable[[Draft], intake.Accepted], *, actor: Actor
) -> Answer:
    """Send what was seen; else show what it would do now. Raises what the draft itself is refused for."""
    problem = None
    if form["do"] == "send":
        try:
            bound_so = bound(ports, draft, form)
        except RuleBroken as refused:
            problem = refused.problem
        else:
            return Answer(send(bound_so))
    return Answer(preview=preview(ports, draft, verbs.shown(ports, draft, actor=actor)), problem=problem)


def _seen(ports: Ports, word: str) -> tuple[int, bool, str]:
    told = ports.signer.verify(SEEN, word) if word else None
    if told is None:
        hint = "look at whom it goes to, then send it"
        raise RuleBroken(Problem("not_looked_at", "seen", "it was not looked at first", hint))
    counted, asks, digest = told.split(":")
    return int(counted), asks == "1", digest
