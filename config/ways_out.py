"""The ways out that this process has open: one channel object per configured account."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping, Sequence

from broker.channel import Channel, Surroundings, Traits
from broker.errors import Problem, SetupError
from config.accounts import Account
from config.faults import name_of
from config.registry import Registry


class WaysOut:
    """Implements broker.ports.Channels; threads may share it."""

    def __init__(self, registry: Registry, accounts: Mapping[str, Account], around: Surroundings) -> None:
        self._registry = registry
        self._accounts = accounts
        self._around = around
        self._open: dict[str, Channel] = {}
        self._lock = threading.Lock()

    def names(self) -> Sequence[str]:
        """Every installed channel."""
        return self._registry.names()

    def traits(self, channel: str) -> Traits:
        """A channel's facts. Raises UnknownChannel."""
        return self._registry.kit(channel).traits

    def open(self, account: str) -> Channel:
        """The channel bound to a configured account, opened once a process. Raises SetupError."""
        with self._lock:
            if account not in self._open:
                known = self._accounts.get(account)
                if known is None:
                    field = name_of(("accounts", account))
                    raise SetupError(Problem("unknown_account", field, "is not configured in this process"))
                kit = self._registry.kit(known.channel)
                try:
                    self._open[account] = kit.open(account, known.own, self._around)
                except SetupError:
                    raise
                except Exception as error:
                    # A plug-in's own code: whatever it breaks on is told as a fault of set-up.
                    raise _broken(account, known.channel, error) from error
            return self._open[account]

    def check(self) -> Sequence[Problem]:
        """Open every account; what each of them says against its settings."""
        problems: list[Problem] = []
        for account in self._accounts:
            try:
                self.open(account)
            except SetupError as fault:
                problems += fault.problems
        return problems

    def close(self) -> None:
        """Close what is open; safe to call twice."""
        with self._lock:
            opened, self._open = self._open, {}
        for channel in opened.values():
            with contextlib.suppress(Exception):  # the others are to be closed too
                channel.close()


def _broken(account: str, channel: str, error: Exception) -> SetupError:
    message = f"the channel {channel} could not be opened: {type(error).__name__}"
    return SetupError(Problem("cannot_open", name_of(("accounts", account)), message, "see: carillon doctor"))
