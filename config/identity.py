"""OpenID Connect, by Authlib: to the provider and back with state, nonce and PKCE, and a token of which all is checked.

While a provider is asked for its keys nobody waits for long behind whoever came first: the asking has a thread of its
own, a few who come meanwhile wait for its one answer, and are told to try again where it does not come soon; more than
a few are told so at once.

Only the school's own: Google's `hd`, Microsoft's tenant `tid`, and in each case a domain that the settings name. An
address is believed where the provider says that it is verified, or where the school's own tenant gave it.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from broker.authority.identities import Claimed
from broker.errors import NotProved, Problem
from config.bounded_calls import MOST_BYTES, TIMEOUT, bounded
from config.sign_in import Kind, ProviderAt, is_safe

SCOPE = "openid email profile"
AUTH_TIME = json.dumps({"id_token": {"auth_time": {"essential": True}}})
ALGORITHMS = ["RS256", "PS256", "ES256"]  # never none, never one with a shared secret
FRESH = timedelta(hours=1)
AGAIN = timedelta(minutes=1)  # keys are asked for anew for a key that is not known, so often at most
STILL_AWAY = timedelta(seconds=10)  # whoever comes meanwhile is told so at once, and keeps no thread waiting
PATIENCE = timedelta(seconds=3)  # that anybody waits for what somebody asked for already
GIVEN_UP = timedelta(seconds=30)  # an asking that has not ended by then may be begun anew
MOST_WAITING = 12  # for one provider at once: one that hangs keeps so many threads, and not all of them
LEEWAY = timedelta(seconds=60)
LONGEST_CLAIM = 320
MOST_GROUPS = 1_000
LAST_TIME = 2**33  # seconds, in the year 2242: what a date can hold


@dataclass(frozen=True, slots=True)
class Journey:
    """What goes with somebody to the provider and is compared when they come back. It is kept sealed, with them."""

    provider: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    begun: float
    to: str = ""  # the page that asked for a proof; "" for a sign-in

    def as_text(self) -> str:
        """For sealing."""
        return json.dumps([self.provider, self.state, self.nonce, self.verifier, self.begun, self.to])

    @classmethod
    def of(cls, text: str) -> Journey:
        """What was sealed by us."""
        return cls(*json.loads(text))


class Away(Exception):
    """Raised when a provider cannot be reached, or answers what is no answer."""


Known = tuple[dict[str, Any], KeySet]


@dataclass(frozen=True, slots=True)
class _Asking:
    """One asking for what a provider says of itself, for however many wait for it."""

    begun: float
    answer: Future[Known] = field(default_factory=Future)


class Provider:
    """One provider. Threads share it; its keys are asked for once an hour."""

    def __init__(self, name: str, at: ProviderAt, back: str) -> None:
        self.name, self.at, self.back = name, at, back
        self._lock = threading.Lock()
        self._known: tuple[float, Known] | None = None
        self._asking: _Asking | None = None
        self._places = threading.BoundedSemaphore(MOST_WAITING)
        self._away: tuple[float, str] | None = None

    def set_out(self, to: str = "") -> tuple[str, Journey]:
        """Where the browser goes, and what is to be compared when it comes back. Raises Away.

        `to`: the page that wants a proof. What is asked for then (OpenID Connect Core §3.1.2.1) goes through a browser
        that somebody else may sit at: what counts is the time that the token tells.
        """
        metadata, _ = self._metadata()
        journey = Journey(
            self.name,
            secrets.token_urlsafe(32),
            secrets.token_urlsafe(32),
            secrets.token_urlsafe(48),
            time.time(),
            to,
        )
        more: dict[str, str] = {"nonce": journey.nonce, "prompt": "select_account"}
        if self.at.kind is Kind.GOOGLE and len(self.at.domains) == 1:
            more["hd"] = next(iter(self.at.domains))  # a hint for Google's page; what counts is checked below
        if to:
            more |= {"prompt": "login", "max_age": "0"}
        if self.at.kind is Kind.GOOGLE:  # which knows no "login", and tells the time where it is asked so
            more |= {"prompt": "select_account", "claims": AUTH_TIME}
        with self._client() as client:
            url, _ = client.create_authorization_url(
                metadata["authorization_endpoint"],
                state=journey.state,
                code_verifier=journey.verifier,
                **more,
            )
        return str(url), journey

    def come_back(self, journey: Journey, code: str) -> Claimed:
        """Who it is. Raises Away, NotProved."""
        metadata, _ = self._metadata()
        with self._place(), self._client() as client:
            try:
                token = client.fetch_token(
                    metadata["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=journey.verifier,
                    timeout=TIMEOUT,
                    allow_redirects=False,
                )
            except AuthlibBaseError:
                raise refused() from None
            except (requests.RequestException, ValueError) as error:
                raise Away(type(error).__name__) from None
        given = token.get("id_token") if isinstance(token, dict) else None
        if not isinstance(given, str) or len(given) > MOST_BYTES:
            raise refused()
        return self.claimed(given, journey.nonce)

    def claimed(self, token: str, nonce: str) -> Claimed:
        """Whom a token is about, once signature, issuer, audience, times, nonce and domain hold. Raises NotProved."""
        claims = self._checked(token, nonce)
        subject, address = _text(claims, "sub"), self._address(claims)
        domain = address.rpartition("@")[2]
        if domain not in self.at.domains or address.count("@") != 1:
            raise stranger()
        groups = claims.get(self.at.groups_claim, ())
        named = groups[:MOST_GROUPS] if isinstance(groups, list) else ()
        granted = self.at.grants(domain, frozenset(one for one in named if isinstance(one, str)))
        return Claimed(self.name, self.at.where, subject, address, granted, _proved_at(claims))

    def _address(self, claims: dict[str, Any]) -> str:
        """The address that belongs to the school. Raises NotProved."""
        if self.at.kind is Kind.ENTRA:
            # Anybody may write any mail address into a tenant of their own; the name to sign in by is the tenant's.
            tenant = self.at.tenant.lower()
            if tenant and _text(claims, "tid").lower() != tenant:
                raise stranger()
            if claims.get("acct") in {1, "1"} or not self._is_own(claims.get("idp")):
                raise stranger()  # a guest of the tenant
            return _text(claims, "preferred_username").casefold()
        address = _text(claims, "email").casefold()
        if claims.get("email_verified") is not True:
            raise refused()
        if self.at.kind is Kind.GOOGLE and _text(claims, "hd").casefold() not in self.at.domains:
            raise stranger()
        return address

    def _is_own(self, idp: object) -> bool:
        """Entra names who vouched for somebody where that was not the tenant itself."""
        return idp in (None, self.at.where, f"https://sts.windows.net/{self.at.tenant.lower()}/")

    def _checked(self, token: str, nonce: str) -> dict[str, Any]:
        keys = self._metadata()[1]
        try:
            try:
                opened = jwt.decode(token, keys, algorithms=ALGORITHMS)
            except (JoseError, ValueError):
                opened = jwt.decode(token, self._metadata(anew=True)[1], algorithms=ALGORITHMS)
            options = {
                "iss": {"essential": True, "value": self.at.where},
                "aud": {"essential": True, "value": self.at.client_id},
                "sub": {"essential": True},
                "nonce": {"essential": True, "value": nonce},
            }
            params = {"nonce": nonce, "client_id": self.at.client_id}
            claims = CodeIDToken(opened.claims, opened.header, options, params)
            claims.validate(leeway=int(LEEWAY.total_seconds()))
        except (JoseError, AuthlibBaseError, ValueError, TypeError, KeyError):
            raise refused() from None
        return dict(claims)

    def _metadata(self, *, anew: bool = False) -> Known:
        """What it says of itself, asked for once for all who want it now. Raises Away within `PATIENCE`."""
        lasts = AGAIN if anew else FRESH
        with self._lock:
            known, now = self._known, time.monotonic()
            if known is not None and now - known[0] < lasts.total_seconds():
                return known[1]
            if self._away is not None and now - self._away[0] < STILL_AWAY.total_seconds():
                raise Away(self._away[1])
            asking = self._asking
            if asking is None or now - asking.begun > GIVEN_UP.total_seconds():
                asking = self._asking = _Asking(now)
                threading.Thread(target=self._ask, args=(asking,), name="provider", daemon=True).start()
        try:
            with self._place():
                return asking.answer.result(PATIENCE.total_seconds())
        except TimeoutError:
            raise Away("it has not answered yet") from None
        except Away as why:  # one for each who waits: they would write their traces into one another's
            raise Away(str(why)) from None

    def _ask(self, asking: _Asking) -> None:
        """On a thread of its own."""
        try:
            found = self._asked()
        except Exception as why:  # noqa: BLE001 - whoever waits hears of it
            with self._lock:
                if self._asking is asking:
                    self._asking = None
                    if isinstance(why, Away):
                        self._away = (time.monotonic(), str(why))
            asking.answer.set_exception(why)
            return
        with self._lock:
            self._known, self._away = (asking.begun, found), None
            if self._asking is asking:
                self._asking = None
        asking.answer.set_result(found)

    @contextmanager
    def _place(self) -> Iterator[None]:
        """One of the few for whoever waits for this provider. Raises Away at once where all are taken."""
        if not self._places.acquire(blocking=False):
            raise Away("too many wait for it already")
        try:
            yield
        finally:
            self._places.release()

    def _asked(self) -> Known:
        metadata = _fetch(f"{self.at.where}/.well-known/openid-configuration")
        if str(metadata.get("issuer", "")).rstrip("/") != self.at.where:
            raise Away("another issuer answers there")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not is_safe(str(metadata.get(name, ""))):
                raise Away(f"its {name} is no safe address")
        try:
            keys = KeySet.import_key_set(_fetch(metadata["jwks_uri"]))  # type: ignore[arg-type]
        except (JoseError, ValueError, TypeError, KeyError):
            raise Away("its keys cannot be read") from None
        return metadata, keys

    def _client(self) -> OAuth2Session:
        client = OAuth2Session(
            self.at.client_id,
            self.at.client_secret.get_secret_value(),
            scope=SCOPE,
            redirect_uri=self.back,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_post",  # noqa: S106 - a method's name
            default_timeout=TIMEOUT,
        )
        bounded(client)
        return client


def refused() -> NotProved:
    """What the provider sent does not hold."""
    hint = "begin again; if it goes on, sign in another way and tell whoever runs Carillon"
    return NotProved(Problem("identity_refused", "", "this sign-in does not hold", hint))


def stranger() -> NotProved:
    """Vouched for, and not of this school."""
    message = "this account is not one of the school's"
    return NotProved(Problem("strange_domain", "", message, "choose the account that the school gave you"))


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= LONGEST_CLAIM:
        raise refused()
    return value


def _proved_at(claims: dict[str, Any]) -> datetime | None:
    """When they last proved who they are there, where the provider tells."""
    told = claims.get("auth_time")
    if isinstance(told, bool) or not isinstance(told, int) or not 0 < told < LAST_TIME:
        return None
    return datetime.fromtimestamp(told, UTC)


def _fetch(url: str) -> dict[str, Any]:
    """One JSON object, from an address of the settings, or one that it named. Raises Away."""
    try:
        with bounded(requests.Session()) as session:
            answer = session.get(url, timeout=TIMEOUT, allow_redirects=False)
        if answer.status_code != requests.codes.ok:
            raise Away(f"it answers {answer.status_code}")
        found = json.loads(answer.content)
    except (requests.RequestException, OSError, ValueError, RecursionError) as error:
        raise Away(type(error).__name__) from None
    if not isinstance(found, dict):
        raise Away("it answers no object")
    return found
