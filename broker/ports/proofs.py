"""What operators prove who they are by, and who is signed in: as the ledger keeps it, and as a process checks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from broker.ports.approvals import OperatorRole


class Stage(StrEnum):
    """How far a sign-in has come; a session is of use once it is whole."""

    WHOLE = "whole"
    PASSWORD = "password"  # noqa: S105 - invited: a password is to be chosen
    SECOND = "second"  # the password held: a code is asked for
    ENROL = "enrol"  # the role wants a second factor, and there is none yet


@dataclass(frozen=True, slots=True)
class Session:
    """A session that holds, with what its operator may do now. `department` None: the whole school."""

    handle: str  # names it in a list; signs nobody in
    operator: str
    roles: frozenset[OperatorRole]
    department: str | None
    how: str
    stage: Stage
    began_at: datetime
    seen_at: datetime
    proved_at: datetime
    expires_at: datetime
    idle: timedelta
    about: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Proof:
    """What one operator signs in by. `second` is sealed; `last_step` is the newest time step whose code was used."""

    operator: str
    password: str | None = field(repr=False)
    second: bytes | None = field(repr=False)
    last_step: int = 0


class Sessions(Protocol):
    """Sign-in links and sessions, by the digests of their secrets: what is stored signs nobody in."""

    def add_link(self, digest: bytes, operator: str, *, lasts: timedelta, invites: bool = False) -> None:
        """Keep a link that signs `operator` in once."""

    def link_holds(self, digest: bytes) -> bool:
        """Whether a link is there, unused and not too old."""

    def use_link(self, digest: bytes) -> tuple[str, bool] | None:
        """Use a link up: whom it signs in and whether it invites; None when it is unknown, used or too old."""

    def add(
        self,
        digest: bytes,
        operator: str,
        *,
        lasts: timedelta,
        idle: timedelta,
        how: str,
        stage: Stage,
        about: str,
        proved_at: datetime | None,
    ) -> None:
        """Begin a session. `proved_at` None: now."""

    def of(self, digest: bytes) -> Session | None:
        """A session; None when it is unknown, ended, too old, unused for too long, or its operator acts no more."""

    def of_operator(self, operator: str) -> Sequence[Session]:
        """Every session of one operator that holds, the newest first."""

    def seen(self, digest: bytes) -> None:
        """It was used now."""

    def end(self, digest: bytes) -> str | None:
        """End one session; whose it was, None when there was nothing to end."""

    def end_one(self, operator: str, handle: str) -> bool:
        """End one of an operator's sessions by its handle; False when there was none."""

    def end_all(self, operator: str | None) -> int:
        """End every session of an operator, or of everybody, and their unused links; how many sessions."""

    def prune(self) -> None:
        """Drop links and sessions that are long over, devices that are too old, and paces that are free."""


class Proofs(Protocol):
    """Passwords, second factors, recovery codes, identities at providers, known browsers, and paces of trying."""

    def of(self, operator: str) -> Proof | None:
        """What an operator signs in by; None for who is no operator."""

    def set_password(self, operator: str, hashed: str) -> None:
        """Keep a password's hash in place of the one before."""

    def set_second(self, operator: str, sealed: bytes, step: int) -> None:
        """Keep a second factor in place of the one before; `step` is that of the code which confirmed it."""

    def use_step(self, operator: str, step: int) -> bool:
        """Use a time step up; False when it, or a later one, was used before."""

    def set_codes(self, operator: str, digests: Sequence[bytes]) -> None:
        """Keep new recovery codes in place of all before."""

    def use_code(self, operator: str, digest: bytes) -> bool:
        """Use a recovery code up; False when there is no such one any more."""

    def codes_left(self, operator: str) -> int:
        """How many recovery codes are unused."""

    def forget(self, operator: str, *, but_mapped: bool = False) -> None:
        """Everything that this operator signs in by goes: password, second factor, codes, identities, browsers.

        `but_mapped`: an identity by which a group made them stays, so that it makes nobody of them again.
        """

    def identity(self, provider: str, digest: bytes) -> tuple[str, bool] | None:
        """Who this is at a provider, and whether their roles follow its groups."""

    def was_removed(self, provider: str, digest: bytes) -> bool:
        """Whether this was an operator, made by a mapping, whom an admin has taken away."""

    def add_identity(self, provider: str, digest: bytes, operator: str, *, mapped: bool) -> None:
        """An operator is this at a provider."""

    def drop_identity(self, provider: str, digest: bytes) -> None:
        """Nobody is this at a provider any more."""

    def add_device(self, digest: bytes, operator: str, *, lasts: timedelta) -> None:
        """An operator has signed in on this browser."""

    def device(self, digest: bytes) -> str | None:
        """Whose known browser this is."""

    def charge(self, key: bytes, *, every: timedelta, at_once: int) -> bool:
        """Count one try: `at_once` may come together, then one `every`. False, and nothing counted, beyond that."""

    def give_back(self, key: bytes, *, every: timedelta) -> None:
        """A try that was right counts for nothing."""


class Vault(Protocol):
    """What hashes, seals and checks. Slow on purpose where it is about passwords: never call it in a transaction.

    Both of these raise TooManyTries where so many wait for them that one more would keep whatever else comes waiting.
    """

    def hash_password(self, password: str) -> str:
        """What is kept of a password."""

    def holds(self, hashed: str | None, password: str) -> bool:
        """Whether this is the password. For None it is False after as much work as for any other."""

    def is_dated(self, hashed: str) -> bool:
        """Whether it was hashed with less work than is asked for now."""

    def seal(self, purpose: str, secret: str) -> bytes:
        """Under the school's secret key, for one purpose alone."""

    def unseal(self, purpose: str, sealed: bytes) -> str | None:
        """What was sealed; None when it was not sealed by us for this purpose."""

    def digest(self, purpose: str, value: str) -> bytes:
        """A keyed digest, for what is too short to be safe in a plain one."""

    def new_second(self) -> str:
        """The secret of a new second factor, in base32."""

    def step_of(self, second: str, code: str, now: datetime, *, after: int) -> int | None:
        """The time step whose code this is, later than `after`; None when there is none about now."""

    def address_of(self, second: str, operator: str, school: str) -> str:
        """An otpauth:// address for a telephone's app."""
