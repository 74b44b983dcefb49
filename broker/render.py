"""From a picked delivery to the message that leaves: the wording, the names that may be said, the commitment."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType

from broker.actor import Actor
from broker.announcement import Content, Part
from broker.capabilities import Charges
from broker.channel import Channel, Message, Recipient
from broker.consent.optouts import Links
from broker.delivery import State
from broker.ladders.links import link_of, with_link
from broker.money import micros
from broker.naming import CHANGES, GUARDIAN, names_of, with_changes
from broker.policy import covered
from broker.ports import Ports, Transaction
from broker.record import Entry, commitment, joint_key
from broker.values import AccountRow, Move, Picked

log = logging.getLogger(__name__)
MOST_CACHED = 64  # wordings a renderer keeps: one run meets few
AGAIN = timedelta(minutes=5)
_NO_LINKS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message, for whom, and what the record commits to."""

    message: Message
    to: Recipient
    commitment: str
    cost: int = 0  # in millionths of the currency


class Renderer:
    """Renders for one channel; wordings never change, so each is read once."""

    def __init__(self, ports: Ports, channel: Channel) -> None:
        self._ports = ports
        self._channel = channel
        self._charges = channel if isinstance(channel, Charges) else None
        self._wordings: dict[tuple[int, int], Sequence[Content]] = {}

    def guardians(self, chunk: Sequence[Picked]) -> Mapping[int, tuple[str, ...]]:
        """Delivery → the guardians whom its wording names; asked for only where one of the chunk does."""
        naming = {key: _has(self._versions(*key), GUARDIAN) for key in {_key(one) for one in chunk}}
        wanted = [one.delivery for one in chunk if naming[_key(one)] and one.address_id is not None]
        if not wanted:
            return {}
        with self._ports.ledger.look() as tx:
            return tx.deliveries.guardians(wanted)

    def changes(self, chunk: Sequence[Picked]) -> Mapping[int, Sequence[str]]:
        """Delivery → the timetable's changes that concern whom it covers; asked for only where a wording has them."""
        keys = {_key(one) for one in chunk}
        having = {key for key in keys if _has(self._versions(*key), CHANGES)}
        wanted = [one for one in chunk if _key(one) in having and not one.doubtful]
        people: dict[int, set[int]] = {}
        for one in wanted:
            people.setdefault(one.announcement, set()).update(c.person for c in covered(one.case))
        if not people:
            return {}
        with self._ports.ledger.look() as tx:
            lines = {about: tx.timetables.lines(about, them) for about, them in people.items()}
        return {one.delivery: _together(one, lines[one.announcement]) for one in wanted}

    def render(
        self, one: Picked, guardians: tuple[str, ...] = (), changes: Sequence[str] = ()
    ) -> Rendered | None:
        """The message for one delivery, or None when its wording cannot be rendered on this channel."""
        try:
            to = recipient_of(one, guardians, self._links(one))
            wording = self._wording(one, to.language)
            if wording.seen:
                wording = self._with_link(one, wording)
            message = self._channel.render(_changed(wording, changes) if changes else wording, to)
        except Exception as error:  # noqa: BLE001 - a channel's render may be anybody's code; what it breaks on stays held
            log.error(
                "announcement %s cannot be rendered for %s: %s",
                one.announcement,
                self._channel.name,
                type(error).__name__,
            )
            return None
        return Rendered(message, to, _committed(one, message), self._cost(message))

    def _cost(self, message: Message) -> int:
        return micros(self._charges.cost(message)) if self._charges is not None else 0

    def _links(self, one: Picked) -> Mapping[str, str]:
        """How to get no more, for a way that shows it; none while the school has no public address."""
        base = self._ports.public_url
        if not base or not one.address_hash:
            return _NO_LINKS
        return Links(self._ports.signer, base, self._channel.name, one.address_hash)

    def _with_link(self, one: Picked, wording: Content) -> Content:
        """Where somebody says that it was seen; never at an address that strangers share, nor for the public."""
        base = self._ports.public_url
        if not base or one.address_id is None or one.doubtful or one.case.subscribed is not None:
            return wording
        return with_link(wording, link_of(self._ports.signer, base, one.delivery))

    def hold(self, broken: Sequence[Picked], account: AccountRow, *, actor: Actor) -> None:
        """Put claimed deliveries back, held, and raise an alarm: a render error is for a person to mend."""
        why = "its wording cannot be rendered for this way"

        def work(tx: Transaction) -> None:
            due = tx.now + AGAIN
            ours = tx.moves.still_ours([(one.delivery, one.fence) for one in broken])
            held = [one for one in broken if one.delivery in ours]
            tx.moves.move(
                [
                    Move(
                        delivery=one.delivery,
                        announcement=one.announcement,
                        channel=account.channel,
                        before=State.SENDING,
                        event="hold",
                        state=State.QUEUED,
                        code="render_failed",
                        why=why,
                        due_at=min(due, one.case.expires_at),
                    )
                    for one in held
                ]
            )
            for announcement in {one.announcement for one in held}:
                subject = f"{account.channel} {announcement}"
                tx.sweeps.raise_alarm("render_failed", subject, why)
                facts = {"channel": account.channel}
                tx.record.add([Entry("deliveries.held", actor, facts, announcement)])

        self._ports.ledger.transact(work)

    def _wording(self, one: Picked, language: str) -> Content:
        versions = self._versions(*_key(one))
        return next((c for c in versions if c.language == language), versions[0])

    def _versions(self, announcement: int, version: int) -> Sequence[Content]:
        key = (announcement, version)
        if key not in self._wordings:
            if len(self._wordings) >= MOST_CACHED:
                self._wordings.clear()
            with self._ports.ledger.look() as tx:
                self._wordings[key] = tx.announcements.content(*key)
        return self._wordings[key]


def _key(one: Picked) -> tuple[int, int]:
    return one.announcement, one.content_version


def _has(versions: Sequence[Content], part: str) -> bool:
    return any(part in text for content in versions for text in content.parts.values())


def _together(one: Picked, lines: Mapping[int, Sequence[tuple[int, str]]]) -> Sequence[str]:
    """Every line of those whom a delivery covers, once, in the order of the days and periods."""
    mine = {line for cover in covered(one.case) for line in lines.get(cover.person, ())}
    return list(dict.fromkeys(words for _, words in sorted(mine)))


def _changed(content: Content, lines: Sequence[str]) -> Content:
    return replace(
        content,
        parts={
            part: with_changes(text, lines, markdown=part is Part.LONG)
            for part, text in content.parts.items()
        },
    )


def _committed(one: Picked, message: Message) -> str:
    """What the record keeps of address and text: the keys of the address and of all it tells of explain it together.

    Their order is the address, then the people by id. "" for the public, and where a key is gone already.
    """
    told = sorted(covered(one.case), key=lambda cover: cover.person)
    keys = [one.commitment_key, *(cover.commitment_key for cover in told)]
    held = [key for key in keys if key is not None]
    return commitment(joint_key(held), one.address, message.digest) if len(held) == len(keys) else ""


def recipient_of(
    one: Picked, guardians: tuple[str, ...] = (), links: Mapping[str, str] = _NO_LINKS
) -> Recipient:
    """To whom: the address, and what may be said personally, which is nothing where it is doubtful (design §6)."""
    until, urgency = one.case.expires_at, one.case.urgency
    if one.address_id is None or one.case.subscribed is not None:
        about = {"announcement": str(one.public_id)}
        return Recipient(one.address, (), "", about, (), (), one.audience, until, urgency)
    told = covered(one.case)
    languages = {cover.language for cover in told}
    language = languages.pop() if len(languages) == 1 else ""
    if one.doubtful:
        return Recipient(one.address, (), language, links, (), (), "", until, urgency)
    names = names_of(cover.name for cover in told)
    classes = tuple(cover.form for cover in told if cover.form)
    return Recipient(one.address, names, language, links, guardians, classes, "", until, urgency)
