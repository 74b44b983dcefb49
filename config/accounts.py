"""A configured account: whose it is, how fast it may go, and the settings that its channel itself asks for.

An account goes by one gateway, the provider that its plain settings mean, or by several in order. Each of the others
has a block of its own name: CARILLON_ACCOUNTS__TEXTS__GATEWAYS=twilio,notify, then …__TEXTS__NOTIFY__API_KEY=…
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from broker.capabilities import KnowsItsPace, OffersGateways
from broker.channel import Kit
from broker.errors import Problem, SetupError
from config.faults import Faults, name_of, nearest, plain_words
from config.registry import Registry

NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?")


MOST_GATEWAYS = 5
_OF_THE_HOUSE = ("channel", "department", "per_second", "gateways")


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """One gateway of an account; `own` is what the channel's kit made of its settings, secrets as SecretStr.

    `path` is where its settings stand: of the plain ones the account itself, of another its block.
    """

    name: str
    kind: str
    own: Any = field(repr=False)
    per_second: float | None = None
    path: tuple[str, ...] = ()

    def named(self, problem: Problem) -> Problem:
        """The same with its field as a person sets it, where it is one of these settings."""
        bare = problem.field.rpartition(".")[2]
        if not isinstance(self.own, BaseModel) or bare not in type(self.own).model_fields:
            return problem
        return replace(problem, field=name_of((*self.path, bare)))


def _names(value: object) -> object:
    return tuple(one.strip() for one in value.split(",")) if isinstance(value, str) else value


class Block(BaseModel):
    """What the house itself reads of a gateway's block; the rest is its provider's."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, extra="forbid")

    kind: str = Field("", description="which provider it is; left out, the one that its name says")
    per_second: float | None = Field(
        None, gt=0, le=10_000, description="this provider's pace in messages a second"
    )


class Account(BaseModel):
    """One account. `own` is what the channel's kit made of the rest; its secrets are SecretStr.

    `ways` are its gateways in order, of which `own` is the one of the plain settings, or else the first.
    """

    model_config = ConfigDict(
        frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True, extra="forbid"
    )

    channel: str = Field(description="which installed channel it is an account of")
    department: str | None = Field(None, description="whose it is; left out, it is the whole school's")
    per_second: float | None = Field(
        None, gt=0, le=10_000, description="the provider's pace in messages a second"
    )
    gateways: Annotated[tuple[str, ...], BeforeValidator(_names)] = Field(
        (),
        max_length=MOST_GATEWAYS,
        description="its providers in order, with commas between, such as `twilio,notify`; all but the one of the plain"
        " settings have a block of their name (docs/gateways.md)",
    )
    own: Any = Field(None, repr=False)
    ways: tuple[GatewaySettings, ...] = Field((), repr=False)


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
    mine = {name: raw[name] for name in _OF_THE_HOUSE if name in raw}
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
        kit = registry.kit(channel)
    except SetupError as fault:
        problems += [Problem(p.code, name_of((*path, "channel")), p.message, p.hint) for p in fault.problems]
        return None
    if account is None and "gateways" in raw:
        return None  # which settings are whose is not known
    if account is None:
        _validated(path, {f: raw[f] for f in raw if f not in mine}, kit.settings, problems)
        return None
    ways = _ways(path, raw, account, kit, problems)
    if ways is None:
        return None
    plain = next((way for way in ways if way.kind == way.name == next(iter(_kinds(kit)))), ways[0])
    # One that goes by a single gateway keeps its pace, whether it is said in a block or follows from a pool.
    pace = ways[0].per_second if len(ways) == 1 and ways[0].per_second is not None else account.per_second
    return account.model_copy(update={"own": plain.own, "ways": tuple(ways), "per_second": pace})


def _kinds(kit: Kit) -> Mapping[str, type[BaseModel]]:
    """The settings of each kind of provider that a channel knows, that of the plain settings first."""
    return kit.gateways if isinstance(kit, OffersGateways) else {kit.name: kit.settings}


def _ways(
    path: tuple[str, ...], raw: Mapping[str, Any], account: Account, kit: Kit, problems: list[Problem]
) -> list[GatewaySettings] | None:
    """The gateways in order, or None when something is at fault with one of them."""
    kinds = _kinds(kit)
    plain = next(iter(kinds))
    order = account.gateways or (plain,)
    if len(set(order)) < len(order) or not all(NAME.fullmatch(name) for name in order):
        hint = f"name each once, in small letters: {','.join(kinds)}"
        problems.append(
            Problem("bad_gateways", name_of((*path, "gateways")), "is no order of gateways", hint)
        )
        return None
    blocks = {name for name in order if name != plain}
    # A channel may ask for the pace too, so as to keep it on its own side.
    house = {f for f in _OF_THE_HOUSE if plain not in order or f not in kinds[plain].model_fields}
    rest = {f: raw[f] for f in raw if f not in house and f not in blocks}
    ways: list[GatewaySettings | None] = []
    for name in order:
        if name == plain:
            own = _validated(path, rest, kinds[plain], problems)
            ways.append(_paced(path, name, plain, own, account.per_second, problems))
        else:
            ways.append(_block((*path, name), raw.get(name), name, kinds, problems))
    if plain not in order:
        problems += [_no_setting((*path, f), {*blocks, *_OF_THE_HOUSE}) for f in rest]
    return None if None in ways else [way for way in ways if way is not None]


def _block(
    path: tuple[str, ...], raw: Any, name: str, kinds: Mapping[str, type[BaseModel]], problems: list[Problem]
) -> GatewaySettings | None:
    block = raw if isinstance(raw, Mapping) else {}
    mine = {f: block[f] for f in Block.model_fields if f in block}
    try:
        house = Block.model_validate(mine)
    except ValidationError as invalid:
        problems += plain_words(invalid, Block, path)
        return None
    kind = house.kind or name
    if kind not in kinds:
        where = (*path, "kind") if house.kind else path
        hint = f"{nearest(kind, kinds) or 'known: ' + ', '.join(kinds)}; or name one with {name_of((*path, 'kind'))}"
        problems.append(Problem("unknown_gateway", name_of(where), "is no provider of this channel", hint))
        return None
    model = kinds[kind]
    rest = {f: block[f] for f in block if f not in mine or f in model.model_fields}
    own = _validated(path, rest, model, problems)
    return _paced(path, name, kind, own, house.per_second, problems)


def _paced(
    path: tuple[str, ...],
    name: str,
    kind: str,
    own: Any,
    per_second: float | None,
    problems: list[Problem],
) -> GatewaySettings | None:
    """A gateway at its pace: that of its pool, or a slower one that was said; None when it is at fault."""
    if own is None:
        return None
    pool = own.pace if isinstance(own, KnowsItsPace) else None
    if pool is not None and per_second is not None and per_second > pool:
        message = "is faster than all numbers of the pool together"
        hint = f"{own.numbers} numbers make {pool:g} a second: leave it out, or say a slower one"
        problems.append(Problem("faster_than_its_numbers", name_of((*path, "per_second")), message, hint))
        return None
    return GatewaySettings(name, kind, own, pool if per_second is None else per_second, path)


def _validated(
    path: tuple[str, ...], rest: Mapping[str, Any], model: type[BaseModel], problems: list[Problem]
) -> Any:
    """What a model makes of its settings; None when they are at fault."""
    try:
        own = model.model_validate(rest)
    except ValidationError as invalid:
        problems += plain_words(invalid, model, path)
        return None
    problems += _strays(path, rest, model)
    return own


def _no_setting(path: tuple[str, ...], known: set[str]) -> Problem:
    return Problem(
        "unknown_setting", name_of(path), "is no setting of this account", nearest(path[-1], known)
    )


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
