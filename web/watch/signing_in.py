"""Who may watch: a link that works once, a session in the ledger, a cookie that only we may read."""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from broker.authority import signin
from broker.errors import LinkSpent
from broker.ports import Ports
from config.settings import Settings
from ledger.authority.sessions import Sessions
from ledger.connect import Ledger
from web.bounded import body_of
from web.safety import FOR_STAFF
from web.watch.paint import page

router = APIRouter()

MOST_FORM = 1024
HEADERS = dict(FOR_STAFF)
HTTPS = "https"


class NotSignedIn(Exception):
    """Raised when a page is asked for without a session that holds."""


class NoPage(Exception):
    """Raised when there is no such page, or a form is not one of ours: a page in plain words is the answer."""

    def __init__(self, status: int, name: str) -> None:
        self.status, self.name = status, name
        super().__init__(name)


@dataclass(frozen=True, slots=True)
class Signed:
    """Who watches: the operator, and the secret of the session."""

    operator: str
    secret: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        """What the ledger knows the session by."""
        return signin.digest(self.secret)

    @property
    def form_token(self) -> str:
        """Goes with every form, so that another site cannot send one."""
        return hmac.digest(self.secret.encode(), b"form", hashlib.sha256).hex()


class Throttle:
    """So many at once, then so many a second: links cannot be guessed, but each guess asks the ledger."""

    def __init__(self, *, at_once: int, per_second: float) -> None:
        self._at_once, self._per_second = at_once, per_second
        self._left, self._at = float(at_once), time.monotonic()

    def allows(self) -> bool:
        """Whether one more may come now."""
        if not self.seems_free():
            return False
        self._left -= 1
        return True

    def seems_free(self) -> bool:
        """Whether one more might come now, without its coming."""
        now = time.monotonic()
        self._left = min(self._at_once, self._left + (now - self._at) * self._per_second)
        self._at = now
        return self._left >= 1


throttle = Throttle(at_once=20, per_second=2)


def signed_in(request: Request) -> Signed:
    """The session of a request, read each time, so that one that was ended is ended. Raises NotSignedIn."""
    secret = request.cookies.get(cookie_name(request.app.state.settings), "")
    if not signin.SECRET.fullmatch(secret):
        raise NotSignedIn
    with ledger_of(request.app.state.ports).reading() as hand:
        operator = Sessions(hand).holder(signin.digest(secret))
    if operator is None:
        raise NotSignedIn
    return Signed(operator, secret)


@router.get("/watch/sign-in/{link}")
async def ask(link: str, request: Request) -> Response:
    """A page with a button: a mail scanner or a link preview that only looks burns nothing."""
    if not signin.SECRET.fullmatch(link):
        return _page(request, "spent", 404)
    return _page(request, "sign_in", 200, link=link)


@router.post("/watch/sign-in")
async def sign_in(request: Request) -> Response:
    """Use the link up, begin a session, hand over its cookie."""
    settings: Settings = request.app.state.settings
    form = await form_of(request)
    if not throttle.allows():
        return _page(request, "busy", 429, headers={"Retry-After": "2"})
    before = request.cookies.get(cookie_name(settings))
    try:
        begun = await run_in_threadpool(
            signin.sign_in, request.app.state.ports, form.get("link", ""), instead_of=before
        )
    except LinkSpent:
        return _page(request, "spent", 403)
    answer = RedirectResponse("../watch", status_code=303, headers=HEADERS)
    answer.set_cookie(
        cookie_name(settings),
        begun.secret,
        max_age=int(signin.SESSION_LASTS.total_seconds()),
        path="/",
        secure=_is_https(settings),
        httponly=True,
        samesite="lax",
    )
    return answer


@router.post("/watch/sign-out")
async def sign_out(request: Request) -> Response:
    """End the session."""
    form = await form_of(request)
    signed = await run_in_threadpool(signed_in, request)
    if not hmac.compare_digest(form.get("token", "").encode(), signed.form_token.encode()):
        raise NoPage(403, "refused")
    await run_in_threadpool(signin.sign_out, request.app.state.ports, signed.secret)
    answer = _page(request, "signed_out", 200)
    settings: Settings = request.app.state.settings
    answer.delete_cookie(
        cookie_name(settings), path="/", secure=_is_https(settings), httponly=True, samesite="lax"
    )
    return answer


async def not_signed_in(request: Request, error: Exception) -> Response:
    """What stands there for somebody who is not signed in."""
    return _page(request, "not_signed_in", 401)


async def no_page(request: Request, error: Exception) -> Response:
    """What stands there instead."""
    assert isinstance(error, NoPage)  # noqa: S101 - registered for it alone
    return _page(request, error.name, error.status)


async def form_of(request: Request) -> dict[str, str]:
    """A form that one of our own pages sent. Raises NoPage for another site's."""
    _check_origin(request)
    body = await body_of(request, MOST_FORM)
    try:
        fields = parse_qs(body.decode("ascii"), strict_parsing=False, max_num_fields=10)
    except ValueError:
        raise NoPage(400, "refused") from None
    return {name: values[0] for name, values in fields.items()}


def cookie_name(settings: Settings) -> str:
    """`__Host-` makes a browser hold a cookie to https, to this host alone and to no folder of it."""
    return "__Host-carillon" if _is_https(settings) else "carillon"


def ledger_of(ports: Ports) -> Ledger:
    """The ledger itself, whose reads wait for no writer."""
    assert isinstance(ports.ledger, Ledger)  # noqa: S101 - the assembly makes no other
    return ports.ledger


def depth_of(request: Request) -> int:
    """How many folders below the root a page's address is."""
    return request.url.path.count("/") - 1


def _page(
    request: Request, name: str, status: int, *, headers: dict[str, str] | None = None, **known: str
) -> HTMLResponse:
    settings: Settings = request.app.state.settings
    html = page(
        name,
        depth=depth_of(request),
        school=settings.school.name,
        sandbox=settings.sandbox,
        signed=None,
        **known,
    )
    return HTMLResponse(html, status, {**HEADERS, **(headers or {})})


def _check_origin(request: Request) -> None:
    """Only our own pages send forms here: Origin says so, or where a browser sends none, Sec-Fetch-Site."""
    origin = request.headers.get("origin")
    if origin is None:
        if request.headers.get("sec-fetch-site") == "same-origin":
            return
        raise NoPage(403, "refused")
    public = urlsplit(request.app.state.settings.public_url or "")
    came = urlsplit(origin)
    ours = {request.headers.get("host", "").lower(), public.netloc.lower()}
    if came.scheme not in {"http", HTTPS} or came.netloc.lower() not in ours - {""}:
        raise NoPage(403, "refused")


def _is_https(settings: Settings) -> bool:
    return urlsplit(settings.public_url or "").scheme == HTTPS
