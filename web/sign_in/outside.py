"""Sign-in by a provider: away with a sealed journey in a cookie, and back with a code."""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import time
from collections.abc import Mapping
from dataclasses import replace

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from broker.authority import identities, passwords
from broker.authority.signin import SignedIn
from broker.errors import NotProved, TooManyTries
from config.identity import Away, Journey, Provider, refused
from config.settings import Settings
from web.sign_in.entry import inside, told, ways
from web.watch.signing_in import HEADERS, SOON, NoPage, came_of, cookie_name, enter, is_https, show, vault_at

log = logging.getLogger(__name__)

router = APIRouter()
LASTS = 600  # seconds that somebody may take at the provider's
WAY_BACK = "way back"  # what its tries are counted as
MOST_ANSWER = 4096  # characters of a code or a state


def providers_of(settings: Settings) -> Mapping[str, Provider]:
    """The configured ones. Nobody is asked for anything before somebody signs in."""
    back = f"{settings.public_url}/sign-in/back/"
    return {name: Provider(name, at, back + name) for name, at in settings.sign_in.providers.items()}


@router.get("/sign-in/with/{name}")
def away(name: str, request: Request) -> Response:
    """To the provider. Another site may send somebody there, and only they who come back by this browser get in.

    `prove`: the page that asked for a proof; then the provider is asked to let nobody through unasked.
    """
    provider = _provider(request, name)
    asked = request.query_params.get("prove")
    try:
        where, journey = provider.set_out(inside(asked) if asked is not None else "")
    except Away as why:
        return _away(request, name, why)
    answer = RedirectResponse(where, status_code=303, headers=HEADERS)
    settings: Settings = request.app.state.settings
    sealed = vault_at(request).seal("journey", journey.as_text())
    answer.set_cookie(
        _cookie(settings),
        base64.urlsafe_b64encode(sealed).decode(),
        max_age=LASTS,
        path="/",
        secure=is_https(settings),
        httponly=True,
        samesite="lax",  # the provider sends the browser back by a link, which strict would hold back
    )
    return answer


@router.get("/sign-in/back/{name}")
async def back(name: str, request: Request) -> Response:
    """From the provider."""
    answer = await run_in_threadpool(_back, name, request)
    settings: Settings = request.app.state.settings
    answer.delete_cookie(
        _cookie(settings), path="/", secure=is_https(settings), httponly=True, samesite="lax"
    )
    return answer


def _back(name: str, request: Request) -> Response:
    provider, asked = _provider(request, name), request.query_params
    try:
        journey = _journey(request, name)
        state, code = asked.get("state", ""), asked.get("code", "")
        if max(len(state), len(code)) > MOST_ANSWER:
            raise refused()
        if not hmac.compare_digest(state.encode(), journey.state.encode()) or not code:
            raise refused()
        # RFC 9207: another provider's answer is not this one's.
        if asked.get("iss", provider.at.where).rstrip("/") != provider.at.where:
            raise refused()
        begun = _begun(request, provider, journey, code)
    except Away as why:
        return _away(request, name, why)
    except (NotProved, TooManyTries) as wrong:
        no = told(wrong)
        return show(
            request, "enter", no.status, headers=no.headers, problem=no.problem, name="", **ways(request)
        )
    if not journey.to:
        return enter(request, begun)
    return enter(request, begun, journey.to if begun.fresh else f"account/prove?not=1&to={journey.to}")


def _begun(request: Request, provider: Provider, journey: Journey, code: str) -> SignedIn:
    """Counted first: whatever comes back costs a call to the provider. Raises Away, NotProved, TooManyTries."""
    ports, vault, came = request.app.state.ports, vault_at(request), came_of(request)
    passwords.pace_of_source(ports, vault, came, WAY_BACK)
    begun = identities.by_identity(ports, vault, provider.come_back(journey, code), came=came)
    passwords.forgive(ports, vault, "", replace(came, device=None), WAY_BACK)
    return begun


def _journey(request: Request, name: str) -> Journey:
    kept = request.cookies.get(_cookie(request.app.state.settings), "")
    try:
        sealed = base64.urlsafe_b64decode(kept.encode("ascii", "replace"))
    except (binascii.Error, ValueError):
        raise refused() from None
    text = vault_at(request).unseal("journey", sealed)
    journey = Journey.of(text) if text else None
    if journey is None or journey.provider != name or not 0 <= time.time() - journey.begun <= LASTS:
        raise refused()
    return journey


def _provider(request: Request, name: str) -> Provider:
    providers: Mapping[str, Provider] = request.app.state.providers
    if name not in providers:
        raise NoPage(404, "not_found")
    return providers[name]


def _away(request: Request, name: str, why: Away) -> Response:
    log.warning("the provider %s cannot be asked: %s", name, why)
    settings: Settings = request.app.state.settings
    return show(request, "provider_away", 503, headers=SOON, passwords=settings.sign_in.passwords)


def _cookie(settings: Settings) -> str:
    return f"{cookie_name(settings)}-journey"
