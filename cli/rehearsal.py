"""`carillon announce --dry-run`: what would go to whom, and who is not reached, with nothing kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from broker import drafts, intake, judging
from broker.actor import Actor
from broker.address import mask
from broker.announcement import Draft, People
from broker.channel import PUBLIC, Channel, Message, Recipient
from broker.house_rules import HOUSE_RULES
from broker.intake import Rehearsed
from broker.ladders.links import with_any_link
from broker.money import written
from broker.naming import CLASS, GUARDIAN, LACKING, PERSONAL, has_placeholder
from broker.office.reach import Question, Statement, before
from broker.office.reach import Way as Reach
from broker.policy import Allow, Case, Cover, Hold, Verdict, judge, together
from broker.rules import book
from broker.values import AccountRow
from cli import show
from cli.held import besides_as_told, held_as_told
from config.assembly import House
from ledger.reads.example import Example, LackingParts, example, lacking_parts

MOST_NAMED = 500
OPTED_OUT = "opted_out"
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


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The whole dry run."""

    rehearsed: Rehearsed
    reach: Statement
    ways: Mapping[str, Way]
    zone: ZoneInfo  # the school's


def rehearsal(house: House, draft: Draft, *, actor: Actor) -> Rehearsal:
    """Check the draft as intake would, then look at whom it reaches and what they would read."""
    rehearsed = intake.rehearse(house.ports, draft, actor=actor)
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
    with house.ledger.look() as tx:
        zone = ZoneInfo(tx.school.zone)
        today = rehearsed.now.astimezone(zone).date()
        accounts = {c: tx.accounts.for_channel(c, draft.department) for c in channels}
        reach = before(house.ports, tx, question)
    kinds = {c: house.ways_out.traits(c).address_kind for c in accounts}
    direct = {c: kind for c, kind in kinds.items() if kind is not None}
    with house.ledger.reading() as hand:
        found = {c: example(hand, audience, checked.people, kind, today=today) for c, kind in direct.items()}
        personal = any(has_placeholder(text) for text in checked.parts.values())
        lack = {
            c: _lacking(checked, lacking_parts(hand, audience, checked.people, kind, today=today))
            for c, kind in direct.items()
            if personal
        }
    ways = {
        c: _way(house, rehearsed, a, found.get(c), lack.get(c, ()))
        for c, a in accounts.items()
        if a is not None
    }
    return Rehearsal(rehearsed, reach, ways, zone)


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
    show.say("", nobody if lost else "Everybody is reached.")
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


def _cost(house: House, rehearsed: Rehearsed, account: AccountRow) -> Cost | None:
    case = next((ruling.case for ruling in rehearsed.rulings if ruling.account.name == account.name), None)
    if case is None or not case.unit:
        return None
    left = None if case.budget is None else case.budget - case.spent - case.committed
    return Cost(case.unit, case.messages, house.settings.school.currency, left)


def _lacking(draft: Draft, lack: LackingParts) -> Sequence[str]:
    """Who reads plain words where others read their own."""
    wants = {part for part in PERSONAL if any(part in text for text in draft.parts.values())}
    said = []
    if lack.doubtful:
        shared = show.many(lack.doubtful, "address gets", "addresses get")
        said.append(f"{shared} no names, being shared by strangers")
    if CLASS in wants and lack.without_form:
        formless = show.many(lack.without_form, "person has", "people have")
        said.append(f"{formless} no form: instead of {CLASS} stands “{LACKING[CLASS]}”")
    if GUARDIAN in wants and draft.people in (People.PUPILS, People.STAFF):
        said.append(f"nobody told is a guardian: instead of {GUARDIAN} stands “{LACKING[GUARDIAN]}”")
    return said


def _way(
    house: House, rehearsed: Rehearsed, account: AccountRow, family: Example | None, lack: Sequence[str]
) -> Way:
    channel = house.ways_out.open(account.name)
    draft = rehearsed.draft
    to = _recipient(family, draft.language) if family else PUBLIC
    kind = channel.traits.address_kind
    wording = drafts.wording_of(draft)
    message = channel.render(with_any_link(wording, house.ports.public_url) if kind else wording, to)
    masked = mask(kind, family.address) if family and kind else "nobody in particular"
    return Way(
        account.name,
        masked,
        _readable(message),
        message.parts,
        (*message.notes, *lack, *_left_behind(draft, channel)),
        _verdict(rehearsed, account, channel, family),
        _cost(house, rehearsed, account),
    )


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
        broadcast=channel.traits.broadcast,
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


def _in_words(verdict: Verdict, zone: ZoneInfo | None = None) -> str:
    """A verdict as a sentence."""
    if isinstance(verdict, Allow):
        return f"The rules allow it; {verdict.why}." if verdict.why else "The rules allow it."
    if isinstance(verdict, Hold):
        until = f" until {show.wall(verdict.until, zone)}" if zone else ""
        return f"It would wait{until}: {verdict.told}."
    return f"It would not go: {verdict.why}."
