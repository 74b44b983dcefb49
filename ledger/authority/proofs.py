"""Passwords, second factors, recovery codes, identities, known browsers and paces, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ScalarSelect, delete, func, insert, select, update

from broker.audience import fold
from broker.ports.proofs import Proof
from ledger import tables as t
from ledger.hand import Hand


class Proofs:
    """See broker.ports.Proofs."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def of(self, operator: str) -> Proof | None:
        """What an operator signs in by."""
        p = t.proof.c
        row = self._hand.connection.execute(
            select(t.operator.c.name, p.password, p.second, p.last_step)
            .outerjoin(t.proof, p.operator_id == t.operator.c.id)
            .where(t.operator.c.folded_name == fold(operator), t.operator.c.removed_at.is_(None))
        ).one_or_none()
        return Proof(row.name, row.password, row.second, row.last_step or 0) if row else None

    def set_password(self, operator: str, hashed: str) -> None:
        """Keep a password's hash."""
        self._keep(operator, {"password": hashed, "password_at": self._hand.now})

    def set_second(self, operator: str, sealed: bytes, step: int) -> None:
        """Keep a second factor."""
        self._keep(operator, {"second": sealed, "second_at": self._hand.now, "last_step": step})

    def use_step(self, operator: str, step: int) -> bool:
        """One statement, so that of two who come at once with one code only one gets in."""
        p = t.proof.c
        used = (
            update(t.proof).where(p.operator_id == _id(operator), p.last_step < step).values(last_step=step)
        )
        return bool(self._hand.connection.execute(used).rowcount)

    def set_codes(self, operator: str, digests: Sequence[bytes]) -> None:
        """Keep new recovery codes."""
        whose, run = self._id(operator), self._hand.connection.execute
        run(delete(t.recovery_code).where(t.recovery_code.c.operator_id == whose))
        rows = [{"digest": each, "operator_id": whose, "made_at": self._hand.now} for each in digests]
        run(insert(t.recovery_code), rows)

    def use_code(self, operator: str, digest: bytes) -> bool:
        """One statement, as for a step."""
        c = t.recovery_code.c
        used = (
            update(t.recovery_code)
            .where(c.digest == digest, c.operator_id == _id(operator), c.used_at.is_(None))
            .values(used_at=self._hand.now)
        )
        return bool(self._hand.connection.execute(used).rowcount)

    def codes_left(self, operator: str) -> int:
        """How many are unused."""
        c = t.recovery_code.c
        left = select(func.count()).where(c.operator_id == _id(operator), c.used_at.is_(None))
        return int(self._hand.connection.execute(left).scalar_one())

    def forget(self, operator: str, *, but_mapped: bool = False) -> None:
        """Everything that this operator signs in by goes."""
        whose, run = self._id(operator), self._hand.connection.execute
        for table in (t.proof, t.recovery_code, t.device):
            run(delete(table).where(table.c.operator_id == whose))
        gone = delete(t.identity).where(t.identity.c.operator_id == whose)
        run(gone.where(t.identity.c.mapped.is_(False)) if but_mapped else gone)

    def identity(self, provider: str, digest: bytes) -> tuple[str, bool] | None:
        """Who this is at a provider."""
        i = t.identity.c
        row = self._hand.connection.execute(
            select(t.operator.c.name, i.mapped)
            .join(t.operator, t.operator.c.id == i.operator_id)
            .where(i.provider == provider, i.digest == digest, t.operator.c.removed_at.is_(None))
        ).one_or_none()
        return (row.name, bool(row.mapped)) if row else None

    def was_removed(self, provider: str, digest: bytes) -> bool:
        """Whether an admin has taken them away."""
        i = t.identity.c
        row = self._hand.connection.execute(
            select(i.operator_id)
            .join(t.operator, t.operator.c.id == i.operator_id)
            .where(i.provider == provider, i.digest == digest, t.operator.c.removed_at.is_not(None))
        ).first()
        return row is not None

    def add_identity(self, provider: str, digest: bytes, operator: str, *, mapped: bool) -> None:
        """In place of whoever was it before."""
        self.drop_identity(provider, digest)
        row = {"provider": provider, "digest": digest, "operator_id": self._id(operator), "mapped": mapped}
        self._hand.connection.execute(insert(t.identity).values(**row, at=self._hand.now))

    def drop_identity(self, provider: str, digest: bytes) -> None:
        """Nobody is this any more."""
        i = t.identity.c
        self._hand.connection.execute(delete(t.identity).where(i.provider == provider, i.digest == digest))

    def add_device(self, digest: bytes, operator: str, *, lasts: timedelta) -> None:
        """An operator has signed in on this browser."""
        now = self._hand.now
        row = {"digest": digest, "operator_id": self._id(operator), "made_at": now, "expires_at": now + lasts}
        self._hand.connection.execute(insert(t.device).values(row))

    def device(self, digest: bytes) -> str | None:
        """Whose known browser this is."""
        d = t.device.c
        row = self._hand.connection.execute(
            select(t.operator.c.name)
            .join(t.device, t.device.c.operator_id == t.operator.c.id)
            .where(d.digest == digest, d.expires_at > self._hand.now, t.operator.c.removed_at.is_(None))
        ).one_or_none()
        return row.name if row else None

    def charge(self, key: bytes, *, every: timedelta, at_once: int) -> bool:
        """The generic cell rate algorithm: one time a key, when its next try would be free."""
        now, p, run = self._hand.now, t.sign_in_pace.c, self._hand.connection.execute
        row = run(select(p.free_at).where(p.key == key).with_for_update()).one_or_none()
        free_at = max(now, row.free_at) if row else now
        if free_at - now > every * at_once:  # no try of now's makes it so late: the clock was ahead then
            free_at = now
        if free_at - now > every * (at_once - 1):
            return False
        later = {"free_at": free_at + every}
        if row is not None:
            run(update(t.sign_in_pace).where(p.key == key).values(later))
        else:  # of two first ones the second fails on the key, and is tried again
            run(insert(t.sign_in_pace).values(key=key, **later))
        return True

    def give_back(self, key: bytes, *, every: timedelta) -> None:
        """A try that was right counts for nothing."""
        p, run = t.sign_in_pace.c, self._hand.connection.execute
        row = run(select(p.free_at).where(p.key == key).with_for_update()).one_or_none()
        if row is not None:
            run(update(t.sign_in_pace).where(p.key == key).values(free_at=row.free_at - every))

    def _keep(self, operator: str, values: dict[str, Any]) -> None:
        whose, run = self._id(operator), self._hand.connection.execute
        if not run(update(t.proof).where(t.proof.c.operator_id == whose).values(values)).rowcount:
            run(insert(t.proof).values(operator_id=whose, **values))

    def _id(self, operator: str) -> int:
        return int(self._hand.connection.execute(select(_id(operator))).scalar_one())


def _id(operator: str) -> ScalarSelect[Any]:
    o = t.operator.c
    return select(o.id).where(o.folded_name == fold(operator), o.removed_at.is_(None)).scalar_subquery()
