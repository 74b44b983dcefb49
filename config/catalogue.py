"""What ways out are installed: each channel's facts, its settings, its accounts, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from broker.channel import Traits
from broker.errors import Problem, SetupError
from broker.ports import Channels
from broker.values import AccountRow
from config.registry import Registry
from config.settings import Settings


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """A configured account: its posture at the provider when last looked at, None where nobody looked yet."""

    name: str
    paused: bool
    posture: Mapping[str, str] | None
    missing: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class ChannelEntry:
    """One installed channel; `settings` maps each of an account's settings to whether it is needed."""

    name: str
    traits: Traits | None
    settings: Mapping[str, bool]
    accounts: Sequence[AccountEntry]
    missing: Sequence[Problem]


def catalogue(settings: Settings, opened: Channels, rows: Sequence[AccountRow]) -> list[ChannelEntry]:
    """Every installed channel, whether or not an account uses it. Opens the configured ones, asks no provider."""
    registry = Registry()
    return [_entry(registry, name, settings, opened, rows) for name in registry.names()]


def _entry(
    registry: Registry, name: str, settings: Settings, opened: Channels, rows: Sequence[AccountRow]
) -> ChannelEntry:
    try:
        kit = registry.kit(name)
    except SetupError as fault:
        return ChannelEntry(name, None, {}, (), fault.problems)
    known = {row.name: row for row in rows}
    accounts = [
        _account(account, known.get(account), opened)
        for account, configured in settings.accounts.items()
        if configured.channel == name
    ]
    return ChannelEntry(name, kit.traits, _needed(kit.settings), accounts, ())


def _account(name: str, row: AccountRow | None, opened: Channels) -> AccountEntry:
    missing: Sequence[Problem] = ()
    try:
        opened.open(name)
    except SetupError as fault:
        missing = fault.problems
    return AccountEntry(
        name,
        paused=row is not None and row.paused_at is not None,
        posture=row.posture if row is not None else None,
        missing=missing,
    )


def _needed(model: type[Any]) -> Mapping[str, bool]:
    fields: Mapping[str, Any] = getattr(model, "model_fields", {})
    return {field: told.is_required() for field, told in fields.items()}
