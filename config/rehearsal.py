"""A dry run: what would go to whom, and who is not reached, with nothing kept. Every door shows it in its own way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from broker import audience as audiences
from broker import drafts, intake
from broker.actor import Actor
from broker.address import mask
from broker.announcement import Draft, People
from broker.capabilities import charging
from broker.channel import PUBLIC, Channel, Message, Recipient
from broker.errors import Problem, RuleBroken, SetupError
from broker.house_rules import HOUSE_RULES
from broker.intake import Rehearsed
from broker.ladders.links import with_any_link
from broker.moments import today_of
from broker.naming import CLASS, GUARDIAN, LACKING, PERSONAL, has_placeholder
from broker.office import expressions
from broker.office.reach import Question, Statement, before
from broker.policy import Case, Cover, Verdict, judge, together
from broker.ports import Ports
from broker.rules import book
from broker.values import AccountRow
from ledger.connect import Ledger
from ledger.reads.example import Example, LackingParts, example, lacking_parts

BODY = ("subject", "body", "text")  # the fields of a rendering that people read, in this order


@dataclass(frozen=True, slots=True)
class Cost:
    """What a way would cost, as reckoned, and what is left of the department's budget for this month, if it has one."""

    unit: Decimal
    messages: int
    currency: str
    left: Decimal | None

    @property
    def total(self) -> Decimal:
        """All of it."""
        return self.unit * self.messages


@dataclass(frozen=True, slots=True)
class Way:
    """One channel: what an example family would get by it, how the rules judge that, and what it counts as."""

    account: str
    example: str  # masked
    rendering: Mapping[str, str] = field(repr=False)
    parts: int
    notes: Sequence[str]
    verdict: Verdict
    cost: Cost | None = None
    costly: Sequence[str] = ()  # characters that make it dearer


@dataclass(frozen=True, slots=True)
class Reading:
    """What one way gives an example family to read, of words that may not be whole yet; `problems` are its own.

    `each`: what one message to that family would cost.
    """

    account: str
    example: str  # masked
    rendering: Mapping[str, str] = field(repr=False)
    parts: int
    notes: Sequence[str]
    costly: Sequence[str]
    each: Decimal
    problems: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The whole dry run."""

    rehearsed: Rehearsed
    reach: Statement
    ways: Mapping[str, Way]
    zone: ZoneInfo  # the school's


def rehearsal(ports: Ports, draft: Draft, *, currency: str, actor: Actor) -> Rehearsal:
    """Check the draft as intake would, then look at whom it reaches and what they would read."""
    rehearsed = intake.rehearse(ports, draft, actor=actor)
    checked, audience = rehearsed.draft, rehearsed.audience
    channels = tuple(name for step in checked.ways for name in step.channels)
    question = Question(
        audience,
        checked.people,
        channels,
        checked.department,
        checked.purpose,
        checked.urgency,
        rehearsed.due_at,
        rehearsed.expires_at,
    )
    with ports.ledger.look() as tx:
        zone = ZoneInfo(tx.school.zone)
        today = rehearsed.now.astimezone(zone).date()
        accounts = {c: tx.accounts.for_channel(c, draft.department) for c in channels}
        reach = before(ports, tx, question)
    kinds = {c: ports.channels.traits(c).address_kind for c in accounts}
    direct = {c: kind for c, kind in kinds.items() if kind is not None and kind.of_people}
    with ledger_of(ports).reading() as hand:
        found = {c: example(hand, audience, checked.people, kind, today=today) for c, kind in direct.items()}
        personal = any(has_placeholder(text) for text in checked.parts.values())
        lack = {
            c: _lacking(checked, lacking_parts(hand, audience, checked.people, kind, today=today))
            for c, kind in direct.items()
            if personal
        }
    ways = {
        c: _way(ports, currency, rehearsed, a, found.get(c), lack.get(c, ()))
        for c, a in accounts.items()
        if a is not None
    }
    return Rehearsal(rehearsed, reach, ways, zone)


def readings(ports: Ports, draft: Draft) -> Mapping[str, Reading | Problem]:
    """What a draft would read like by each of its ways, while somebody still writes it: it need not be whole.

    As `rehearsal` shows it, by the same functions, but that nothing is checked or counted. A way that cannot be opened
    has the problem instead; without an audience that is known, it is written to nobody in particular.
    """
    with ports.ledger.look() as tx:
        accounts = {c: tx.accounts.for_channel(c, draft.department) for c in drafts.channels_of(draft)}
        today = today_of(tx)
        try:
            audience = expressions.resolve(tx, audiences.parse(draft.audience))
        except RuleBroken:
            audience = None
    found: dict[str, Reading | Problem] = {}
    with ledger_of(ports).reading() as hand:
        for name, account in accounts.items():
            kind = ports.channels.traits(name).address_kind
            family = None
            if audience is not None and kind is not None and kind.of_people:
                family = example(hand, audience, draft.people, kind, today=today)
            if account is not None:
                found[name] = _reading(ports, draft, account, family)
    return found


def _reading(ports: Ports, draft: Draft, account: AccountRow, family: Example | None) -> Reading | Problem:
    try:
        channel = ports.channels.open(account.name)
        message, masked = _rendered(ports, draft, channel, family)
        wording = drafts.with_its_link(ports, drafts.wording_of(draft))
        problems = drafts.objections(channel, wording)
    except SetupError as fault:
        return fault.problems[0]
    except RuleBroken as broken:
        return broken.problem
    takes = charging(channel)
    return Reading(
        account.name,
        masked,
        _readable(message),
        message.parts,
        (*message.notes, *_left_behind(draft, channel)),
        message.costly,
        takes.cost(message) if takes is not None else Decimal(0),
        problems,
    )


def _cost(currency: str, rehearsed: Rehearsed, account: AccountRow) -> Cost | None:
    case = next((ruling.case for ruling in rehearsed.rulings if ruling.account.name == account.name), None)
    if case is None or not case.unit:
        return None
    left = None if case.budget is None else case.budget - case.spent - case.committed
    return Cost(case.unit, case.messages, currency, left)


def _lacking(draft: Draft, lack: LackingParts) -> Sequence[str]:
    """Who reads plain words where others read their own."""
    wants = {part for part in PERSONAL if any(part in text for text in draft.parts.values())}
    said = []
    if lack.doubtful:
        shared = _many(lack.doubtful, "address gets", "addresses get")
        said.append(f"{shared} no names, being shared by strangers")
    if CLASS in wants and lack.without_form:
        formless = _many(lack.without_form, "person has", "people have")
        said.append(f"{formless} no form: instead of {CLASS} stands “{LACKING[CLASS]}”")
    if GUARDIAN in wants and draft.people in (People.PUPILS, People.STAFF):
        said.append(f"nobody told is a guardian: instead of {GUARDIAN} stands “{LACKING[GUARDIAN]}”")
    return said


def _way(
    ports: Ports,
    currency: str,
    rehearsed: Rehearsed,
    account: AccountRow,
    family: Example | None,
    lack: Sequence[str],
) -> Way:
    channel = ports.channels.open(account.name)
    draft = rehearsed.draft
    message, masked = _rendered(ports, draft, channel, family)
    return Way(
        account.name,
        masked,
        _readable(message),
        message.parts,
        (*message.notes, *lack, *_left_behind(draft, channel), *_by_others(ports, account.name)),
        _verdict(rehearsed, account, channel, family),
        _cost(currency, rehearsed, account),
        message.costly,
    )


def _rendered(ports: Ports, draft: Draft, channel: Channel, family: Example | None) -> tuple[Message, str]:
    """What an example family would get, as the sender writes it, and to which address, masked."""
    to = _recipient(family, draft.language) if family else replace(PUBLIC, audience=draft.audience)
    kind = None if channel.traits.for_anybody else channel.traits.address_kind
    wording = drafts.wording_of(draft)
    message = channel.render(with_any_link(wording, ports.public_url) if kind else wording, to)
    return message, mask(kind, family.address) if family and kind else "nobody in particular"


def _recipient(family: Example, language: str) -> Recipient:
    return Recipient(
        family.address, family.names, language, guardians=family.guardians, classes=family.classes
    )


def _left_behind(draft: Draft, channel: Channel) -> Sequence[str]:
    if not draft.attachments or channel.traits.carries_files:
        return ()
    return (
        "the attachments go as links" if channel.traits.links_files else "the attachments do not go this way",
    )


def _by_others(ports: Ports, account: str) -> Sequence[str]:
    """What is shown and reckoned is of the first gateway; whoever reads it should know of the others."""
    first, *others = (gateway.name for gateway in ports.channels.gateways(account))
    if not others:
        return ()
    return (f"as {first} sends it; while that fails it goes by {', then by '.join(others)}, at its price",)


def _readable(message: Message) -> dict[str, str]:
    return {name: str(message.fields[name]) for name in BODY if name in message.fields}


def _verdict(rehearsed: Rehearsed, account: AccountRow, channel: Channel, family: Example | None) -> Verdict:
    """How the rules judge it: the announcement, and the example with nothing against this family."""
    case = Case(
        now=rehearsed.due_at,
        channel=account.channel,
        account=account.name,
        purpose=rehearsed.draft.purpose,
        urgency=rehearsed.draft.urgency,
        due_at=rehearsed.due_at,
        expires_at=rehearsed.expires_at,
        account_paused=account.paused_at is not None,
        broadcast=channel.traits.for_anybody,
        consent=True,
        covers=tuple(Cover(0, 0, name) for name in (family.names if family else ()) or ("",)),
        posture=account.posture,
        # As it will have been looked at just before the sending.
        posture_age=timedelta(0) if account.posture is not None else None,
    )
    said = next(one for one in rehearsed.rulings if one.account.name == account.name)
    case = replace(case, rules=said.case.rules)
    verdict = together((said.verdict, judge(case, (*HOUSE_RULES, *book.EACH_DELIVERY, *channel.policies))))
    # What holds another way and with it the whole announcement holds this one too.
    whole = rehearsed.hold
    return verdict if whole is None else together((verdict, whole))


def ledger_of(ports: Ports) -> Ledger:
    """The ledger with its reads, which the law has no use for."""
    assert isinstance(ports.ledger, Ledger)  # noqa: S101 - config.assembly makes no other
    return ports.ledger


def _many(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"
