"""Reckoning: what an announcement would cost, and how far the money goes in a claim.

Money counts from the moment a try is begun, so that what is in hand counts; a proof that it did not leave gives it
back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from broker.announcement import Announcement, Content
from broker.audience import Audience
from broker.capabilities import Charges, charging
from broker.channel import PUBLIC, Channel
from broker.errors import SetupError
from broker.judging import Ruling
from broker.ladders.links import with_any_link
from broker.moments import today_of
from broker.money import amount_of, micros, month_of
from broker.policy import Allow, Verdict
from broker.ports import Ports, Transaction
from broker.rules.case import AnnouncementCase
from broker.rules.money import may_exceed, used_up
from broker.values import AccountRow, Picked

NOTHING_KNOWN: Mapping[str, int] = MappingProxyType({})
IN_HAND = 5_000  # messages: more than all workers together have claimed and not begun


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What an announcement would cost by one way, when it was looked at: each message, and how many."""

    unit: Decimal
    messages: int

    @property
    def total(self) -> Decimal:
        """All of it."""
        return self.unit * self.messages


def reckon(
    ports: Ports,
    tx: Transaction,
    announcement: Announcement,
    audience: Audience,
    wording: Sequence[Content],
) -> Mapping[str, Reckoned]:
    """What it costs by each way that costs anything: worked out from its wording and from who has an address; kept.

    Personal parts can make a text longer than was reckoned; what was truly begun is counted as it was.
    """
    found = costs_of(ports, tx, announcement, wording, audience)
    for account, cost in found:
        tx.money.reckoned(announcement.id, account, micros(cost.unit), cost.messages)
    return {account.channel: cost for account, cost in found}


def reckon_missing(ports: Ports, tx: Transaction, announcement: Announcement, audience: Audience) -> None:
    """Just before it is planned: what goes by another account than was reckoned, or by one that could not be opened.

    Without it nothing would be known of its price, and no budget would hold it.
    """
    known = tx.money.reckonings(announcement.id)
    if not any(_charged(ports, tx, announcement, known)):  # before any wording is read: most cost nothing
        return
    version = tx.approvals.binding(announcement).content_version
    wording = tx.announcements.content(announcement.id, version)
    for account, cost in costs_of(ports, tx, announcement, wording, audience, known):
        tx.money.reckoned(announcement.id, account, micros(cost.unit), cost.messages)


def costs_of(
    ports: Ports,
    tx: Transaction,
    announcement: Announcement,
    wording: Sequence[Content],
    audience: Audience,
    known: Mapping[str, int] = NOTHING_KNOWN,
) -> Sequence[tuple[AccountRow, Reckoned]]:
    """What it costs on each account that charges, with nothing kept; but for accounts by which it is `known`."""
    today = today_of(tx)
    costs: list[tuple[AccountRow, Reckoned]] = []
    listed = tx.threads.listed(announcement.id) if announcement.follow_up is not None else None
    for account, channel, charges in _charged(ports, tx, announcement, known):
        kind = channel.traits.address_kind
        said = [with_any_link(each, ports.public_url) for each in wording] if kind else wording
        try:
            unit = max((charges.cost(channel.render(each, PUBLIC)) for each in said), default=Decimal(0))
        except Exception:  # noqa: BLE001 - what cannot be rendered is held and told where it would be sent
            unit = Decimal(0)
        if not unit:
            continue
        pairs = tx.reaches.pairs(audience, announcement.people, {kind}, today)[kind] if kind else ((0, 0),)
        told = (pair for pair in pairs if listed is None or not kind or pair[0] in listed)
        costs.append((account, Reckoned(unit, len({address for _, address in told}))))
    return costs


def _charged(
    ports: Ports, tx: Transaction, announcement: Announcement, known: Mapping[str, int]
) -> Iterator[tuple[AccountRow, Channel, Charges]]:
    """The accounts by which it would go that charge for it, but those by which its cost is `known`."""
    for name in dict.fromkeys(channel for step in announcement.ways for channel in step.channels):
        account = tx.accounts.for_channel(name, announcement.department)
        if account is None or known.get(name) == account.id:
            continue
        channel = _opened(ports, account)
        if channel is not None and (charges := charging(channel)) is not None:
            yield account, channel, charges


def _opened(ports: Ports, account: AccountRow) -> Channel | None:
    """None where it cannot be opened: then nothing leaves by it either."""
    try:
        return ports.channels.open(account.name)
    except SetupError:
        return None


def share(
    tx: Transaction, judged: Sequence[tuple[Picked, Verdict]], rulings: Mapping[int, Ruling]
) -> Sequence[tuple[Picked, Verdict]]:
    """What was judged, with those held that there is no money for, one after the other.

    Far from its end a department's budget is not even looked at. Near it, it is locked, and what every other worker has
    in hand counts, so that two never spend the same money.
    """
    cases = {each: ruling.case for each, ruling in rulings.items() if _bound(ruling.case)}
    near = {case.department for case in cases.values() if _left(case) < case.unit * (len(judged) + IN_HAND)}
    if not near:
        return judged
    known = next(iter(cases.values()))
    left = {
        department: amount_of(kept)
        for department, kept in tx.money.left(near, month_of(known.now, known.zone)).items()
    }
    shared: list[tuple[Picked, Verdict]] = []
    for one, verdict in judged:
        case, answer = cases.get(one.announcement), verdict
        if case is not None and case.department in left and isinstance(verdict, Allow):
            if left[case.department] < case.unit:
                answer = used_up(case, left[case.department], case.unit)
            else:
                left[case.department] -= case.unit
        shared.append((one, answer))
    return shared


def _bound(case: AnnouncementCase) -> bool:
    return case.budget is not None and bool(case.unit) and not may_exceed(case)


def _left(case: AnnouncementCase) -> Decimal:
    return (case.budget or Decimal(0)) - case.spent
