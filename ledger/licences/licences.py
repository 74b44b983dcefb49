"""Licences of accounts: versions that stay, and what the newest one comes to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, update

from broker.address import AddressKind
from broker.licences.licence import Licence
from broker.licences.licence_form import as_form, read
from broker.ports.licences import Judged, LicenceRow
from ledger.hand import Hand
from ledger.rosters.people import keyed_hash
from ledger.tables import (
    account,
    address,
    delivery,
    department,
    licence,
    licence_version,
    licence_warning,
    person,
    person_address,
)

LAPSED = "unlicensed"  # the code under which deliveries wait for a licence


class Licences:
    """See broker.ports.Licences."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def of(self, account_id: int) -> LicenceRow | None:
        """An account's newest licence."""
        row = self._hand.connection.execute(_newest().where(account.c.id == account_id)).one_or_none()
        return _row(row) if row else None

    def all(self) -> Sequence[LicenceRow]:
        """Of every configured account that has one, by name."""
        rows = self._hand.connection.execute(_newest().where(account.c.active).order_by(account.c.name))
        return [_row(row) for row in rows]

    def lock(self, account_id: int) -> None:
        """Whoever else settles something about the account waits."""
        self._hand.connection.execute(
            select(account.c.id).where(account.c.id == account_id).with_for_update()
        )

    def add(self, account_id: int, what: Licence, *, digest: str, by: str) -> int:
        """Keep a version that is new; the account is locked, so that two offices count one after the other."""
        run, now = self._hand.connection.execute, self._hand.now
        self.lock(account_id)
        newest = run(
            select(func.max(licence_version.c.version)).where(licence_version.c.account_id == account_id)
        ).scalar_one()
        version = (newest or 0) + 1
        run(
            insert(licence_version).values(
                account_id=account_id,
                version=version,
                body=json.dumps(as_form(what), sort_keys=True),
                digest=digest,
                specimen=what.specimen,
                made_at=now,
                made_by=by,
            )
        )
        if not run(
            update(licence).where(licence.c.account_id == account_id).values(version=version)
        ).rowcount:
            run(insert(licence).values(account_id=account_id, version=version, judged_at=now))
        return version

    def judge(self, account_id: int, judged: Judged, *, lapsed_at: datetime | None) -> None:
        """Keep what the newest version comes to."""
        self._hand.connection.execute(
            update(licence)
            .where(licence.c.account_id == account_id)
            .values(
                stands_until=judged.stands_until,
                lacking=judged.lacking,
                lapsing=judged.lapsing,
                lapsed_at=lapsed_at,
                judged_at=self._hand.now,
            )
        )

    def wake(self, account_id: int) -> int:
        """What waited for a licence is due at once."""
        return self._hand.connection.execute(
            update(delivery)
            .where(
                delivery.c.account_id == account_id, delivery.c.state == "queued", delivery.c.code == LAPSED
            )
            .values(due_at=self._hand.now)
        ).rowcount

    def warn(self, account_id: int, lapses_on: date, days: int) -> bool:
        """Take a step of warning, once."""
        key = {"account_id": account_id, "lapses_on": lapses_on, "days": days}
        told = select(licence_warning.c.days).where(
            *(licence_warning.c[name] == v for name, v in key.items())
        )
        if self._hand.connection.execute(told).first() is not None:
            return False
        self._hand.connection.execute(insert(licence_warning).values(**key, told_at=self._hand.now))
        return True

    def mailed(self, account_id: int, lapses_on: date, days: int, how: str) -> None:
        """Keep how a step was mailed, or why it was not."""
        self._hand.connection.execute(
            update(licence_warning)
            .where(
                licence_warning.c.account_id == account_id,
                licence_warning.c.lapses_on == lapses_on,
                licence_warning.c.days == days,
            )
            .values(mailed=how)
        )

    def staff_with(self, emails: Sequence[str]) -> list[str]:
        """The roster's ids of the staff who have one of these emails."""
        hashes = [keyed_hash(self._hand.signer, AddressKind.EMAIL, email) for email in emails]
        found = self._hand.connection.execute(
            select(person.c.source_id)
            .join(person_address, person_address.c.person_id == person.c.id)
            .join(address, address.c.id == person_address.c.address_id)
            .where(address.c.hash.in_(hashes), person.c.is_staff, person.c.active)
            .distinct()
            .order_by(person.c.source_id)
        )
        return [row.source_id for row in found]

    def department(self) -> str:
        """The office, where there is one; else the first department."""
        slugs = (
            self._hand.connection.execute(select(department.c.slug).order_by(department.c.id)).scalars().all()
        )
        return "office" if "office" in slugs else next(iter(slugs), "")

    def drop_specimens(self) -> Sequence[str]:
        """Take away what the sandbox gave; the versions stay, as what once was."""
        run = self._hand.connection.execute
        given = run(
            select(account.c.id, account.c.name)
            .join(licence, licence.c.account_id == account.c.id)
            .join(licence_version, _IS_NEWEST)
            .where(licence_version.c.specimen)
            .order_by(account.c.name)
        ).all()
        run(delete(licence).where(licence.c.account_id.in_([row.id for row in given])))
        return [row.name for row in given]


_IS_NEWEST = (licence_version.c.account_id == licence.c.account_id) & (
    licence_version.c.version == licence.c.version
)


def _newest() -> Select[Any]:
    return (
        select(
            account.c.name.label("account"),
            licence_version.c.body,
            licence_version.c.digest,
            licence_version.c.specimen,
            licence_version.c.made_at,
            licence_version.c.made_by,
            licence,
        )
        .join(licence, licence.c.account_id == account.c.id)
        .join(licence_version, _IS_NEWEST)
    )


def _row(row: Row[Any]) -> LicenceRow:
    found = read(json.loads(row.body))
    if row.specimen:
        found = Licence(found.policy, found.liability, found.safe_use, found.technology, specimen=True)
    return LicenceRow(
        row.account,
        row.version,
        found,
        row.digest,
        row.made_at,
        row.made_by,
        row.stands_until,
        row.lacking,
        row.lapsing,
        row.lapsed_at,
    )
