"""Two pairs of eyes: which announcements somebody other than their author has to agree to (R13, R20).

Approver ≠ author, always. Who may approve is `broker.authority.operators`, what an approval binds
`broker.authority.approvals`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from broker.actor import ActorKind
from broker.announcement import AWAITING, People, Purpose
from broker.policy import ALLOW, Allow, Hold, Refuse, Verdict
from broker.rules.adults import is_notice
from broker.rules.case import AnnouncementCase, Family
from broker.rules.parameters import Kind, Parameter
from broker.rules.values import Rules

# What a second person's yes answers, beside that which a typed number answers too.
SECOND_PERSON = AWAITING | {"size_unconfirmed"}
ANY = "any"
PUBLIC = "public"
OVER = re.compile(r"over (\d{1,7})")

NEEDED = "approval.needed"


def faulty(words: tuple[str, ...]) -> str:
    """What is wrong with the first of these that is no combination; "" where all are."""
    for word in words:
        pieces = [" ".join(piece.split()) for piece in word.split("/")]
        if len(pieces) != 3 or not all(pieces):
            return f"cannot read {word[:40]}: write ways/audience/purpose"
        _, audience, purpose = pieces
        if audience != ANY and audience not in set(People) and not OVER.fullmatch(audience):
            return f"knows no audience {audience[:40]}"
        if purpose != ANY and purpose not in set(Purpose):
            return f"knows no purpose {purpose[:40]}"
    return ""


PARAMETERS = (
    Parameter(
        NEEDED,
        Kind.WORDS,
        "public/any/any, any/guardians/promotional, any/over 500/any",
        "Which announcements want a second person's yes: ways/audience/purpose, with commas between them. Ways: a"
        " channel, public or any; audience: guardians, first, pupils, both, staff, over a number of people, or any"
        " (guardians: first and both too; pupils: both too); purpose: service, promotional or any. Empty: none.",
        "R13: open to scrutiny; R20: liability; what is public or goes to hundreds cannot be called back",
        sandbox="",
        check=faulty,
        ways=lambda words: {word.split("/")[0].strip() for word in words} - {ANY, PUBLIC},
    ),
    Parameter(
        "approval.drift_people",
        Kind.COUNT,
        "20",
        "How many people more or fewer than when it was approved it may tell when it goes out; beyond, it waits again.",
        "design: a yes is given to an audience, not to its name",
        most="100000",
    ),
    Parameter(
        "approval.drift_share",
        Kind.RATIO,
        "0.1",
        "The same as a part of those approved: whichever is less counts.",
        "design: a yes is given to an audience, not to its name",
        most="1",
    ),
)


@dataclass(frozen=True, slots=True)
class Combination:
    """One combination of ways, audience and purpose that needs a second person."""

    ways: str
    audience: str
    purpose: str

    def holds(self, case: AnnouncementCase) -> bool:
        """Whether a case is one of these."""
        return self._way(case) and self._told(case) and self.purpose in {ANY, case.purpose.value}

    def _way(self, case: AnnouncementCase) -> bool:
        return self.ways in {ANY, case.channel} or (self.ways == PUBLIC and case.broadcast)

    def _told(self, case: AnnouncementCase) -> bool:
        if over := OVER.fullmatch(self.audience):
            return not case.broadcast and case.counted is not None and case.counted > int(over[1])
        return self.audience == ANY or self.audience in case.people.covers


def combinations(words: tuple[str, ...]) -> Iterator[Combination]:
    """What a school wrote, read; it was checked when it was set."""
    for word in words:
        ways, audience, purpose = (" ".join(piece.split()) for piece in word.split("/"))
        yield Combination(ways, audience, purpose)


def second_person_agreed(case: AnnouncementCase) -> Verdict:
    """What the school wants two people for waits for the second one; Carillon itself is nobody's author.

    Asked before it begins to go out, never in the middle: half of the parents have heard it then (decision 32).
    """
    needs = next((each for each in combinations(case.rules.words(NEEDED)) if each.holds(case)), None)
    if needs is None or (case.author.kind is ActorKind.SYSTEM and case.author.on_behalf_of is None):
        return ALLOW
    evidence = {"combination": f"{needs.ways}/{needs.audience}/{needs.purpose}"}
    if case.overridden:
        return Allow("approval_skipped", "urgent: sent without a second person, to be reviewed", evidence)
    if case.second_person:
        return ALLOW
    if is_notice(case):
        return Allow(
            "system_notice", "a notice from an approved template: its words were agreed to", evidence
        )
    if case.goes_out:
        return Allow(
            "began_before", "it had begun to go out before the school wanted two people for it", evidence
        )
    return Hold(
        case.expires_at,
        "needs_approval",
        f"{_why(needs, case)}: a second person has to agree",
        evidence,
        whole=True,
    )


def wanted_for_size(case: AnnouncementCase) -> bool:
    """Whether the number of its people is one of the reasons why the school wants two people for it."""
    wanted = combinations(case.rules.words(NEEDED))
    return any(OVER.fullmatch(each.audience) and each.holds(case) for each in wanted)


def not_approved(case: AnnouncementCase) -> Refuse:
    """Its time ended before anybody agreed: whoever it was for is told so, not that it came too late."""
    return Refuse("not_approved", "it was not approved in time", {"rules": case.rules.version})


def _why(needs: Combination, case: AnnouncementCase) -> str:
    if OVER.fullmatch(needs.audience):
        return f"it would tell {case.counted:,} people"
    if needs.ways == PUBLIC:
        return "everybody could read it"
    return "the school wants two people to agree to such an announcement"


def may_drift(rules: Rules, agreed: int, counted: int) -> bool:
    """Whether a yes to so many people still holds for this many."""
    people, share = rules.count("approval.drift_people"), rules.ratio("approval.drift_share")
    return abs(counted - agreed) <= min(people, int(agreed * share))


FAMILY = Family("approval", PARAMETERS, each_time=(second_person_agreed,))
