"""An account's licence renewed: what was looked at again today, and by when it is looked at the next time."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request, Response

from broker.errors import InvalidLicence, NotFound, Problem, RuleBroken
from broker.licences import licensing
from broker.licences.licence import Owner
from broker.licences.licensing import Shown
from broker.moments import today_of
from broker.ports.approvals import OperatorRole
from web.watch.accounts import look
from web.watch.accounts.standing import day_of
from web.watch.desk import At, Desk, Form, posted
from web.watch.signing_in import NoPage

router = APIRouter()

MOST_FORM = 32 * 1024  # bytes: a day for each of fifty owners


@router.get("/watch/accounts/{name}/renew")
def ask(name: str, at: Desk) -> Response:
    """What lapses, each with the day until which it holds."""
    at.must(OperatorRole.ADMIN)
    return _page(at, look.shown(at, name))


@router.post("/watch/accounts/{name}/renew")
async def renew(name: str, request: Request) -> Response:
    """Renew what has a new day."""
    return await posted(request, lambda at, form: _renew(at, form, name), most=MOST_FORM)


def _renew(at: At, form: Form, name: str) -> Response:
    at.must(OperatorRole.ADMIN)
    shown = look.shown(at, name)
    owners = {owner.name: form[f"trained.{place}"] for place, owner in enumerate(_owners(shown))}
    try:
        with at.ports.ledger.look() as tx:
            today = today_of(tx)
        changes = licensing.renewals(
            today,
            policy=form["policy.review"] or None,
            version=form["policy.version"] or None,
            liability=form["liability.review"] or None,
            technology=form["technology.review"] or None,
            trained={owner: day for owner, day in owners.items() if day},
        )
        licensing.renew(at.ports, name, changes, actor=at.actor)
    except NotFound:
        raise NoPage(404, "not_found") from None
    except RuleBroken as refused:
        return _page(at, shown, 422, problem=_beside(refused, owners), form=form)
    return at.done(f"watch/accounts/{name}/licence", "licence_renewed")


def _beside(refused: RuleBroken, owners: dict[str, str]) -> Problem:
    """Under the name of its field: of an owner by the place in the list."""
    problem = refused.problem
    if problem.code == "nothing_to_renew":
        return replace(problem, field="policy.review")
    if isinstance(refused, InvalidLicence) and refused.place is not None and refused.place < len(owners):
        return replace(problem, field=f"trained.{refused.place}")
    return problem


def _page(
    at: At, shown: Shown, status: int = 200, *, problem: Problem | None = None, form: Form | None = None
) -> Response:
    if shown.licence.specimen or shown.row is None:
        raise NoPage(404, "not_found")  # there is nothing of the school's own to renew
    return at.page(
        "accounts/renew",
        status,
        shown=shown,
        owners=_owners(shown),
        day_of=day_of,
        problem=problem,
        form=form or Form(),
    )


def _owners(shown: Shown) -> tuple[Owner, ...]:
    return shown.licence.safe_use.owners if shown.licence.safe_use else ()
