"""The school's rules: what they are, why, and how they are changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from broker.authority import rule_changes
from broker.authority.departments import gone
from broker.ports.api import Scope
from broker.rules.book import RULES
from broker.rules.values import Rules
from web.api.calling import Call, Page, Reason, wants
from web.api.errors import answers
from web.api.shapes import Why
from web.api.strict import Sent, Shape, StrictRoute, Told, example

router = APIRouter(tags=["rules"], route_class=StrictRoute)
Key = Annotated[str, Path(min_length=1, max_length=100, examples=["undo.window"])]


class RuleTold(Told):
    """A rule: its value as it is written, and what it is for."""

    key: str
    value: str
    default: str
    changed: bool
    kind: str
    words: str
    source: str


class RulesTold(Told):
    """All of them, as one version."""

    version: int
    rules: Sequence[RuleTold]


class VersionTold(Told):
    """One version: what differed from the defaults, when, by whom and why."""

    version: int
    at: datetime
    by: str
    why: str
    changed: Mapping[str, str]


class NewValue(Shape):
    """A new value, as the rule says that it is written, and why."""

    model_config = example({"value": "2 min", "why": "two wrong groups in a week"})

    value: Annotated[str, Field(max_length=5_000)]
    why: Reason


@router.get(
    "/rules",
    operation_id="list_rules",
    responses=answers(401, 403, 422, 503),
    openapi_extra={"x-scope": Scope.RULES_READ},
)
def list_(call: Call = wants(Scope.RULES_READ)) -> RulesTold:
    """List the rules with their values."""
    with call.ledger.look() as tx:
        rules = tx.rules.current()
    return RulesTold(version=rules.version, rules=[_told(rules, key) for key in RULES])


@router.get(
    "/rules/history",
    operation_id="list_rule_versions",
    responses=answers(401, 403, 422, 503),
    openapi_extra={"x-scope": Scope.RULES_READ},
)
def history(call: Call = wants(Scope.RULES_READ)) -> Page[VersionTold]:
    """List every version of the rules."""
    with call.ledger.look() as tx:
        versions = tx.rules.history()
    return Page(items=[VersionTold.model_validate(one) for one in versions], next=None)


@router.get(
    "/rules/{key}",
    operation_id="get_rule",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.RULES_READ},
)
def get(key: Key, call: Call = wants(Scope.RULES_READ)) -> RuleTold:
    """Say what a rule is and what it is for."""
    _known(key)
    with call.ledger.look() as tx:
        return _told(tx.rules.current(), key)


@router.put(
    "/rules/{key}",
    operation_id="set_rule",
    responses=answers(401, 403, 404, 413, 422, 503),
    openapi_extra={"x-scope": Scope.RULES_WRITE},
)
def set_(
    key: Key,
    said: Sent[NewValue],
    call: Call = wants(Scope.RULES_WRITE),
) -> RuleTold:
    """Change a rule: checked whole, in force at once, kept as a new version with the reason."""
    _known(key)
    return _told(rule_changes.change(call.ports, key, said.value, said.why, actor=call.actor), key)


@router.post(
    "/rules/{key}/reset",
    operation_id="reset_rule",
    responses=answers(401, 403, 404, 413, 422, 503),
    openapi_extra={"x-scope": Scope.RULES_WRITE},
)
def reset(
    key: Key,
    said: Sent[Why],
    call: Call = wants(Scope.RULES_WRITE),
) -> RuleTold:
    """Set a rule back to its default."""
    _known(key)
    return _told(rule_changes.reset(call.ports, key, said.why, actor=call.actor), key)


def _known(key: str) -> None:
    if key not in RULES:
        raise gone("key", "rule")


def _told(rules: Rules, key: str) -> RuleTold:
    parameter = RULES[key]
    return RuleTold(
        key=key,
        value=parameter.written(rules.values[key]),
        default=parameter.written(parameter.read(parameter.default)),
        changed=key in rules.changed,
        kind=parameter.kind,
        words=parameter.words,
        source=parameter.source,
    )
