"""Policies: pure rules that judge a case, and how their answers combine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TypeVar

from broker.announcement import Purpose, Urgency
from broker.rules.values import NO_RULES, Rules


@dataclass(frozen=True, slots=True)
class Cover:
    """One duty that a delivery would cover: a person to be told, reached through this address.

    `blocked`: a court order keeps somebody who holds this address from this person; nothing overrides it.
    `gone`: the person left the school, or nobody who holds the address is theirs any more.
    `commitment_key`: the person's own, for what the record commits to; None once it was destroyed.
    `own`: it is a pupil's own address, which no guardian of the pupil's holds; how old the pupil is tell `born` and
    `year`, as far as the roster does.
    """

    duty: int
    person: int
    name: str = field(repr=False)
    language: str = ""
    blocked: bool = False
    acknowledged: bool = False
    gone: bool = False
    commitment_key: bytes | None = field(default=None, repr=False)
    form: str = ""
    own: bool = False
    born: date | None = field(default=None, repr=False)
    year: str = ""

    @property
    def stands(self) -> bool:
        """Whether this person may and need still be told through this address."""
        return not (self.blocked or self.acknowledged or self.gone)


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that a policy may look at: facts, never a connection. `now` is the transaction's time."""

    now: datetime
    channel: str
    account: str
    purpose: Purpose
    urgency: Urgency
    due_at: datetime
    expires_at: datetime
    withdrawn: bool = False
    corrected: bool = False  # another one says it rightly
    being_corrected: bool = False  # another one is to, and waits itself
    account_paused: bool = False
    broadcast: bool = False
    opted_out: bool = False  # this address, this channel (keyed hash)
    consent: bool | None = None  # given, taken back, or never asked, for this channel and purpose
    guardian_consent: bool = False  # it was given by a guardian, for everybody who holds the address
    bounced: bool = False  # what went to this address on this channel came back for good
    note: bool = False  # the house itself says it to this one address, whoever holds it
    subscribed: bool | None = None  # of a subscriber: whether it still is one; None for anybody else
    person_active: bool = True  # at least one person behind the address is still at the school
    covers: tuple[Cover, ...] = ()
    posture: Mapping[str, str] | None = None  # the account's facts when it was last looked at, if ever
    posture_age: timedelta | None = None  # how long ago that was
    rules: Rules = field(default=NO_RULES, repr=False)  # there where a family judges each delivery
    zone: str = "UTC"  # the school's, there with the rules


Evidence = Mapping[str, str | int | float | bool | None]  # what a verdict rests on, without personal data


@dataclass(frozen=True, slots=True)
class Allow:
    """It may go. With a code and a reason where a rule was skipped or noted, which is kept with the verdict."""

    code: str = ""
    why: str = ""
    evidence: Evidence = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hold:
    """Not yet: `until` when it is judged again, and why, in a sentence a parent could read.

    `whole`: it holds the announcement on every way, not this one alone (an undo window, a second person's yes).
    `besides`: what holds it too, and ends no later.
    """

    until: datetime
    code: str
    why: str
    evidence: Evidence = field(default_factory=dict)
    whole: bool = False
    besides: tuple[Hold, ...] = ()

    @property
    def told(self) -> str:
        """Every reason, this one first: whoever ends it should not learn of the next one only then."""
        return "; besides: ".join((self.why, *(other.why for other in self.besides)))


@dataclass(frozen=True, slots=True)
class Refuse:
    """No, and why, in a sentence a parent could read; at intake also `about` which field, and what to do."""

    code: str
    why: str
    evidence: Evidence = field(default_factory=dict)
    about: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """It must not go any more, because the announcement itself is over (withdrawn)."""

    code: str
    why: str
    evidence: Evidence = field(default_factory=dict)


Verdict = Allow | Hold | Refuse | Withdraw
Policy = Callable[[Case], Verdict]
ALLOW = Allow()


C = TypeVar("C")


def judge(case: C, policies: Iterable[Callable[[C], Verdict]]) -> Verdict:
    """The answer of all policies together; both kinds of case are judged by it."""
    return together(policy(case) for policy in policies)


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """Withdrawn, then the first refusal, then the latest hold with the others beside it, else allow with all notes."""
    noted: list[Allow] = []
    holds: list[Hold] = []
    refusal: Refuse | None = None
    for verdict in verdicts:
        if isinstance(verdict, Withdraw):
            return verdict
        if isinstance(verdict, Refuse):
            refusal = refusal or verdict
        elif isinstance(verdict, Hold):
            holds.append(verdict)
        elif verdict.code:
            noted.append(verdict)
    if refusal is not None or not holds:
        return refusal or (_noted(noted) if noted else ALLOW)
    # What holds the whole announcement says so, however long a hold of one way lasts; of equals the first.
    return with_besides(max(holds, key=lambda hold: (hold.whole, hold.until)), holds)


def with_besides(chosen: Hold, holds: Iterable[Hold]) -> Hold:
    """A hold with every other reason among these beside it, each once."""
    every = (each for hold in (chosen, *holds) for each in (hold, *hold.besides))
    others = {each.code: replace(each, besides=()) for each in every if each.code != chosen.code}
    return replace(chosen, besides=tuple(others.values())) if others else chosen


def _noted(noted: Sequence[Allow]) -> Allow:
    evidence = {name: fact for each in noted for name, fact in each.evidence.items()}
    return Allow(" ".join(each.code for each in noted), "; ".join(each.why for each in noted), evidence)


def covered(case: Case) -> Sequence[Cover]:
    """The duties that this delivery may still tell: blocked, gone and acknowledged ones fall away."""
    return [c for c in case.covers if c.stands]
