"""People: somebody with their family, found by an id or a whole name. Addresses are masked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field

from broker.address import AddressKind
from broker.office import families
from broker.ports.api import Scope
from broker.ports.office import PersonRow
from broker.rosters.roster import Role
from ledger.reads.family import Family, Held, Tie, family
from web.api.calling import Call, wants
from web.api.errors import answers
from web.api.strict import StrictRoute, Told

router = APIRouter(tags=["people"], route_class=StrictRoute)
Who = Annotated[
    str,
    Path(
        min_length=1,
        max_length=200,
        description="The school's own id, our id, or a whole name.",
        examples=["P0417"],
    ),
]


class PersonTold(Told):
    """Somebody. `source_id` is what the school's own system calls them."""

    id: UUID
    source_id: str
    name: str
    roles: Sequence[Role]
    form: str
    year: str


class AddressTold(Told):
    """An address; a doubtful one gets no names."""

    kind: AddressKind
    shown: str = Field(description="Masked.")
    doubtful: bool


class TieTold(Told):
    """Somebody who looks after them, or whom they look after."""

    person: PersonTold
    priority: int
    parental_responsibility: bool | None
    lives_with: bool | None
    blocked: bool
    by_hand: bool
    addresses: Sequence[AddressTold]


class FamilyTold(Told):
    """A person with everybody who belongs to them."""

    person: PersonTold
    addresses: Sequence[AddressTold]
    guardians: Sequence[TieTold]
    children: Sequence[TieTold]
    groups: Sequence[str]


@router.get(
    "/people/{who}",
    operation_id="get_person",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.PEOPLE_READ},
)
def get(who: Who, call: Call = wants(Scope.PEOPLE_READ)) -> FamilyTold:
    """Look at somebody with guardians, children, groups and addresses. People belong to no department."""
    with call.ledger.look() as tx:
        found = families.the(tx, who, "who")
        return _family(family(tx.hand, found, department=call.department))


def person_told(one: PersonRow) -> PersonTold:
    """Somebody, told."""
    roles = sorted(one.roles)
    return PersonTold(
        id=one.public_id, source_id=one.source_id, name=one.name, roles=roles, form=one.form, year=one.year
    )


def _family(found: Family) -> FamilyTold:
    return FamilyTold(
        person=person_told(found.person),
        addresses=_addresses(found.addresses),
        guardians=[_tie(one) for one in found.guardians],
        children=[_tie(one) for one in found.children],
        groups=found.groups,
    )


def _tie(one: Tie) -> TieTold:
    return TieTold(
        person=person_told(one.person),
        priority=one.priority,
        parental_responsibility=one.parental_responsibility,
        lives_with=one.lives_with,
        blocked=one.blocked,
        by_hand=one.by_hand,
        addresses=_addresses(one.addresses),
    )


def _addresses(held: Sequence[Held]) -> Sequence[AddressTold]:
    return [AddressTold.model_validate(one) for one in held]
