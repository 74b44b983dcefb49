"""The rules as they are, one of them, and how they once were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Response

from broker.errors import RulesUnreadable
from broker.ports.approvals import OperatorRole
from broker.ports.rules import RulesVersion
from broker.rules.book import RULES, rules_of
from broker.rules.parameters import Kind
from broker.rules.values import Rules
from web.watch.desk import At, Desk
from web.watch.rules import words
from web.watch.rules.inputs import asked, choices
from web.watch.rules.week import weeks
from web.watch.signing_in import NoPage

router = APIRouter()
VERSIONS = 30  # of a page
WINDOWS = "windows.open"


@dataclass(frozen=True, slots=True)
class Difference:
    """One rule, as it was and as it is, in words."""

    key: str
    title: str
    before: Sequence[str]
    after: Sequence[str]


@dataclass(frozen=True, slots=True)
class Version:
    """One version, with what it changed of the one before."""

    row: RulesVersion
    changed: Sequence[Difference]


@router.get("/watch/rules")
def overview(at: Desk) -> Response:
    """Every rule by its theme."""
    rules = current(at)
    return at.page(
        "rules/rules", rules=rules, themes=words.THEMES, weeks=weeks(rules.windows(WINDOWS)), **shown()
    )


@router.get("/watch/rules/history")
def history(at: Desk) -> Response:
    """Every version, the newest first."""
    before = at.number("before")
    with at.ledger.look() as tx:
        versions = tx.rules.history()
    told = told_versions([one for one in versions if before is None or one.version < before])
    more = told[VERSIONS - 1].row.version if len(told) > VERSIONS else None
    return at.page(
        "rules/history", versions=told[:VERSIONS], more=more, newest=_newest(versions), before=before
    )


@router.get("/watch/rules/{key}")
def one(key: str, at: Desk) -> Response:
    """One rule: what it does, how it is, how it was."""
    return rule_page(at, key)


def rule_page(at: At, key: str, status: int = 200, **more: object) -> Response:
    """The page of one rule. Raises NoPage for none."""
    if key not in RULES:
        raise NoPage(404, "not_found")
    rules, parameter = current(at), RULES[key]
    with at.ledger.look() as tx:
        versions = tx.rules.history()
    told = [one for one in told_versions(versions) if any(each.key == key for each in one.changed)]
    known = {
        "key": key,
        "parameter": parameter,
        "rules": rules,
        "asked": asked(parameter, rules.values[key]),
        "choices": choices(at),
        "versions": told[:10],
        "default": words.value_said(parameter, parameter.read(parameter.default)),
        "weeks": weeks(rules.windows(key)) if parameter.kind is Kind.WINDOWS else (),
        "changes": at.may(OperatorRole.ADMIN),
    }
    return at.page("rules/rule", status, **{**shown(), **known, **more})


def shown() -> Mapping[str, object]:
    """What every page of rules says them with."""
    return {
        "title_of": words.title,
        "about_of": words.about,
        "said": words.value_said,
        "short": words.short,
        "origin": words.origin,
    }


def current(at: At) -> Rules:
    """The rules in force; what cannot be read is shown as the defaults, and a warning says so elsewhere."""
    with at.ledger.look() as tx:
        try:
            return tx.rules.current()
        except RulesUnreadable:
            return rules_of({})


def told_versions(versions: Sequence[RulesVersion]) -> list[Version]:
    """Versions, the newest first, each with what it changed."""
    earlier: list[Mapping[str, str]] = [*(one.changed for one in versions[1:]), {}]
    return [
        Version(one, differences(before, one.changed)) for one, before in zip(versions, earlier, strict=True)
    ]


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> Sequence[Difference]:
    """What differs between two versions, in words."""
    keys = [key for key in {**RULES, **before, **after} if before.get(key) != after.get(key)]
    return [Difference(key, words.title(key), _said(key, before), _said(key, after)) for key in keys]


def _said(key: str, changed: Mapping[str, str]) -> Sequence[str]:
    default = RULES[key].default if key in RULES else ""
    return words.said(key, changed.get(key, default))


def _newest(versions: Sequence[RulesVersion]) -> int:
    return versions[0].version if versions else 0
