"""The channel licence: what a school must have settled before an account may speak, in four angles (R20).

Policy, liability, safe use and technology each hold until a day that the school itself named, and an account sends
only while all four hold. Nothing here forgets or forgives: a licence lapses by itself, at the end of the day on which
something was to be looked at again. `angles` is the one function that says so; the ledger keeps only what it came to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

CUSTODIANS = 2
WARN = timedelta(days=30)


class Angle(StrEnum):
    """The four that schools named (R20), in the order in which they are settled."""

    POLICY = "policy"
    LIABILITY = "liability"
    SAFE_USE = "safe_use"
    TECHNOLOGY = "technology"

    @property
    def words(self) -> str:
        """As it is said: safe use."""
        return self.value.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Policy:
    """The school's policy for this way (R3): which document, in which version, since when, looked at again when.

    `url` says where everybody may read it; `digest` (SHA-256, hex) pins the very document that was adopted.
    """

    title: str
    version: str
    adopted: date
    review: date
    url: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Risk:
    """One thing that may go wrong, and what the school does about it."""

    risk: str
    mitigation: str


@dataclass(frozen=True, slots=True)
class Liability:
    """The risk assessment (R22): the risks and their mitigations, by whom, and when it is looked at again."""

    reviewer: str
    assessed: date
    review: date
    risks: tuple[Risk, ...] = ()
    title: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody who answers for the account (R7): by name and post, trained until when (R23)."""

    name: str
    post: str
    trained: date
    valid_until: date
    leadership: bool = False
    email: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SafeUse:
    """Who holds the account: never one teacher alone (R7)."""

    owners: tuple[Owner, ...] = ()


@dataclass(frozen=True, slots=True)
class Technology:
    """How the account is set up: looked over by whom, and again when; `keeping` is where its credentials lie.

    `assured` are the things that no provider tells a program, each by its code, which somebody looked at and found so.
    """

    checked_by: str
    checked: date
    review: date
    keeping: str
    assured: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Licence:
    """What a school has settled about one account; an angle that nobody has settled is None.

    `specimen`: given by the sandbox, where nothing leaves the machine, and worth nothing anywhere else.
    """

    policy: Policy | None = None
    liability: Liability | None = None
    safe_use: SafeUse | None = None
    technology: Technology | None = None
    specimen: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """What a licence is held to: the school's wall clock, the rules' numbers, and what the channel asks of an account.

    `wants` are facts of the account at its provider and how they must be; `asks` are those that somebody must assure,
    by code, in a sentence each. `warn`: how long before its end people are told.
    """

    zone: ZoneInfo
    custodians: int = CUSTODIANS
    wants: Mapping[str, str] = field(default_factory=dict)
    asks: Mapping[str, str] = field(default_factory=dict)
    warn: timedelta = WARN


@dataclass(frozen=True, slots=True)
class Standing:
    """How one angle stands: whether it holds, in a sentence why not, and the instant at which it lapses by itself."""

    holds: bool
    why: str = ""
    until: datetime | None = None


Standings = Mapping[Angle, Standing]


def angles(licence: Licence, posture: Mapping[str, str] | None, now: datetime, terms: Terms) -> Standings:
    """How each of the four stands at `now`; `posture` is the account as it was last seen at its provider, if ever.

    An account at which nobody could look yet is not held against it here: what has not been seen keeps its deliveries
    waiting by the channel's own rules.
    """
    return {
        Angle.POLICY: _policy(licence.policy, now, terms),
        Angle.LIABILITY: _liability(licence.liability, now, terms),
        Angle.SAFE_USE: _safe_use(licence.safe_use, now, terms),
        Angle.TECHNOLOGY: _technology(licence.technology, posture, now, terms),
    }


def stands_until(standings: Standings) -> datetime | None:
    """When the first angle lapses, while all four hold; None when one does not hold already."""
    if not all(one.holds for one in standings.values()):
        return None
    return min(one.until for one in standings.values() if one.until is not None)


def first_to_lapse(standings: Standings) -> Angle:
    """Which angle lapses before the others, where all of them hold."""
    return min(standings, key=lambda angle: standings[angle].until or datetime.max.replace(tzinfo=UTC))


def lacking(standings: Standings) -> str:
    """What keeps an account from speaking, in plain words; "" when nothing does."""
    return "; ".join(f"{angle.words}: {one.why}" for angle, one in standings.items() if not one.holds)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a day is over on the school's own clock."""
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


def _policy(policy: Policy | None, now: datetime, terms: Terms) -> Standing:
    if policy is None:
        return Standing(False, "no policy for it is on record")
    what = f"the policy “{policy.title}”"
    return _dated(what, policy.adopted, "is adopted only", policy.review, now, terms)


def _liability(liability: Liability | None, now: datetime, terms: Terms) -> Standing:
    if liability is None:
        return Standing(False, "no risk assessment is on record")
    if not liability.risks:
        return Standing(False, "the risk assessment names no risk and what is done about it")
    return _dated("the risk assessment", liability.assessed, "is made only", liability.review, now, terms)


def _safe_use(safe_use: SafeUse | None, now: datetime, terms: Terms) -> Standing:
    """It lapses when the training of so many owners is over that too few are left, or none of the leadership."""
    owners = safe_use.owners if safe_use is not None else ()
    if not owners:
        return Standing(False, "nobody answers for it: no owner is named")
    begun = [owner for owner in owners if _begins(owner.trained, terms) <= now]
    ends = sorted((end_of(owner.valid_until, terms.zone) for owner in begun), reverse=True)
    leading = [end_of(owner.valid_until, terms.zone) for owner in begun if owner.leadership]
    trained = sum(1 for end in ends if end > now)
    if trained < terms.custodians:
        who = "nobody" if not trained else "one person" if trained == 1 else f"{trained} people"
        why = f"{who} with training that is still valid holds it; {terms.custodians} must (R7)"
        return Standing(False, why, ends[terms.custodians - 1] if len(ends) >= terms.custodians else None)
    last = max(leading, default=None)
    if last is None or last <= now:
        why = "nobody of the senior leadership with training that is still valid holds it (R7)"
        return Standing(False, why, last)
    return Standing(True, "", min(ends[terms.custodians - 1], last))


def _technology(
    technology: Technology | None, posture: Mapping[str, str] | None, now: datetime, terms: Terms
) -> Standing:
    if technology is None:
        return Standing(False, "nobody has looked over how it is set up")
    missing = [sentence for code, sentence in terms.asks.items() if code not in technology.assured]
    if missing:
        return Standing(False, f"nobody has assured that {' and that '.join(missing)}")
    seen = posture or {}
    for fact, wanted in terms.wants.items():
        if fact in seen and seen[fact] != wanted:
            told = f"at its provider it shows {fact}: {seen[fact]}, where {wanted} is wanted"
            return Standing(False, told, end_of(technology.review, terms.zone))
    what = "how it is set up"
    return _dated(what, technology.checked, "is looked over only", technology.review, now, terms)


def _dated(what: str, since: date, begins: str, review: date, now: datetime, terms: Terms) -> Standing:
    until = end_of(review, terms.zone)
    if now < _begins(since, terms):
        return Standing(False, f"{what} {begins} on {since:%-d %B %Y}", until)
    if now >= until:
        return Standing(False, f"{what} was to be looked at again by {review:%-d %B %Y}", until)
    return Standing(True, "", until)


def _begins(day: date, terms: Terms) -> datetime:
    return end_of(day - timedelta(days=1), terms.zone)


def step_reached(until: datetime, now: datetime, steps: Sequence[timedelta]) -> timedelta | None:
    """The last step of warning that has come: of 30, 14 and 3 days, 14 when ten are left; None when none has."""
    return min((step for step in steps if until - now <= step), default=None)
