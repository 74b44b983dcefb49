"""What somebody signs in by: an invitation shown once, an account elsewhere; signing them out; taking it all away."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broker.authority import identities, passwords, signin
from broker.errors import NotFound, ProofWanted, RuleBroken
from broker.ports.approvals import OperatorRole
from config.identity_links import account_elsewhere, link_address
from ledger.reads.staff import Member
from web.watch.desk import At, Form, posted
from web.watch.forms import status_of
from web.watch.proving import to_proof
from web.watch.signing_in import NoPage, vault_at
from web.watch.staff.forms import act, fresh
from web.watch.staff.pages import known, member_page, the

router = APIRouter()
HOURS = int(signin.INVITATION_LASTS.total_seconds() // 3600)


@router.post("/watch/staff/{number}/invite")
async def invite(number: str, request: Request) -> Response:
    """Make a link by which they choose a password, and show it this once."""
    return await posted(request, lambda at, form: _invite(at, number))


@router.post("/watch/staff/{number}/access")
async def access(number: str, request: Request) -> Response:
    """Link an account elsewhere, sign them out, or take away all that they sign in by."""
    return await posted(request, lambda at, form: act(at, number, form, _DO))


def _invite(at: At, which: str) -> Response:
    at.must(OperatorRole.ADMIN)
    member = the(at, which)
    try:
        fresh(at)
        link = signin.invite(at.ports, member.name, actor=at.actor)
    except ProofWanted:
        return to_proof(at, f"watch/staff/{member.id}")
    except NotFound:
        raise NoPage(404, "not_found") from None
    except RuleBroken as refused:
        return member_page(at, which, status_of(refused), problem=refused.problem)
    where = link_address(at.settings, link, url=str(at.request.base_url).rstrip("/"))
    return at.page("staff/invited", member=member, where=where, hours=HOURS, **known(at))


def _sign_out(at: At, member: Member, _form: Form) -> str:
    signin.sign_out_of(at.ports, member.name, actor=at.actor)
    return "staff_signed_out"


def _reset(at: At, member: Member, _form: Form) -> str:
    passwords.reset(at.ports, member.name, actor=at.actor)
    return "staff_reset"


def _link(at: At, member: Member, form: Form) -> str:
    provider = form["provider"][:63]
    who = account_elsewhere(at.settings, provider, form["account"][:320])
    identities.link(at.ports, vault_at(at.request), member.name, provider, who, actor=at.actor)
    return "staff_linked"


_DO = {"sign_out": _sign_out, "reset": _reset, "link": _link}
