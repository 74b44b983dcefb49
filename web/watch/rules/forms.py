"""Changing a rule: first the difference is shown, then it is kept; and going back to how all of them once were."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broker.authority import rule_changes
from broker.errors import NotAllowed, Problem, RuleBroken, RuleRefused
from broker.ports.approvals import OperatorRole
from broker.ports.rules import RulesVersion
from broker.rules.book import RULES
from web.watch.desk import At, Desk, Form, number, posted
from web.watch.rules import words
from web.watch.rules.inputs import asked_again, typed
from web.watch.rules.pages import current, differences, rule_page, shown
from web.watch.signing_in import NoPage

router = APIRouter()
MOST_WHY = 300  # signs of a reason: a few sentences
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
    why, version = reason(form), current(at).version
    try:
        before, after = rule_changes.preview(at.ports, key, value)
        if before == after:
            raise RuleRefused(Problem("same_rule", "value", "the rule says this already", "change something"))
        if form["do"] != "keep" or form["version"] != str(version):
            # Also where somebody has changed the rules meanwhile: what is kept was looked at.
            meanwhile = form["do"] == "keep"
            return _difference(at, key, before, after, why=why, version=version, meanwhile=meanwhile)
        if not why:
            return _difference(at, key, before, after, 422, version=version, problem=_NO_REASON)
        rule_changes.change(at.ports, key, after, why, actor=at.actor)
    except RuleBroken as refused:
        return _refused(at, key, form, refused, why)
    return at.done(f"watch/rules/{key}", "rule_changed")


def _difference(
    at: At, key: str, before: str, after: str, status: int = 200, *, why: str = "", **more: object
) -> Response:
    parts = {"before": words.said(key, before), "after": words.said(key, after)}
    return at.page("rules/change", status, key=key, written=after, why=why, **{**shown(), **parts, **more})


def _refused(at: At, key: str, form: Form, refused: RuleBroken, why: str) -> Response:
    told = refused.problem
    beside = Problem(
        told.code, "value" if told.field in {key, "value"} else told.field, told.message, told.hint
    )
    again = asked_again(RULES[key], current(at).values[key], form)
    status = 403 if isinstance(refused, NotAllowed) else 422
    more = {} if "written" in form else {"asked": again}
    return rule_page(at, key, status, problem=beside, form=form, **more)


def _then(at: At, version: int, status: int = 200, **more: object) -> Response:
    row, now = _version(at, version), current(at)
    changed = differences(now.changed, row.changed)
    may = at.may(OperatorRole.ADMIN)
    return at.page("rules/then", status, row=row, changed=changed, changes=may, **{**shown(), **more})


def _back(at: At, form: Form, version: int) -> Response:
    at.must(OperatorRole.ADMIN)
    _version(at, version)
    why = reason(form)
    try:
        if not why:
            raise RuleRefused(_NO_REASON)
        rule_changes.back(at.ports, version, why, actor=at.actor)
    except RuleBroken as refused:
        status = 403 if isinstance(refused, NotAllowed) else 422
        return _then(at, version, status, problem=refused.problem, form=form)
    return at.done("watch/rules", "rules_back")


def _version(at: At, version: int) -> RulesVersion:
    with at.ledger.look() as tx:
        found = next((one for one in tx.rules.history() if one.version == version), None)
    if found is None:
        raise NoPage(404, "not_found")
    return found


def reason(form: Form) -> str:
    """Why somebody changes something, on one line."""
    return " ".join(form["why"].split())[:MOST_WHY]


_NO_REASON = Problem("no_reason", "why", "say why", "whoever asks next year reads it in the history")
