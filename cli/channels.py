"""`carillon channels`: the installed ways out, what each can do, and what it still needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from broker.channel import Traits
from broker.errors import Problem
from cli import show
from cli.house import reading
from cli.options import Json
from config.catalogue import ChannelEntry, catalogue


def channels(json: Json = False) -> None:
    """List every installed channel: its traits, the settings of an account, its accounts and what is missing.

    A plug-in's channel stands here like the built-in ones, as soon as its package is installed beside Carillon.

    Examples:

    * `carillon channels`
    * `carillon channels --json`
    """
    with reading() as house:
        with house.ledger.look() as tx:
            rows = tx.accounts.all()
        found = catalogue(house.settings, house.ways_out, rows)
    if json:
        show.as_json({"channels": [_as_told(entry) for entry in found]})
        return
    for entry in found:
        show.say(*_in_words(entry), "")


def _in_words(entry: ChannelEntry) -> list[str]:
    needed = [name for name, is_needed in entry.settings.items() if is_needed]
    lines = [f"{entry.name}: speaks to {_audience(entry.traits)}"]
    if abilities := _abilities(entry.traits):
        lines.append(f"  it can {', '.join(abilities)}")
    lines.append(f"  an account needs {', '.join(needed) or 'no settings of its own'}")
    lines.append(f"  accounts: {', '.join(_account_words(entry)) or 'none'}")
    for account in entry.accounts:
        if account.posture:
            facts = ", ".join(f"{name} {value}" for name, value in account.posture.items())
            lines.append(f"  {account.name}, when last looked at: {facts}")
    lines += [f"  missing: {problem.message}; {problem.hint}" for problem in _missing(entry)]
    return lines


def _audience(traits: Traits | None) -> str:
    if traits is None:
        return "?"
    if traits.address_kind is None:
        return "the public"
    return "whoever subscribed" if traits.subscribed else f"one {traits.address_kind.value}"


def _abilities(traits: Traits | None) -> list[str]:
    if traits is None:
        return []
    said = {
        "look up a lost answer": traits.can_reconcile,
        "hear of arrival": traits.confirms_delivery,
        "carry files": traits.carries_files,
        "be sent twice without harm": traits.duplicates_harmless,
        "never be the only way": traits.never_alone,
    }
    return [words for words, can in said.items() if can]


def _account_words(entry: ChannelEntry) -> list[str]:
    return [f"{account.name} (paused)" if account.paused else account.name for account in entry.accounts]


def _missing(entry: ChannelEntry) -> Sequence[Problem]:
    return [*entry.missing, *(problem for account in entry.accounts for problem in account.missing)]


def _as_told(entry: ChannelEntry) -> dict[str, Any]:
    traits = entry.traits
    return {
        "channel": entry.name,
        "traits": None
        if traits is None
        else {
            **asdict(traits),
            "grace": traits.grace.total_seconds(),
            "broadcast": traits.broadcast,
            "subscribed": traits.subscribed,
        },
        "settings": [{"name": name, "needed": needed} for name, needed in entry.settings.items()],
        "accounts": [
            {
                "name": account.name,
                "paused": account.paused,
                "posture": account.posture,
                "missing": [problem.as_dict() for problem in account.missing],
            }
            for account in entry.accounts
        ],
        "missing": [problem.as_dict() for problem in entry.missing],
    }
