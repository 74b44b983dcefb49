"""Who said that they had seen it: by which address, for which duties, and whom else it still wants."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import insert, select, text, update

from broker.address import AddressKind
from broker.announcement import Announcement
from ledger import tables as t
from ledger.announcements import Announcements
from ledger.audience import blocked_for
from ledger.covers import covers_of
from ledger.hand import Hand


class Seen:
    """The half of broker.ports.ladders.Ladders that is about acknowledgements."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def guardians_asked(
        self, duties: Collection[int], kinds: Collection[AddressKind]
    ) -> Mapping[int, set[int]]:
        """Duty → the guardians of its pupil whom an address of one of these kinds reaches."""
        g, holds = t.guardianship.c, t.person_address.c
        rows = self._run(
            select(t.duty.c.id, g.guardian_id)
            .distinct()
            .join(t.guardianship, g.pupil_id == t.duty.c.person_id)
            .join(t.person, t.person.c.id == g.guardian_id)
            .join(t.person_address, holds.person_id == g.guardian_id)
            .join(t.address, t.address.c.id == holds.address_id)
            .where(
                self._these("duty.id"),
                ~g.blocked,
                t.person.c.active,
                t.address.c.kind.in_([kind.value for kind in kinds]),
                ~blocked_for(g.pupil_id, holds.address_id),
            ),
            duties,
        )
        return _by_duty(rows)

    def have_said(self, duties: Collection[int]) -> Mapping[int, set[int]]:
        """Duty → who holds an address by which it was said that it was seen; a holder who left counts no more."""
        a, holds = t.acknowledgement.c, t.person_address.c
        rows = self._run(
            select(a.duty_id, holds.person_id)
            .join(t.person_address, holds.address_id == a.address_id)
            .join(t.person, t.person.c.id == holds.person_id)
            .where(self._these("acknowledgement.duty_id"), t.person.c.active),
            duties,
        )
        return _by_duty(rows)

    def say_seen(self, duties: Collection[int], address: int) -> None:
        """Keep that it was said by this address (0: at the office) for duties for which it had not been."""
        known = set(self._said_by(duties, address))
        rows = [
            {"duty_id": duty, "address_id": address, "at": self._hand.now}
            for duty in sorted(set(duties) - known)
        ]
        if rows:
            self._hand.connection.execute(insert(t.acknowledgement), rows)

    def acknowledge(self, duties: Collection[int]) -> int:
        """These duties are acknowledged; returns how many were not before."""
        told = (
            update(t.duty)
            .where(self._these("duty.id"), t.duty.c.acknowledged_at.is_(None))
            .values(acknowledged_at=self._hand.now)
        )
        return int(self._run(told, duties).rowcount) if duties else 0

    def duty_of(self, announcement: int, person: int) -> int | None:
        """The duty that an announcement has about a person."""
        which = select(t.duty.c.id).where(
            t.duty.c.announcement_id == announcement, t.duty.c.person_id == person
        )
        return self._hand.connection.execute(which).scalar_one_or_none()

    def _told_by(self, delivery: int) -> tuple[Announcement, int, tuple[int, ...]] | None:
        """Of a delivery to an address: what it tells of, the address, and the duties of those it may still tell of.

        Of what is said again that is the first, whose duties they are. Whoever is blocked, or gone, since it was sent
        has no say about that child any more.
        """
        which = select(t.delivery.c.address_id).where(t.delivery.c.id == delivery)
        address = self._hand.connection.execute(which).scalar_one_or_none()
        if address is None:
            return None
        covers = covers_of(self._hand, [delivery]).get(delivery, [])
        told = tuple(cover.duty for cover in covers if not (cover.blocked or cover.gone))
        if not told:
            return None
        whose = select(t.duty.c.announcement_id).where(t.duty.c.id == told[0])
        announcement = self._hand.connection.execute(whose).scalar_one()
        return Announcements(self._hand).by_id(announcement), address, told

    def _said_by(self, duties: Collection[int], address: int) -> tuple[int, ...]:
        a = t.acknowledgement.c
        rows = self._run(
            select(a.duty_id).where(a.address_id == address, self._these("acknowledgement.duty_id")), duties
        )
        return tuple(row.duty_id for row in rows)

    def _open(self, duties: Collection[int]) -> tuple[int, ...]:
        waiting = select(t.duty.c.id).where(self._these("duty.id"), t.duty.c.acknowledged_at.is_(None))
        return tuple(row.id for row in self._run(waiting, duties))

    def _these(self, column: str) -> Any:
        return text(self._hand.dialect.any_of(column, "duties"))

    def _run(self, statement: Any, duties: Collection[int]) -> Any:
        return self._hand.connection.execute(statement, {"duties": self._hand.dialect.ids(list(duties))})


def _by_duty(rows: Any) -> Mapping[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for duty, person in rows:
        found[duty].add(person)
    return found
