"""What keeps it going: accounts, the record and the sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from broker.gateways import Health
from broker.record import Entry, Seal
from broker.scrutiny.heads import Left
from broker.values import AccountRow, Due


class Accounts(Protocol):
    """Configured accounts and whether they may send."""

    def all(self) -> Sequence[AccountRow]:
        """Every account."""

    def any_gone(self) -> bool:
        """Whether there is an account that the settings name no more."""

    def named(self, name: str) -> AccountRow | None:
        """One account."""

    def for_channel(self, channel: str, department: str) -> AccountRow | None:
        """The department's own account on a channel, else the school's."""

    def pause(self, account: int, why: str) -> None:
        """Stop an account; its deliveries wait."""

    def resume(self, account: int) -> None:
        """Let it go on; what waited for it becomes due."""

    def keep_posture(self, account: int, facts: Mapping[str, str]) -> None:
        """Keep what the account looks like at its provider, as of this transaction's time."""


class Gateways(Protocol):
    """How the gateways of an account with several of them stand."""

    def of(self, account: int, *, locked: bool = False) -> Mapping[str, Health]:
        """By name; one of which nothing was ever noted is not there, and well."""

    def keep(self, account: int, gateway: str, health: Health) -> None:
        """It stands so from now on."""


class Records(Protocol):
    """The append-only history."""

    def add(self, entries: Sequence[Entry]) -> None:
        """Write entries with this transaction."""

    def seal(self) -> int:
        """Seal what no running transaction can still add to; returns how many entries. One sealer at a time."""

    def newest(self) -> Seal | None:
        """The newest seal, whose hash is the head."""

    def gave(self, seal: Seal, how: Left) -> None:
        """Remember that this head left the house so."""

    def last_given(self, how: Left | None = None) -> datetime | None:
        """When a head last left the house so, or in any way."""

    def holders(self) -> Mapping[str, str]:
        """Governors to whom heads are mailed: name → email."""

    def add_holder(self, name: str, email: str, *, by: str) -> None:
        """A governor, or another email of one."""

    def drop_holder(self, name: str) -> bool:
        """Governor no more; False when there was none."""


class Sweeps(Protocol):
    """What the sweep asks and does in bulk."""

    def may_sweep(self) -> bool:
        """Take the sweeper's lock for this transaction; False when another sweep is at work."""

    def due(self, *, limit: int) -> Due:
        """Announcements to plan and accounts with due deliveries."""

    def due_lookups(self) -> Sequence[str]:
        """Names of accounts with a look-up that is due."""

    def asks(self, account: int, gateway: str) -> bool:
        """Whether something of an account is in doubt with this gateway and is to be asked for there."""

    def fold_tallies(self) -> int:
        """Fold appended counter deltas; returns how many."""

    def expire_all_leases(self) -> int:
        """Let every lease run out now: for a database whose only worker has just begun."""

    def expire_leases_of(self, holder: str) -> int:
        """Let what one process has in hand run out now: for a process that is known to be dead."""

    def raise_alarm(self, kind: str, subject: str, message: str) -> None:
        """Tell whoever watches; the same alarm is raised once until it is cleared."""

    def alarmed(self, kind: str) -> bool:
        """Whether an alarm of this kind is open."""

    def alarmed_about(self, kind: str) -> Sequence[str]:
        """What open alarms of this kind are about."""

    def clear_alarm(self, kind: str, subject: str) -> None:
        """The reason is gone."""

    def beat(self, worker: str) -> None:
        """A worker shows that it lives: its hints arrive, and it reaches the ledger."""
