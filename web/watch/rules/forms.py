"""Changing a rule: first the difference is shown, then it is kept; and going back to how all of them once were."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broker.authority import rule_changes
from broker.errors import Problem, RuleBroken, RuleRefused
from broker.ports.approvals import OperatorRole
from broker.ports.rules import RulesVersion
from broker.rules.book import RULES
from web.watch.desk import At, Desk, Form, number, posted
from web.watch.forms import called, reason, status_of
from web.watch.rules import words
from web.watch.rules.inputs import asked_again, typed
from web.watch.rules.pages import current, differences, rule_page, shown
from web.watch.signing_in import NoPage

router = APIRouter()
WHY = "whoever asks next year reads it in the history"
MOST_VALUE = 10_000  # signs of a value: as the law has it


@router.post("/watch/rules/{key}")
async def change(key: str, request: Request) -> Response:
    """Show what would change, or keep it."""
    return await posted(request, lambda at, form: _change(at, form, key))


@router.get("/watch/rules/history/{version}")
def then(version: str, at: Desk) -> Response:
    """What going back to this version would change."""
    return _then(at, number(version))


@router.post("/watch/rules/history/{version}")
async def back(version: str, request: Request) -> Response:
    """Go back to it."""
    return await posted(request, lambda at, form: _back(at, form, number(version)))


def _change(at: At, form: Form, key: str) -> Response:
    at.must(OperatorRole.ADMIN)
    if key not in RULES:
        raise NoPage(404, "not_found")
    value = form["written"][:MOST_VALUE] if "written" in form else typed(RULES[key], form)
    try:
        before, after = rule_changes.preview(at.ports, key, value)
        if before == after:
            raise RuleRefused(Problem("same_rule", "value", "the rule says this already", "change something"))
        return _keep(at, form, key, before, after)
    except RuleBroken as refused:
        return _refused(at, key, form, refused)


def _keep(at: At, form: Form, key: str, before: str, after: str) -> Response:
    """Keep what was looked at; else show the difference. Raises RuleBroken."""
    version = current(at).version
    keeps, looked_at = form["do"] == "keep", form["version"] == str(version)
    try:
        why = reason(form["why"], needed="say why" if keeps and looked_at else "", hint=WHY)
    except RuleBroken as refused:
        known = {"why": form["why"], "version": version, "problem": refused.problem}
        return _difference(at, key, before, after, 422, **known)
    if not (keeps and looked_at):
        # Also where somebody has changed the rules meanwhile: what is kept was looked at.
        return _difference(at, key, before, after, why=why, version=version, meanwhile=keeps)
    rule_changes.change(at.ports, key, after, why, actor=at.actor, seen=version)
    return at.done(f"watch/rules/{key}", "rule_changed")


def _difference(at: At, key: str, before: str, after: str, status: int = 200, **more: object) -> Response:
    parts = {"before": words.said(key, before), "after": words.said(key, after)}
    return at.page("rules/change", status, key=key, written=after, **{**shown(), **parts, **more})


def _refused(at: At, key: str, form: Form, refused: RuleBroken) -> Response:
    beside = called(refused.problem, {key: "value"})
    again = asked_again(RULES[key], current(at).values[key], form)
    more = {} if "written" in form else {"asked": again}
    return rule_page(at, key, status_of(refused), problem=beside, form=form, **more)


def _then(at: At, version: int, status: int = 200, **more: object) -> Response:
    row, now = _version(at, version), current(at)
    changed = differences(now.changed, row.changed)
    may = at.may(OperatorRole.ADMIN)
    known = {"row": row, "changed": changed, "changes": may, "seen": now.version}
    return at.page("rules/then", status, **{**known, **shown(), **more})


def _back(at: At, form: Form, version: int) -> Response:
    at.must(OperatorRole.ADMIN)
    _version(at, version)
    try:
        why = reason(form["why"], needed="say why", hint=WHY)
        seen = number(form["seen"]) if form["seen"] else None
        rule_changes.back(at.ports, version, why, actor=at.actor, seen=seen)
    except RuleBroken as refused:
        return _then(at, version, status_of(refused), problem=refused.problem, form=form)
    return at.done("watch/rules", "rules_back")


def _version(at: At, version: int) -> RulesVersion:
    with at.ledger.look() as tx:
        found = next((one for one in tx.rules.history() if one.version == version), None)
    if found is None:
        raise NoPage(404, "not_found")
    return found
