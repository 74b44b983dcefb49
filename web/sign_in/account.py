"""One's own account: where one is signed in, one's password, one's second factor."""

from __future__ import annotations

import base64
import binascii
from contextlib import suppress
from dataclasses import replace

import segno
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from broker.authority import passwords, signin
from broker.errors import NotFound, NotProved, NotToBeChanged, Problem, ProofWanted, TooManyTries
from broker.ports import Ports, Proof, Stage
from config.settings import Settings
from web.sign_in.entry import Said, inside, told, waiting, ways
from web.watch.desk import At
from web.watch.signing_in import (
    HEADERS,
    SOON,
    NoPage,
    Signed,
    came_of,
    depth_of,
    enter,
    forget_wanted,
    half_signed_in,
    keep,
    our_form,
    show,
    signed_in,
    vault_at,
    wanted_before,
)
from web.watch.staff.words import ROLES

router = APIRouter()
MOST_SEALED = 400
NOTHING = Said()
NOT_PROVED_THERE = Problem(
    "not_proved_there",
    "",
    "there you were let in without being asked again, so it proves nothing",
    "prove it another way, or ask whoever looks after Carillon to type: carillon sign-in --operator with your name",
)


@router.get("/account")
def overview(request: Request) -> Response:
    """Where one is signed in, and what by."""
    return _overview(request, signed_in(request))


def _overview(request: Request, signed: Signed) -> Response:
    ports: Ports = request.app.state.ports
    with ports.ledger.look() as tx:
        found = tx.sessions.of_operator(signed.operator)
        proof = tx.proofs.of(signed.operator)
        left = tx.proofs.codes_left(signed.operator) if proof is not None else 0
    return At(request, signed).page(
        "account",
        sessions=sorted(found, key=lambda one: one.handle != signed.session.handle),  # this one first
        proof=proof,
        left=left,
        called=dict(ways(request)["providers"]),
        duties=[about for role, (_, about) in ROLES.items() if role in signed.session.roles],
    )


@router.post("/account/sessions")
async def end(request: Request) -> Response:
    """End one of one's sessions, or all but this one."""
    form, signed = await our_form(request)
    return await run_in_threadpool(_end, request, form, signed)


def _end(request: Request, form: dict[str, str], signed: Signed) -> Response:
    ports: Ports = request.app.state.ports
    if form.get("which") == "others":
        for one in _others(ports, signed):
            with suppress(NotFound):  # it has ended by itself meanwhile
                signin.end_one(ports, one, actor=signed.actor)
        said = "signed_out_elsewhere"
    else:
        said = "session_ended"
        try:
            signin.end_one(ports, form.get("which", ""), actor=signed.actor)
        except NotFound:
            raise NoPage(404, "not_found") from None
    return RedirectResponse(f"../account?done={said}", status_code=303, headers=HEADERS)


def _others(ports: Ports, signed: Signed) -> list[str]:
    with ports.ledger.look() as tx:
        found = tx.sessions.of_operator(signed.operator)
    return [one.handle for one in found if one.handle != signed.session.handle]


@router.get("/account/password")
def ask_password(request: Request) -> Response:
    """A new password: by an invitation, or with a fresh proof."""
    signed = waiting(request, half_signed_in(request), Stage.PASSWORD, Stage.WHOLE)
    _must_have_passwords(request, signed)
    return _proof_first(request, signed) or show(request, "password", signed=signed, problem=None)


@router.post("/account/password")
async def set_password(request: Request) -> Response:
    """Typed twice."""
    form, signed = await our_form(request, half=True)
    waiting(request, signed, Stage.PASSWORD, Stage.WHOLE)
    return await run_in_threadpool(_set_password, request, form, signed)


def _set_password(request: Request, form: dict[str, str], signed: Signed) -> Response:
    _must_have_passwords(request, signed)
    chosen = form.get("password", "")
    try:
        if chosen != form.get("again", ""):
            hint = "type it once more in both places"
            raise NotToBeChanged(Problem("not_the_same", "again", "the two are not the same", hint))
        begun = passwords.choose_password(
            request.app.state.ports, vault_at(request), signed.secret, chosen, came=came_of(request)
        )
    except NotToBeChanged as weak:
        return show(request, "password", 422, signed=signed, problem=weak.problem)
    except TooManyTries as many:
        return show(request, "password", 429, signed=signed, headers=SOON, problem=many.problem)
    except ProofWanted:
        return _to_proof(request, "account/password")
    except NotProved:
        raise NoPage(403, "refused") from None
    return enter(request, begun, "account?done=password_chosen" if begun.stage is Stage.WHOLE else "")


@router.get("/account/second")
def ask_second(request: Request) -> Response:
    """A second factor: a picture for the telephone, and a code to confirm it."""
    signed = waiting(request, half_signed_in(request), Stage.ENROL, Stage.WHOLE)
    _must_be_operator(request, signed)
    first = _proof_first(request, signed)
    return first or _second(request, signed, vault_at(request).new_second(), NOTHING)


@router.post("/account/second")
async def set_second(request: Request) -> Response:
    """Confirmed by a code of it."""
    form, signed = await our_form(request, half=True)
    waiting(request, signed, Stage.ENROL, Stage.WHOLE)
    return await run_in_threadpool(_set_second, request, form, signed)


def _set_second(request: Request, form: dict[str, str], signed: Signed) -> Response:
    vault, second = vault_at(request), _unsealed(request, form.get("sealed", ""), signed)
    _must_be_operator(request, signed)
    code = "".join(form.get("code", "")[:40].split())
    try:
        begun, codes = passwords.enrol(
            request.app.state.ports, vault, signed.secret, second, code, came=came_of(request)
        )
    except (NotProved, TooManyTries) as wrong:
        return _second(request, signed, second, told(wrong, "picture"))
    except ProofWanted:
        return _to_proof(request, "account/second")
    onward = wanted_before(request) or "watch"
    answer = show(request, "codes", signed=_now(begun.secret, signed), codes=codes, onward=onward)
    keep(answer, request.app.state.settings, begun)
    forget_wanted(request, answer)
    return answer


@router.post("/account/codes")
async def renew_codes(request: Request) -> Response:
    """New recovery codes."""
    _, signed = await our_form(request)
    return await run_in_threadpool(_renew_codes, request, signed)


def _renew_codes(request: Request, signed: Signed) -> Response:
    try:
        codes = passwords.renew_codes(request.app.state.ports, vault_at(request), signed.secret)
    except ProofWanted:
        return _to_proof(request, "account")
    except NotProved:
        raise NoPage(404, "not_found") from None
    return show(request, "codes", signed=signed, codes=codes, onward="watch")


@router.get("/account/prove")
def ask_proof(request: Request) -> Response:
    """Before something that a browser left open must not do."""
    signed = waiting(request, half_signed_in(request), Stage.ENROL, Stage.WHOLE)
    asked = request.query_params
    said = Said(NOT_PROVED_THERE) if asked.get("not") == "1" else NOTHING
    return _prove(request, signed, inside(asked.get("to", "")), said)


@router.post("/account/prove")
async def prove(request: Request) -> Response:
    """By whatever one signs in with."""
    form, signed = await our_form(request, half=True)
    waiting(request, signed, Stage.ENROL, Stage.WHOLE)
    return await run_in_threadpool(_proved, request, form, signed)


def _proved(request: Request, form: dict[str, str], signed: Signed) -> Response:
    settings: Settings = request.app.state.settings
    to = inside(form.get("to", ""))
    try:
        begun = passwords.prove_again(
            request.app.state.ports,
            vault_at(request),
            signed.secret,
            form.get("password", "") if settings.sign_in.passwords else None,
            form.get("code", "")[:40],
            came=came_of(request),
        )
    except (NotProved, TooManyTries) as wrong:
        return _prove(request, signed, to, told(wrong, "proof"))
    return enter(request, begun, to)


def _prove(request: Request, signed: Signed, to: str, said: Said) -> Response:
    return show(
        request,
        "prove",
        said.status,
        signed=signed,
        headers=said.headers,
        problem=said.problem,
        proof=_proof_of(request, signed),
        to=to,
        **ways(request),
    )


def _proof_first(request: Request, signed: Signed) -> Response | None:
    """Whoever has been here for a while proves who they are before, not after, they have typed something new."""
    if signed.session.stage is Stage.PASSWORD:
        return None
    with request.app.state.ports.ledger.look() as tx:
        fresh = signin.is_fresh(tx, signed.session)
    return None if fresh else _to_proof(request, request.url.path.removeprefix("/"))


def _to_proof(request: Request, to: str) -> Response:
    where = f"{'../' * depth_of(request)}account/prove?to={to}"
    return RedirectResponse(where, status_code=303, headers=HEADERS)


def _second(request: Request, signed: Signed, second: str, said: Said) -> Response:
    vault = vault_at(request)
    settings: Settings = request.app.state.settings
    address = vault.address_of(second, signed.operator, f"Carillon, {settings.school.name}")
    picture = segno.make(address, error="m", micro=False).svg_inline(scale=4, border=4, light="#fff")
    sealed = base64.urlsafe_b64encode(vault.seal(_purpose(signed), second)).decode()
    return show(
        request,
        "second",
        said.status,
        signed=signed,
        headers=said.headers,
        problem=said.problem,
        picture=Markup(picture),  # noqa: S704 - made of squares alone
        typed=" ".join(second[n : n + 4] for n in range(0, len(second), 4)),
        address=address,
        sealed=sealed,
    )


def _unsealed(request: Request, sealed: str, signed: Signed) -> str:
    """The secret that this very session was shown. Raises NoPage."""
    try:
        raw = base64.urlsafe_b64decode(sealed[:MOST_SEALED].encode("ascii", "replace"))
    except (binascii.Error, ValueError):
        raise NoPage(403, "refused") from None
    second = vault_at(request).unseal(_purpose(signed), raw)
    if second is None:
        raise NoPage(403, "refused")
    return second


def _purpose(signed: Signed) -> str:
    return f"enrol:{signed.digest.hex()}"


def _must_have_passwords(request: Request, signed: Signed) -> None:
    """Where this school signs in by none, or this operator by nothing, there is no such page. Raises NoPage."""
    settings: Settings = request.app.state.settings
    if not settings.sign_in.passwords:
        raise NoPage(404, "not_found")
    _must_be_operator(request, signed)


def _must_be_operator(request: Request, signed: Signed) -> None:
    """While a school has named nobody, somebody may look by a link whom nothing can be kept for. Raises NoPage."""
    if _proof_of(request, signed) is None:
        raise NoPage(404, "not_found")


def _proof_of(request: Request, signed: Signed) -> Proof | None:
    ports: Ports = request.app.state.ports
    with ports.ledger.look() as tx:
        return tx.proofs.of(signed.operator)


def _now(secret: str, signed: Signed) -> Signed:
    return Signed(replace(signed.session, stage=Stage.WHOLE), secret)
