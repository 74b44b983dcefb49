"""The ways out that this process has open: one channel object for each gateway of each account."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping, Sequence

from broker.capabilities import KnowsItsPace
from broker.channel import Channel, Surroundings, Traits
from broker.errors import Problem, SetupError
from broker.ports.outside import GatewayAt
from config.accounts import Account, GatewaySettings
from config.faults import name_of
from config.registry import Registry


class WaysOut:
    """Implements broker.ports.Channels; threads may share it."""

    def __init__(self, registry: Registry, accounts: Mapping[str, Account], around: Surroundings) -> None:
        self._registry = registry
        self._accounts = accounts
        self._around = around
        self._open: dict[tuple[str, str], Channel] = {}
        self._lock = threading.Lock()

    def names(self) -> Sequence[str]:
        """Every installed channel."""
        return self._registry.names()

    def traits(self, channel: str) -> Traits:
        """A channel's facts. Raises UnknownChannel."""
        return self._registry.kit(channel).traits

    def open(self, account: str) -> Channel:
        """The channel bound to a configured account by its first gateway, opened once a process. Raises SetupError."""
        return self._opened(account, self._ways(account)[0])

    def gateways(self, account: str) -> Sequence[GatewayAt]:
        """Those of an account, in order. Raises SetupError."""
        return [
            GatewayAt(
                way.name,
                way.kind,
                way.per_second,
                way.own.numbers if isinstance(way.own, KnowsItsPace) else None,
            )
            for way in self._ways(account)
        ]

    def through(self, account: str, gateway: str) -> Channel:
        """The channel bound to a configured account by one of its gateways. Raises SetupError."""
        ways = self._ways(account)
        found = next((way for way in ways if way.name == gateway), None)
        known = self._accounts[account]
        if found is None and gateway == known.channel:
            found = next((way for way in ways if way.own is known.own), None)
        if found is None:
            field = name_of(("accounts", account, "gateways"))
            raise SetupError(Problem("unknown_gateway", field, f"the gateway {gateway} is named no more"))
        return self._opened(account, found)

    def _ways(self, account: str) -> Sequence[GatewaySettings]:
        known = self._accounts.get(account)
        if known is None:
            field = name_of(("accounts", account))
            raise SetupError(Problem("unknown_account", field, "is not configured in this process"))
        return known.ways

    def _opened(self, account: str, way: GatewaySettings) -> Channel:
        key, known = (account, way.name), self._accounts[account]
        with self._lock:
            if key not in self._open:
                kit = self._registry.kit(known.channel)
                try:
                    self._open[key] = kit.open(account, way.own, self._around)
                except SetupError:
                    raise
                except Exception as error:
                    # A plug-in's own code: whatever it breaks on is told as a fault of set-up.
                    raise _broken(account, known.channel, error) from error
            return self._open[key]

    def check(self) -> Sequence[Problem]:
        """Open every gateway of every account; what each of them says against its settings."""
        problems: list[Problem] = []
        for account in self._accounts:
            for way in self._ways(account):
                try:
                    self._opened(account, way)
                except SetupError as fault:
                    problems += [way.named(problem) for problem in fault.problems]
        return problems

    def named(self, account: str, gateway: str, problem: Problem) -> Problem:
        """What a gateway says against its settings, with the name under which a person sets the field."""
        way = next((way for way in self._ways(account) if way.name == gateway), None)
        return problem if way is None else way.named(problem)

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
