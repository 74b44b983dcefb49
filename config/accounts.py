"""A configured account: whose it is, how fast it may go, and the settings that its channel itself asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from broker.errors import Problem, SetupError
from config.faults import Faults, name_of, nearest, plain_words
from config.registry import Registry

NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?")


class Account(BaseModel):
    """One account. `own` is what the channel's kit made of the rest; its secrets are SecretStr."""

    model_config = ConfigDict(
        frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True, extra="forbid"
    )

    channel: str = Field(description="which installed channel it is an account of")
    department: str | None = Field(None, description="whose it is; left out, it is the whole school's")
    per_second: float | None = Field(
        None, gt=0, le=10_000, description="the provider's pace in messages a second"
    )
    own: Any = Field(None, repr=False)


def read_accounts(value: Any, registry: Registry, departments: Mapping[str, str] | None) -> Any:
    """Accounts from names and values, each validated with its channel's kit. Raises Faults with every problem."""
    if not isinstance(value, Mapping):
        raise Faults(
            Problem(
                "dict_type", "", "must hold accounts, each with a name", "CARILLON_ACCOUNTS__SMS__CHANNEL=sms"
            )
        )
    problems: list[Problem] = []
    accounts: dict[str, Account] = {}
    for name, raw in value.items():
        if isinstance(raw, Account):
            accounts[name] = raw
            continue
        path = ("accounts", str(name))
        if not NAME.fullmatch(str(name)) or not isinstance(raw, Mapping):
            hint = "name it in small letters, and give it a channel: CARILLON_ACCOUNTS__SMS__CHANNEL=sms"
            problems.append(Problem("bad_account", name_of(path), "is no account", hint))
            continue
        account = _read(path, raw, registry, departments, problems)
        if account is not None:
            accounts[name] = account
    if problems:
        raise Faults(*problems)
    return accounts


def _read(
    path: tuple[str, ...],
    raw: Mapping[str, Any],
    registry: Registry,
    departments: Mapping[str, str] | None,
    problems: list[Problem],
) -> Account | None:
    mine = {field: raw[field] for field in ("channel", "department", "per_second") if field in raw}
    account: Account | None = None
    try:
        account = Account.model_validate(mine)
    except ValidationError as invalid:
        problems += plain_words(invalid, Account, path)
    department = mine.get("department")
    if departments is not None and isinstance(department, str) and department not in departments:
        hint = nearest(department, departments) or "add it to CARILLON_DEPARTMENTS"
        problems.append(
            Problem("unknown_department", name_of((*path, "department")), "is no department", hint)
        )
    if not isinstance(channel := mine.get("channel"), str):
        return None  # what is no name of a channel says nothing of the rest
    try:
        model = registry.kit(channel).settings
    except SetupError as fault:
        problems += [Problem(p.code, name_of((*path, "channel")), p.message, p.hint) for p in fault.problems]
        return None
    # A channel may ask for the pace too, so as to keep it on its own side.
    rest = {field: raw[field] for field in raw if field not in mine or field in model.model_fields}
    try:
        own = model.model_validate(rest)
    except ValidationError as invalid:
        problems += plain_words(invalid, model, path)
        return None
    problems += _strays(path, rest, model)
    return account.model_copy(update={"own": own}) if account is not None else None


def _strays(path: tuple[str, ...], rest: Mapping[str, Any], model: type[BaseModel]) -> list[Problem]:
    """A misspelt setting of an account is a fault even where the channel's model lets extras pass."""
    aliases = {field.alias for field in model.model_fields.values() if field.alias}
    known = {*model.model_fields, *aliases}
    return [
        Problem(
            "unknown_setting", name_of((*path, field)), "is no setting of this channel", nearest(field, known)
        )
        for field in rest
        if field not in known and model.model_config.get("extra") != "forbid"
    ]
