"""Facts about who can be told, for the reach statement: a few queries for a whole school."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, func, select, text

from broker.address import AddressKind
from broker.announcement import People, Purpose
from broker.audience import Audience
from broker.duty import Unreached
from broker.ports.office import Lacking
from broker.rosters.roster import Role
from ledger.audience import addresses_for, holders_of, holds_on, members, told, why_unreached
from ledger.hand import Hand
from ledger.tables import (
    address,
    bounced,
    consent,
    guardianship,
    membership,
    people_group,
    person,
    person_address,
    suppression,
)

holder = person.alias("holder")


class Reaches:
    """See broker.ports.office.Reaches."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def count(self, audience: Audience, people: People, today: date) -> int:
        """How many a duty would be about."""
        those = members(audience, people, today).subquery("told")
        counted = select(func.count(func.distinct(those.c.person_id)))
        return int(self._hand.connection.execute(counted).scalar_one())

    def count_groups(self, folded_names: Collection[str], people: People, today: date) -> Mapping[str, int]:
        """The same of many groups that have members of their own; those that there are not are left out."""
        role = Role.STAFF if people is People.STAFF else Role.PUPIL
        query = _counted(role, today)
        return dict(iter(self._hand.connection.execute(query, {"folded_names": sorted(folded_names)})))

    def count_reached(
        self, audience: Audience, people: People, kinds: Collection[AddressKind], today: date
    ) -> int:
        """How many of them have an address of one of these kinds, of their own or of whoever is told for them."""
        those = told(self._hand.dialect, audience, people, today)
        reach = addresses_for(people).subquery("reach")
        counted = (
            select(func.count(func.distinct(reach.c.person_id)))
            .join(those, those.c.person_id == reach.c.person_id)
            .where(reach.c.kind.in_([kind.value for kind in kinds]))
        )
        return int(self._hand.connection.execute(counted).scalar_one())

    def told(self, audience: Audience, people: People, today: date) -> set[int]:
        """Everybody a duty would be about."""
        return set(self._hand.connection.execute(members(audience, people, today)).scalars())

    def pairs(
        self, audience: Audience, people: People, kinds: Collection[AddressKind], today: date
    ) -> Mapping[AddressKind, Sequence[tuple[int, int]]]:
        """(person, address) for each address by which each of them may be told, by its kind; some twice.

        One query for all kinds: most of its cost is finding out who looks after whom.
        """
        those = told(self._hand.dialect, audience, people, today)
        reach = addresses_for(people).subquery("reach")
        found = self._hand.connection.execute(
            select(reach.c.kind, reach.c.person_id, reach.c.address_id)
            .join(those, those.c.person_id == reach.c.person_id)
            .where(reach.c.kind.in_([kind.value for kind in kinds]))
        )
        pairs: dict[str, list[tuple[int, int]]] = {kind.value: [] for kind in kinds}
        for kind, person_id, address_id in found.all():
            pairs[kind].append((person_id, address_id))
        return {kind: pairs[kind.value] for kind in kinds}

    def opted_out(self, channel: str) -> set[int]:
        """Addresses that asked for no more on a channel."""
        query = (
            select(address.c.id)
            .join(suppression, suppression.c.hash == address.c.hash)
            .where(suppression.c.channel == channel)
        )
        return set(self._hand.connection.execute(query).scalars())

    def bounced(self, channel: str) -> set[int]:
        """Addresses that get nothing more on a channel because what went there came back."""
        query = select(address.c.id).join(bounced, bounced.c.hash == address.c.hash)
        return set(self._hand.connection.execute(query.where(bounced.c.channel == channel)).scalars())

    def consents(self, channel: str, purpose: Purpose) -> Mapping[int, int]:
        """Address → what its holders said, by number as in `Deliveries.pick`."""
        this = and_(consent.c.channel == channel, consent.c.purpose == purpose.value)
        asked = (
            select(person_address.c.address_id)
            .join(consent, consent.c.person_id == person_address.c.person_id)
            .where(this)
        )
        given = func.min(case((consent.c.given, 1), (consent.c.person_id.is_not(None), 0)))
        query = (
            select(
                person_address.c.address_id,
                given * (1 + func.min(case((consent.c.guardian_given, 1), else_=0))),
            )
            .outerjoin(consent, and_(consent.c.person_id == person_address.c.person_id, this))
            .where(person_address.c.address_id.in_(asked))
            .group_by(person_address.c.address_id)
        )
        return {row[0]: row[1] for row in self._hand.connection.execute(query)}

    def own(self, kind: AddressKind) -> Mapping[tuple[int, int], tuple[date | None, str]]:
        """(pupil, address) → birth date and year group, where no guardian of the pupil's holds it too."""
        theirs = person_address.alias("theirs")
        shared = (
            exists()
            .where(guardianship.c.pupil_id == person_address.c.person_id)
            .where(theirs.c.person_id == guardianship.c.guardian_id)
            .where(theirs.c.address_id == person_address.c.address_id)
            .where(holder.c.id == guardianship.c.guardian_id, holder.c.active)
        )
        query = (
            select(person_address.c.person_id, person_address.c.address_id, person.c.born, person.c.year)
            .join(person, person.c.id == person_address.c.person_id)
            .join(address, address.c.id == person_address.c.address_id)
            .where(person.c.is_pupil, address.c.kind == kind.value, ~shared)
        )
        return {(row[0], row[1]): (row[2], row[3] or "") for row in self._hand.connection.execute(query)}

    def lacking(self, people: People, persons: Sequence[int]) -> Sequence[Lacking]:
        """These people, by group and name, and what there is of theirs."""
        holders = holders_of(people).subquery("holders")
        holder = person.alias("holder")

        def somebody(flag: ColumnElement[bool]) -> ColumnElement[int]:
            theirs = (
                exists()
                .where(holders.c.person_id == person.c.id, holder.c.id == holders.c.holder_id)
                .where(holder.c.active, flag)
            )
            return case((theirs, 1), else_=0)

        query = (
            select(
                person.c.id,
                person.c.public_id,
                called().label("name"),
                group_of().label("group"),
                why_unreached(people, person.c.id).label("why"),
                somebody(holder.c.mobile_refused).label("mobile"),
                somebody(holder.c.email_refused).label("email"),
            )
            .where(text(self._hand.dialect.any_of("person.id", "persons")))
            .order_by(group_of(), person.c.family_name, called(), person.c.id)
        )
        values = {"persons": self._hand.dialect.ids(persons)}
        return [_lacking(row) for row in self._hand.connection.execute(query, values)]


def called() -> ColumnElement[str]:
    """The name by which somebody is listed."""
    given = func.coalesce(person.c.preferred_name, person.c.given_name)
    return func.trim(given + " " + person.c.family_name)


def group_of() -> ColumnElement[str]:
    """Where somebody is found on a school's lists: the form, else the year; staff are staff."""
    year = case((person.c.year == "R", "Reception"), else_="Year " + person.c.year)
    return func.coalesce(person.c.form, year, case((person.c.is_staff, "staff"), else_=""))


def _lacking(row: Any) -> Lacking:
    flags = {AddressKind.MOBILE: row.mobile, AddressKind.EMAIL: row.email}
    refused = frozenset(kind for kind, flag in flags.items() if flag)
    return Lacking(row.id, row.public_id, row.name, row.group, Unreached.of(row.why), refused)


@lru_cache(maxsize=4)  # every announcement asks it, and making it takes longer than asking it
def _counted(role: Role, today: date) -> Select[Any]:
    being = person.c.is_staff if role is Role.STAFF else person.c.is_pupil
    there = and_(person.c.active, being)
    holds = and_(membership.c.group_id == people_group.c.id, membership.c.role == role.value, holds_on(today))
    return (
        select(people_group.c.folded_name, func.count(func.distinct(person.c.id)))
        .outerjoin(membership, holds)
        .outerjoin(person, and_(person.c.id == membership.c.person_id, there))
        .where(people_group.c.active, people_group.c.expression.is_(None))
        .where(people_group.c.folded_name.in_(bindparam("folded_names", expanding=True)))
        .group_by(people_group.c.folded_name)
    )
