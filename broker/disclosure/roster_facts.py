"""What the roster says to an announcement on one account: names in it, whose number it goes by, who reads it too.

Dear to find out, so asked where an announcement is judged whole, and never in the claim's look at what changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from broker import audience as audiences
from broker.actor import ActorKind
from broker.address import AddressKind
from broker.announcement import People, Purpose
from broker.audience import Everyone, fold
from broker.authority import notices
from broker.capabilities import speaking
from broker.channel import Channel, Recipient
from broker.disclosure.plain_letters import plain
from broker.errors import ChannelFailed, RuleBroken
from broker.moments import today_of
from broker.office.expressions import resolve
from broker.ports import Ports, Transaction
from broker.rules import adults
from broker.rules.case import AnnouncementCase
from broker.values import AccountRow

WRITTEN_TO = frozenset({People.PUPILS, People.BOTH})  # pupils themselves
PROBE = "https://carillon.invalid/u/stop"  # stands where a way itself says how to have no more


def with_roster(
    ports: Ports, tx: Transaction, account: AccountRow, announcement: int, case: AnnouncementCase
) -> AnnouncementCase:
    """The case with what the people in the ledger have to do with it. Raises SetupError where its channel fails."""
    region = tx.school.region
    if case.broadcast:
        names = tx.people.names() if case.rules.yes("public.names") else None
        return case.but(region=region, names=names)
    channel = ports.channels.open(account.name)
    listed = tx.threads.listed(announcement) if case.people in WRITTEN_TO else None
    covered = _covered(ports, tx, case, listed)
    if covered is not None:
        case = case.but(covered=covered)
    return case.but(
        region=region,
        sender_of=_holder_of(tx, channel),
        accompanied=_is_accompanied(ports, tx, announcement, case, listed),
        worded_as=notices.worded_as(tx, case) if case.author.kind is ActorKind.TOKEN else (),
        adds_opt_out=case.purpose is Purpose.PROMOTIONAL and _says_stop(channel, case),
    )


def _holder_of(tx: Transaction, channel: Channel) -> str:
    try:
        speaks = speaking(channel)
        sender = speaks.sender() if speaks is not None else None
    except Exception as error:
        raise ChannelFailed(channel.name, error) from error
    return tx.people.holder_of(*sender) if sender is not None else ""


def _says_stop(channel: Channel, case: AnnouncementCase) -> bool:
    """Whether what a recipient gets by this way tells how to have no more, whatever the wording says."""
    to = Recipient("somebody@carillon.invalid", links={"unsubscribe": PROBE})
    try:
        rendered = [channel.render(content, to).fields for content in case.contents]
    except Exception:  # noqa: BLE001 - a channel's own code: what cannot be shown says nothing by itself
        return False
    return bool(rendered) and all(any(PROBE in str(value) for value in each.values()) for each in rendered)


def _kinds(ports: Ports, case: AnnouncementCase) -> set[AddressKind]:
    kinds = {ports.channels.traits(way).address_kind for way in case.ways}
    return {kind for kind in kinds if kind is not None and kind.of_people}


def _covered(ports: Ports, tx: Transaction, case: AnnouncementCase, listed: set[int] | None) -> int | None:
    """How many of its people have an address by its ways, where pupils are written to themselves.

    `listed`: whom a follow-up is about, where that is not its audience.
    """
    if case.people not in WRITTEN_TO:
        return None
    try:
        audience = resolve(tx, audiences.parse(case.audience))
    except RuleBroken:  # a group has gone: it waits for that
        return None
    kinds, today = _kinds(ports, case), today_of(tx)
    if listed is not None:
        return len(listed & _people_of(tx.reaches.pairs(Everyone(), case.people, kinds, today)))
    return tx.reaches.count_reached(audience, case.people, kinds, today)


def _people_of(pairs: Mapping[AddressKind, Sequence[tuple[int, int]]]) -> set[int]:
    return {person for of_kind in pairs.values() for person, _ in of_kind}


def _is_accompanied(
    ports: Ports, tx: Transaction, announcement: int, case: AnnouncementCase, listed: set[int] | None
) -> bool:
    """Whether an adult gets by one of these ways what each of a few pupils gets."""
    pupils = adults.covered(case)
    few = pupils is not None and pupils < case.rules.count("adults.smallest")
    if not few or case.people not in WRITTEN_TO:
        return False
    kinds = _kinds(ports, case)
    if any(not _may_be_author(case, *name) for name in tx.people.copies_reached(announcement, kinds)):
        return True
    return case.people is People.BOTH and _guardians_reached(tx, case, kinds, listed)


def _may_be_author(case: AnnouncementCase, given: str, family: str) -> bool:
    """Whether a member of staff is, for all that names can tell, whoever announces it: then nobody else reads it."""
    authors = [_plain_words(name) for name in (case.author.id, case.author.on_behalf_of) if name]
    first, last = _plain_words(given), _plain_words(family)
    return any((last and set(last) <= set(author)) or author == first for author in authors)


def _plain_words(name: str) -> list[str]:
    return fold(plain(name).text).split()


def _guardians_reached(
    tx: Transaction, case: AnnouncementCase, kinds: set[AddressKind], listed: set[int] | None
) -> bool:
    today = today_of(tx)
    try:
        audience = resolve(tx, audiences.parse(case.audience))
    except RuleBroken:  # a group has gone: it waits for that
        return False
    told = tx.reaches.told(audience, People.BOTH, today) if listed is None else listed
    return told <= _people_of(tx.reaches.pairs(audience, People.GUARDIANS, kinds, today))
