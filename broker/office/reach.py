"""The reach statement: how many will be told, by which ways, and by name who will not, and why (R2, R16).

Asked of duties, never of messages. Before sending it is judged by the very rules that the dispatcher judges by, over
facts that SQL supplies: a rule that is added there shows here by itself. What is read by everybody, a feed or a post,
counts as nobody's personal way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from broker.actor import Actor
from broker.address import AddressKind
from broker.announcement import Announcement, People, Purpose, Urgency
from broker.audience import Audience
from broker.channel import Channel
from broker.drafts import LIFETIME
from broker.duty import Unreached
from broker.errors import InvalidAnnouncement, Problem
from broker.house_rules import HOUSE_RULES
from broker.licences import licensing
from broker.moments import today_of
from broker.policy import Case, Cover, Hold, Policy, Refuse, Verdict, Withdraw, judge
from broker.ports import Channels, Ports, Transaction
from broker.ports.office import BY_GUARDIAN, Lacking
from broker.record import Entry
from broker.rosters.roster import as_listed
from broker.rules import book
from broker.values import AccountRow

NO_PERSONAL_WAY = "no way is chosen that goes to each person"
_NONE_OF = {
    AddressKind.MOBILE: ("no mobile number on file", "the mobile number on file cannot be used"),
    AddressKind.EMAIL: ("no email on file", "the email on file cannot be used"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """To whom, by which ways, from which department; groups made of others have been taken apart."""

    audience: Audience
    people: People
    channels: tuple[str, ...]
    department: str
    purpose: Purpose = Purpose.SERVICE
    urgency: Urgency = Urgency.ROUTINE
    due_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """One personal way: the addresses it uses, the people that tells, the addresses refused by the code of the rule.

    `waits` says why it would not go at once, in a sentence; "" where it would.
    """

    addresses: int
    people: int
    refused: Mapping[str, int] = field(default_factory=dict)
    waits: str = ""


@dataclass(frozen=True, slots=True)
class Untold:
    """Somebody whom nothing reaches. `group` is the form, else the year."""

    person: UUID
    name: str = field(repr=False)
    group: str
    why: str


@dataclass(frozen=True, slots=True)
class Statement:
    """Who is told and who is not. `open` of the untold may still be told: something is under way to them.

    `for_anybody`: by ways alone that everybody reads. Nobody is addressed then, so nobody is told or untold.
    """

    people: int
    reached: int
    ways: Mapping[str, Way]
    public: tuple[str, ...]  # ways that count for nobody
    untold: Sequence[Untold]
    open: int = 0
    for_anybody: bool = False


def before(ports: Ports, tx: Transaction, question: Question) -> Statement:
    """What announcing now would come to; reads only. Raises InvalidAnnouncement for a way without an account."""
    today = today_of(tx)
    told = tx.reaches.told(question.audience, question.people, today)
    accounts = {name: _account(tx, name, question.department) for name in question.channels}
    ways = {name: _kind_of_people(ports.channels, name) for name in question.channels}
    kinds = {kind for kind in ways.values() if kind is not None}
    pairs = tx.reaches.pairs(question.audience, question.people, kinds, today) if kinds else {}
    personal: dict[str, _Heard] = {}
    for name, kind in ways.items():
        if kind is not None:
            rules = _Rules(ports.channels.open(accounts[name].name), accounts[name], question, tx)
            personal[name] = _heard(tx, rules, kind, question, pairs[kind])
    public = tuple(name for name, kind in ways.items() if kind is None)
    for_anybody = bool(public) and not personal
    reached = set().union(*(heard.people for heard in personal.values())) & told
    return Statement(
        people=len(told),
        reached=len(reached),
        ways={name: heard.way for name, heard in personal.items()},
        public=public,
        untold=() if for_anybody else _untold(tx, question.people, sorted(told - reached), personal),
        for_anybody=for_anybody,
    )


# --- the rules ------------------------------------------------------------------------------------------------------


class _Facts(NamedTuple):
    """What may differ from one address of a way to the next; `own` is a pupil's birth date and year group."""

    opted_out: bool
    bounced: bool
    consent: int | None
    own: tuple[date | None, str] | None


class _Rules:
    """The rules of one way, asked once for each combination of facts: a school of thousands has a handful."""

    def __init__(self, channel: Channel, account: AccountRow, question: Question, tx: Transaction) -> None:
        self._policies: tuple[Policy, ...] = (*HOUSE_RULES, *book.EACH_DELIVERY, *channel.policies)
        self.channel = channel.name
        due = max(question.due_at or tx.now, tx.now)
        self._case = Case(
            now=due,
            channel=account.channel,
            account=account.name,
            purpose=question.purpose,
            urgency=question.urgency,
            due_at=due,
            expires_at=question.expires_at or due + LIFETIME,
            account_paused=account.paused_at is not None,
            covers=(Cover(0, 0, ""),),
            posture=account.posture,
            # As it will have been looked at just before the sending.
            posture_age=timedelta(0) if account.posture is not None else None,
            rules=tx.rules.current(),
            zone=tx.school.zone,
        )
        self._known: dict[_Facts, Verdict] = {}
        self._silent = licensing.silence(tx, account, at=due)

    def verdict(self, facts: _Facts) -> Verdict:
        if self._silent is not None:
            return self._silent
        if facts not in self._known:
            self._known[facts] = judge(_with(self._case, facts), self._policies)
        return self._known[facts]

    def never(self, verdict: Verdict) -> bool:
        """Whether what is judged so is not told: refused, or held until its time is over."""
        if isinstance(verdict, Hold):
            return verdict.until >= self._case.expires_at
        return isinstance(verdict, Refuse | Withdraw)


def _with(case: Case, facts: _Facts) -> Case:
    born, year = facts.own or (None, "")
    return replace(
        case,
        opted_out=facts.opted_out,
        bounced=facts.bounced,
        consent=None if facts.consent is None else facts.consent > 0,
        guardian_consent=facts.consent == BY_GUARDIAN,
        covers=(Cover(0, 0, "", own=facts.own is not None, born=born, year=year),),
    )


@dataclass(slots=True)
class _Heard:
    """Whom one way tells, and of the others what stands against each address of theirs."""

    kind: AddressKind
    people: set[int]
    against: dict[int, dict[str, None]]
    way: Way


def _heard(
    tx: Transaction, rules: _Rules, kind: AddressKind, question: Question, pairs: Iterable[tuple[int, int]]
) -> _Heard:
    opted_out, bounced = tx.reaches.opted_out(rules.channel), tx.reaches.bounced(rules.channel)
    consents = tx.reaches.consents(rules.channel, question.purpose)
    own = tx.reaches.own(kind) if question.people in {People.PUPILS, People.BOTH} else {}
    people, addresses = set[int](), set[int]()
    against: dict[int, dict[str, None]] = {}
    refused: dict[int, str] = {}
    waits = ""
    for person, address in pairs:
        facts = _Facts(
            address in opted_out, address in bounced, consents.get(address), own.get((person, address))
        )
        verdict = rules.verdict(facts)
        if rules.never(verdict):
            against.setdefault(person, {})[getattr(verdict, "why", "")] = None
            refused[address] = getattr(verdict, "code", "")
            continue
        people.add(person)
        addresses.add(address)
        waits = waits or getattr(verdict, "why", "")
    way = Way(len(addresses), len(people), dict(Counter(refused.values())), waits)
    return _Heard(kind, people, against, way)


# --- who is not told ------------------------------------------------------------------------------------------------


def _untold(
    tx: Transaction, people: People, lost: Sequence[int], ways: Mapping[str, _Heard]
) -> Sequence[Untold]:
    lacking = tx.reaches.lacking(people, lost) if lost else ()
    untold = (Untold(one.public_id, one.name, one.group, _why(one, ways)) for one in lacking)
    return sorted(untold, key=lambda one: as_listed(one.group))  # by name within each already


def _why(one: Lacking, ways: Mapping[str, _Heard]) -> str:
    """One sentence where all ways agree, else each way with its own."""
    sayings = {name: " and ".join(heard.against.get(one.person, ())) for name, heard in ways.items()}
    for name, heard in ways.items():
        if not sayings[name]:
            sayings[name] = nothing_there(one, heard.kind)
    if not sayings:
        return NO_PERSONAL_WAY
    return in_one(sayings.items())


def kinds_of(channels: Channels, announcement: Announcement) -> Mapping[str, AddressKind]:
    """What the personal ways of an announcement go to; one that is installed no more is left out."""
    known = channels.names()
    named = (name for step in announcement.ways for name in step.channels if name in known)
    kinds = {name: _kind_of_people(channels, name) for name in named}
    return {name: kind for name, kind in kinds.items() if kind is not None}


def _kind_of_people(channels: Channels, name: str) -> AddressKind | None:
    """What a way goes to of each person's own; None where nobody knows who reads it."""
    kind = channels.traits(name).address_kind
    return kind if kind is not None and kind.of_people else None


def nothing_there(one: Lacking, kind: AddressKind) -> str:
    """Why somebody has no address of a kind."""
    if one.why is not Unreached.NO_ADDRESS:
        return one.why.value
    none, unusable = _NONE_OF[kind]
    return unusable if kind in one.refused else none


def in_one(sayings: Iterable[tuple[str, str]]) -> str:
    """What stands against each way, in one sentence: once where all say the same."""
    said = dict(sayings)
    if len(set(said.values())) == 1:
        return next(iter(said.values()))
    return "; ".join(f"{name}: {why}" for name, why in said.items())


def _account(tx: Transaction, channel: str, department: str) -> AccountRow:
    account = tx.accounts.for_channel(channel, department)
    if account is None:
        message = f"no {channel} account is set up for this department"
        hint = "`carillon channels` says what one needs, `carillon doctor` checks it"
        raise InvalidAnnouncement(Problem("no_account", "via", message, hint))
    return account


def record_listing(ports: Ports, what: str, people: int, *, actor: Actor) -> None:
    """Somebody took a list with names and numbers out of the house: the record keeps who, and of how many."""
    entry = Entry("reach.listed", actor, {"what": what, "people": people})
    ports.ledger.transact(lambda tx: tx.record.add([entry]))
