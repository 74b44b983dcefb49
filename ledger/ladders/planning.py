"""What a climb plans: deliveries for the addresses of those who stand on a new rung, each address once by a channel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import case, insert, literal, select, text, update

from broker.address import AddressKind
from broker.announcement import AS_CORRECTION, RIGHT_TEXT, Announcement, FollowUp
from broker.corrections.law import AGAIN, MAY_HAVE_LEFT
from broker.delivery import State
from broker.ports.ladders import RungWay
from broker.values import AccountRow
from ledger import tables as t
from ledger.audience import addresses_for
from ledger.corrections.threads import Threads
from ledger.deliveries import Deliveries
from ledger.fresh_deliveries import delivery_values
from ledger.hand import Hand


def plan_rung(
    hand: Hand,
    announcement: Announcement,
    way: RungWay,
    wanted: Sequence[int],
    said: Mapping[int, set[int]],
) -> int:
    """Plan one way for some duties of a locked announcement; returns how many deliveries were added.

    `said`: who has said of each duty that it was seen, and is not written to again. An address that had its delivery
    is not written to twice: what is still queued there tells of these, too, and of the rest nobody hears this way.
    """
    channel = way.channel
    told = _told(hand, announcement, way.kind, wanted, said)
    there = _there(hand, announcement, channel, sorted(told))
    fresh = sorted(address for address in told if address not in there)
    made = _add(hand, announcement, channel, way.account, {address: told[address] for address in fresh})
    joined = {address: delivery for address, (delivery, joins) in there.items() if joins}
    covers = {(delivery, duty) for address, delivery in {**joined, **made}.items() for duty in told[address]}
    covered = covers - _covered(hand, list(joined.values()))
    if covered:
        rows = [{"delivery_id": delivery, "duty_id": duty} for delivery, duty in sorted(covered)]
        hand.connection.execute(insert(t.delivery_covers), rows)
        known = sorted({duty for _, duty in covered})
        explained = update(t.duty).where(text(hand.dialect.any_of("duty.id", "duties")))
        hand.connection.execute(explained.values(unreached=None), {"duties": hand.dialect.ids(known)})
    Deliveries(hand).tally([(announcement.id, channel, State.QUEUED, len(made))] if made else [])
    return len(made)


def _told(
    hand: Hand,
    announcement: Announcement,
    kind: AddressKind,
    wanted: Sequence[int],
    said: Mapping[int, set[int]],
) -> Mapping[int, set[int]]:
    """Address → duties: by which addresses somebody hears of each who has not said so already."""
    reach = addresses_for(announcement.people).subquery("reach")
    pairs = (
        select(t.duty.c.id, reach.c.address_id, reach.c.holder_id)
        .join(reach, reach.c.person_id == t.duty.c.person_id)
        .where(reach.c.kind == kind.value, text(hand.dialect.any_of("duty.id", "duties")))
    )
    told: dict[int, set[int]] = defaultdict(set)
    for duty, address, holder in hand.connection.execute(pairs, {"duties": hand.dialect.ids(wanted)}):
        if holder not in said.get(duty, ()):
            told[address].add(duty)
    return told


def _there(
    hand: Hand, announcement: Announcement, channel: str, addresses: Sequence[int]
) -> Mapping[int, tuple[int, bool]]:
    """Address → its delivery by this channel, locked, and whether it has yet to leave for the first time.

    Of this announcement, or of what says it again, unless that was taken back: it tells of the same.
    """
    if not addresses:
        return {}
    d, said = t.delivery.c, t.announcement.c
    again = select(said.id).where(
        said.corrects == announcement.id, said.follow_up.in_(AGAIN), said.withdrawn_at.is_(None)
    )
    these = [announcement.id, *hand.connection.execute(again).scalars()]
    rows = hand.connection.execute(
        select(d.id, d.address_id, d.state)
        .where(
            d.announcement_id.in_(these),
            d.channel == channel,
            text(hand.dialect.any_of("delivery.address_id", "addresses")),
        )
        .order_by(d.id)
        .with_for_update(),
        {"addresses": hand.dialect.ids(addresses)},
    )
    found: dict[int, tuple[int, bool]] = {}
    for row in rows:
        known = found.get(row.address_id)
        if known is None or not known[1]:
            found[row.address_id] = (row.id, row.state == State.QUEUED.value)
    return found


def _add(
    hand: Hand,
    announcement: Announcement,
    channel: str,
    account: AccountRow,
    told: Mapping[int, set[int]],
) -> Mapping[int, int]:
    """Address → the delivery made for it. Due as its announcement was, so that it goes before what came later.

    Of a correction it says that it is one only where somebody may have the wrong text.
    """
    if not told:
        return {}
    address = t.address.c.id
    values = delivery_values(announcement, channel, account, address, hand)
    parameters = {"addresses": hand.dialect.ids(sorted(told))}
    if announcement.follow_up is FollowUp.CORRECTION:
        wrong = _told_wrongly(hand, announcement, sorted(set().union(*told.values())))
        parameters["wrongly"] = hand.dialect.ids(sorted(each for each in told if told[each] & wrong))
        wrongly = text(hand.dialect.any_of("address.id", "wrongly"))
        values["content_version"] = case((wrongly, literal(AS_CORRECTION)), else_=literal(RIGHT_TEXT))
    chosen = select(*values.values()).where(text(hand.dialect.any_of("address.id", "addresses")))
    made = insert(t.delivery).from_select(list(values), chosen.order_by(address))
    rows = hand.connection.execute(made.returning(t.delivery.c.address_id, t.delivery.c.id), parameters)
    return {row.address_id: row.id for row in rows}


def _told_wrongly(hand: Hand, announcement: Announcement, wanted: Sequence[int]) -> set[int]:
    """Of these duties those whose person something of the thread has told, or may have, by whichever way."""
    earlier, d = t.duty.alias("earlier"), t.delivery.c
    rows = hand.connection.execute(
        select(t.duty.c.id)
        .distinct()
        .join(earlier, earlier.c.person_id == t.duty.c.person_id)
        .join(t.delivery_covers, t.delivery_covers.c.duty_id == earlier.c.id)
        .join(t.delivery, d.id == t.delivery_covers.c.delivery_id)
        .where(
            earlier.c.announcement_id.in_(Threads(hand).before(announcement.id)),
            d.address_id.is_not(None),
            d.state.in_([state.value for state in MAY_HAVE_LEFT]),
            text(hand.dialect.any_of("duty.id", "duties")),
        ),
        {"duties": hand.dialect.ids(wanted)},
    )
    return set(rows.scalars())


def _covered(hand: Hand, deliveries: Sequence[int]) -> set[tuple[int, int]]:
    if not deliveries:
        return set()
    c = t.delivery_covers.c
    rows = hand.connection.execute(
        select(c.delivery_id, c.duty_id).where(
            text(hand.dialect.any_of("delivery_covers.delivery_id", "deliveries"))
        ),
        {"deliveries": hand.dialect.ids(deliveries)},
    )
    return {(row.delivery_id, row.duty_id) for row in rows}
