"""Who may look: a session in the ledger, read at each request; a cookie that only we may read; our own forms alone."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Network, ip_address
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from broker.actor import Actor, ActorKind
from broker.authority import passwords, shown_once, signin
from broker.authority.signin import Came, SignedIn
from broker.errors import LinkSpent, TooManyTries
from broker.ports import Ports, Session, Stage, Vault
from config.settings import Settings
from ledger.authority.sessions import Sessions
from ledger.connect import Ledger
from web.bounded import body_of
from web.origin import is_ours
from web.safety import FOR_STAFF
from web.watch import way_back
from web.watch.browsers import browser_of
from web.watch.clean import clean
from web.watch.paint import page

router = APIRouter()

MOST_FORM = 8192  # two passwords of 200 signs, each sent as twelve letters
MOST_FORWARDED = 1024
LINE = 64  # bits of an IPv6 address that a provider gives to one customer (RFC 6177)
HEADERS = dict(FOR_STAFF)
HTTPS = "https"
# Where somebody goes on whose sign-in has come so far.
NEXT = {
    Stage.WHOLE: "watch",
    Stage.PASSWORD: "account/password",
    Stage.SECOND: "sign-in/code",
    Stage.ENROL: "account/second",
}
SOON = {"Retry-After": "60"}  # seconds


class NotSignedIn(Exception):
    """Raised when a page is asked for without a session that holds; `step`: of somebody who is half way there."""

    def __init__(self, step: str = "") -> None:
        self.step = step
        super().__init__(step)


class NoPage(Exception):
    """Raised when there is no such page, or a form is not one of ours: a page in plain words is the answer."""

    def __init__(self, status: int, name: str) -> None:
        self.status, self.name = status, name
        super().__init__(name)


@dataclass(frozen=True, slots=True)
class Signed:
    """Who looks: their session as it stands now, and its secret."""

    session: Session
    secret: str = field(repr=False)

    @property
    def operator(self) -> str:
        """By name."""
        return self.session.operator

    @property
    def actor(self) -> Actor:
        """For the record."""
        return Actor(ActorKind.PERSON, self.session.operator)

    @property
    def whole(self) -> bool:
        """Whether they are signed in, not half way there."""
        return self.session.stage is Stage.WHOLE

    @property
    def department(self) -> str | None:
        """Whose alone they may see; None for the whole school's."""
        return self.session.department

    @property
    def digest(self) -> bytes:
        """What the ledger knows the session by."""
        return shown_once.digest(self.secret)

    @property
    def form_token(self) -> str:
        """Goes with every form, so that another site cannot send one."""
        return hmac.digest(self.secret.encode(), b"form", hashlib.sha256).hex()


def signed_in(request: Request) -> Signed:
    """The session of a request, read each time, so that one that was ended is ended. Raises NotSignedIn."""
    found = half_signed_in(request)
    if not found.whole:
        raise NotSignedIn(NEXT[found.session.stage])
    return found


def half_signed_in(request: Request) -> Signed:
    """The same of somebody who may have a step to go: for the pages that take it. Raises NotSignedIn."""
    secret = request.cookies.get(cookie_name(request.app.state.settings), "")
    if not shown_once.SECRET.fullmatch(secret):
        raise NotSignedIn
    ports: Ports = request.app.state.ports
    with ledger_of(ports).reading() as hand:
        session = Sessions(hand).of(shown_once.digest(secret))
    if session is None:
        raise NotSignedIn
    if session.idle and abs(session.now - session.seen_at) > signin.SEEN_EVERY:
        signin.used(ports, secret)
    signed = Signed(session, secret)
    request.state.signed = signed  # what goes wrong from here on is told within their menu
    return signed


@router.get("/watch/sign-in/{link}")
async def ask(link: str, request: Request) -> Response:
    """A page with a button: a mail scanner or a link preview that only looks burns nothing."""
    if not shown_once.SECRET.fullmatch(link):
        return show(request, "spent", 404)
    return show(request, "sign_in", 200, link=link)


@router.post("/watch/sign-in")
async def sign_in(request: Request) -> Response:
    """Use the link up, begin a session, hand over its cookie."""
    form = await form_of(request)
    return await run_in_threadpool(_by_link, request, form.get("link", ""))


def _by_link(request: Request, link: str) -> Response:
    ports, came = request.app.state.ports, came_of(request)
    try:
        # One that holds is never kept waiting: it is the way in past the others.
        if not signin.link_holds(ports, link):
            passwords.pace_of_source(ports, vault_at(request), came, "link")
        begun = signin.sign_in(ports, link, came=came)
    except TooManyTries:
        return show(request, "busy", 429, headers=SOON)
    except LinkSpent:
        return show(request, "spent", 403)
    return enter(request, begun)


@router.post("/watch/sign-out")
async def sign_out(request: Request) -> Response:
    """End the session."""
    _, signed = await our_form(request)
    await run_in_threadpool(signin.sign_out, request.app.state.ports, signed.secret)
    answer = show(request, "signed_out", 200)
    settings: Settings = request.app.state.settings
    answer.delete_cookie(
        cookie_name(settings), path="/", secure=is_https(settings), httponly=True, samesite="lax"
    )
    return answer


def enter(request: Request, begun: SignedIn, to: str = "") -> Response:
    """Hand over the cookie of a session that has just begun, and lead on; a whole one is remembered by its browser."""
    settings: Settings = request.app.state.settings
    whole = begun.stage is Stage.WHOLE
    to = to or (whole and wanted_before(request)) or NEXT[begun.stage]
    answer = RedirectResponse("../" * depth_of(request) + to, status_code=303, headers=HEADERS)
    keep(answer, settings, begun)
    if whole:
        forget_wanted(request, answer)
        known = passwords.remember_device(
            request.app.state.ports, begun.actor.id, request.cookies.get(device_cookie(settings))
        )
        if known is not None:
            lasts = int(passwords.DEVICE_LASTS.total_seconds())
            _cookie(answer, settings, device_cookie(settings), known, lasts)
    return answer


def keep(answer: Response, settings: Settings, begun: SignedIn) -> None:
    """Set the cookie of a session."""
    _cookie(
        answer,
        settings,
        cookie_name(settings),
        begun.secret,
        int(signin.SESSION_LASTS.total_seconds()),
    )


def _cookie(answer: Response, settings: Settings, name: str, value: str, lasts: int) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=lasts,
        path="/",
        secure=is_https(settings),
        httponly=True,
        samesite="lax",
    )


async def not_signed_in(request: Request, error: Exception) -> Response:
    """What stands there for somebody who is not signed in."""
    assert isinstance(error, NotSignedIn)  # noqa: S101 - registered for it alone
    settings: Settings = request.app.state.settings
    was = cookie_name(settings) in request.cookies
    answer = show(request, "not_signed_in", 401, was=was, step=error.step)
    if to := way_back.wanted(request):
        _cookie(
            answer, settings, where_cookie(settings), way_back.sealed(vault_at(request), to), way_back.LASTS
        )
    return answer


def wanted_before(request: Request) -> str:
    """The page that somebody asked for before they had to sign in; "" for none."""
    kept = request.cookies.get(where_cookie(request.app.state.settings), "")
    return way_back.unsealed(vault_at(request), kept) if kept else ""


def forget_wanted(request: Request, answer: Response) -> None:
    """They are there, or led on to it."""
    settings: Settings = request.app.state.settings
    name = where_cookie(settings)
    if name in request.cookies:
        answer.delete_cookie(name, path="/", secure=is_https(settings), httponly=True, samesite="lax")


async def form_of(request: Request) -> dict[str, str]:
    """A form that one of our own pages sent. Raises NoPage for another site's."""
    _check_origin(request)
    body = await body_of(request, MOST_FORM)
    try:
        fields = parse_qs(body.decode("ascii"), strict_parsing=False, max_num_fields=10)
    except ValueError:
        raise NoPage(400, "refused") from None
    return {clean(name): clean(values[0]) for name, values in fields.items()}


async def our_form(request: Request, *, half: bool = False) -> tuple[dict[str, str], Signed]:
    """A form of somebody who is signed in, with their session's token. Raises NoPage, NotSignedIn."""
    form = await form_of(request)
    signed = await run_in_threadpool(half_signed_in if half else signed_in, request)
    if not hmac.compare_digest(form.get("token", "").encode(), signed.form_token.encode()):
        raise NoPage(403, "refused")
    return form, signed


def came_of(request: Request) -> Came:
    """Where a request comes from: the address of the line, or of whoever stands before a proxy that we know."""
    settings: Settings = request.app.state.settings
    source = request.client.host if request.client else ""
    # A proxy that knows of one before it adds a line, or to the line: all of them are one list (RFC 9110 §5.3).
    told = ",".join(request.headers.getlist("x-forwarded-for"))[-MOST_FORWARDED:]
    for hop in reversed([part.strip() for part in told.split(",")]):
        if source not in settings.sign_in.proxies or not hop:
            break
        source = hop
    return Came(
        source=_line_of(source),
        device=request.cookies.get(device_cookie(settings)),
        instead_of=request.cookies.get(cookie_name(settings)),
        about=browser_of(request.headers.get("user-agent", "")),
    )


def _line_of(source: str) -> str:
    """The line that an address is on: of IPv6 whoever has one has 2^64 of them."""
    try:
        address = ip_address(source)
    except ValueError:
        return source
    if isinstance(address, IPv6Address):
        within = IPv6Network((address, LINE), strict=False)
        return str(address.ipv4_mapped or within.network_address)
    return source


def vault_at(request: Request) -> Vault:
    """What hashes and seals in this process."""
    vault: Vault = request.app.state.vault
    return vault


def cookie_name(settings: Settings) -> str:
    """`__Host-` makes a browser hold a cookie to https, to this host alone and to no folder of it."""
    return "__Host-carillon" if is_https(settings) else "carillon"


def device_cookie(settings: Settings) -> str:
    """Of a browser on which somebody has signed in; it signs nobody in."""
    return f"{cookie_name(settings)}-device"


def where_cookie(settings: Settings) -> str:
    """Of the page that somebody wanted; it is sealed, and lasts minutes."""
    return f"{cookie_name(settings)}-where"


def ledger_of(ports: Ports) -> Ledger:
    """The ledger itself, whose reads wait for no writer."""
    assert isinstance(ports.ledger, Ledger)  # noqa: S101 - the assembly makes no other
    return ports.ledger


def depth_of(request: Request) -> int:
    """How many folders below the root a page's address is."""
    path: str = request.scope["path"]  # of `request.url` what looks like a query is cut off
    return path.count("/") - 1


def show(
    request: Request,
    name: str,
    status: int = 200,
    /,
    *,
    signed: Signed | None = None,
    headers: Mapping[str, str] | None = None,
    **known: object,
) -> HTMLResponse:
    """A page, for somebody who is signed in or for nobody."""
    settings: Settings = request.app.state.settings
    html = page(
        name,
        depth=depth_of(request),
        school=settings.school.name,
        sandbox=settings.sandbox,
        signed=signed,
        **known,
    )
    return HTMLResponse(html, status, {**HEADERS, **(headers or {})})


def is_https(settings: Settings) -> bool:
    """Whether the outside reaches us by https; on loopback in development it does not."""
    return urlsplit(settings.public_url or "").scheme == HTTPS


def _check_origin(request: Request) -> None:
    """Only our own pages send forms here. Raises NoPage."""
    if not is_ours(request):
        raise NoPage(403, "refused")
