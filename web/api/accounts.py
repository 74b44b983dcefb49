"""Accounts: the ways out, whether they may send, and what is settled about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from broker import accounts as verbs
from broker.authority import departments
from broker.gateways import Stand
from broker.licences import licensing
from broker.licences.licensing import Shown
from broker.ports.api import Scope
from ledger.reads.health import GatewayStands, Waiting, health, in_order
from web.api.calling import Call, Page, wants
from web.api.errors import answers
from web.api.shapes import Why
from web.api.strict import Sent, StrictRoute, Told

router = APIRouter(tags=["accounts"], route_class=StrictRoute)
Account = Annotated[str, Path(min_length=1, max_length=63, examples=["sms"])]


class GatewayTold(Told):
    """How one of several providers of an account stands: closed is well, open is passed over, half-open on trial.

    `out` is one that its provider refused, or, where `held_by` names somebody, that a person holds out.
    """

    gateway: str
    stand: Stand
    since: datetime | None = Field(description="Since when; null where nothing was ever noted of it.")
    until: datetime | None = Field(
        description="Of one that is passed over: when it is tried again; of one on trial: how long that is waited for."
    )
    why: str
    held_by: str | None


class AccountTold(Told):
    """An account and its queue. `paused_why` is null where it may send."""

    account: str
    channel: str
    department: str | None
    paused_why: str | None
    due: int
    oldest_due: datetime | None
    sending: int
    gateways: Sequence[GatewayTold] = Field(
        description="In the order in which they are used; empty where there is but one."
    )


class AngleTold(Told):
    """How one of the four angles stands: policy, liability, safe use, technology."""

    holds: bool
    why: str
    until: datetime | None


class LicenceTold(Told):
    """Whether an account may speak, until when, and what is missing."""

    account: str
    channel: str
    may_speak: bool
    until: datetime | None
    missing: str
    specimen: bool
    version: int | None
    angles: Mapping[str, AngleTold]


@router.get(
    "/accounts",
    operation_id="list_accounts",
    responses=answers(401, 403, 422, 503),
    openapi_extra={"x-scope": Scope.ACCOUNTS_READ},
)
def list_(call: Call = wants(Scope.ACCOUNTS_READ)) -> Page[AccountTold]:
    """List the accounts: what waits for each, and whether it is paused."""
    return Page(items=_seen(call), next=None)


@router.get(
    "/accounts/{name}/licence",
    operation_id="get_licence",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.ACCOUNTS_READ},
)
def licence(name: Account, call: Call = wants(Scope.ACCOUNTS_READ)) -> LicenceTold:
    """Say whether an account may speak, and what is missing."""
    _the(call, name)
    with call.ledger.look() as tx:
        return _licence(licensing.show(call.ports, tx, licensing.the_account(tx, name)))


@router.post(
    "/accounts/{name}/pause",
    operation_id="pause_account",
    responses=answers(401, 403, 404, 413, 422, 503),
    openapi_extra={"x-scope": Scope.ACCOUNTS_WRITE},
)
def pause(
    name: Account,
    said: Sent[Why],
    call: Call = wants(Scope.ACCOUNTS_WRITE),
) -> AccountTold:
    """Stop an account within a second; its deliveries wait."""
    departments.must_own(call.actor, _the(call, name).department)
    verbs.pause(call.ports, name, said.why, actor=call.actor)
    return _the(call, name)


@router.post(
    "/accounts/{name}/resume",
    operation_id="resume_account",
    responses=answers(401, 403, 404, 413, 422, 503),
    openapi_extra={"x-scope": Scope.ACCOUNTS_WRITE},
)
def resume(
    name: Account,
    said: Sent[Why],
    call: Call = wants(Scope.ACCOUNTS_WRITE),
) -> AccountTold:
    """Let an account go on: what waited for it is due at once."""
    departments.must_own(call.actor, _the(call, name).department)
    verbs.resume(call.ports, name, actor=call.actor, why=said.why)
    return _the(call, name)


def _seen(call: Call) -> list[AccountTold]:
    with call.ledger.look() as tx:
        owners = {one.name: one.department for one in tx.accounts.all()}
        found = health(tx.hand)
    return [
        _told(one, owners.get(one.account), in_order(one.account, _order(call, one.account), found.gateways))
        for one in found.accounts
        if departments.sees(call.actor, owners.get(one.account))
    ]


def _the(call: Call, name: str) -> AccountTold:
    found = next((one for one in _seen(call) if one.account == name), None)
    if found is None:
        raise departments.gone("name", "account")
    return found


def _order(call: Call, account: str) -> Sequence[str]:
    """Its gateways as this process's settings order them; none where it is not configured here."""
    return [one.name for one in verbs.gateways_of(call.ports, account)]


def _told(one: Waiting, department: str | None, gateways: Sequence[GatewayStands]) -> AccountTold:
    return AccountTold(
        account=one.account,
        channel=one.channel,
        department=department,
        paused_why=one.paused_why,
        due=one.due,
        oldest_due=one.oldest_due,
        sending=one.sending,
        gateways=[
            GatewayTold(
                gateway=way.gateway,
                stand=way.stand,
                since=way.since,
                until=way.until,
                why=way.why,
                held_by=way.held_by or None,
            )
            for way in gateways
        ],
    )


def _licence(found: Shown) -> LicenceTold:
    return LicenceTold(
        account=found.account.name,
        channel=found.account.channel,
        may_speak=found.until is not None,
        until=found.until,
        missing=found.lacking,
        specimen=found.licence.specimen,
        version=found.row.version if found.row else None,
        angles={
            angle.value: AngleTold(holds=one.holds, why=one.why, until=one.until)
            for angle, one in found.standings.items()
        },
    )
