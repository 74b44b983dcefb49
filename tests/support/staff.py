"""People who sign in: an admin, an approver, an author, with passwords and telephones; and a provider on loopback."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
import pyotp
from argon2 import PasswordHasher
from sqlalchemy import select, update

from broker.actor import SYSTEM, Actor, ActorKind
from broker.authority import operators, signin
from broker.ports import Ports
from broker.ports.approvals import OperatorRole
from config.signer import HmacSigner
from config.vault import SecretVault, vault_of
from ledger import tables as t
from tests.support.servers import free_port
from tests.support.watching import Watched, client_of

WORDS = "cornet teapot gravel"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # the tests are not about its cost
_KEY = re.compile(r'<code class="key">([A-Z2-7 ]+)</code>')
_FIELD = re.compile(r'name="(token|sealed|seen|to)" value="([^"]*)"')


def vault_with(ports: Ports, hasher: PasswordHasher) -> SecretVault:
    """The vault under a school's own secret, with a hasher that works as much as a test wants."""
    assert isinstance(ports.signer, HmacSigner)
    return SecretVault(ports.signer.key_for("vault"), hasher=hasher)


def quick(here: Watched) -> None:
    """Hash with little work."""
    here.app.state.vault = vault_with(here.tower.house.ports, QUICK)


def name(here: Watched, who: str, *roles: OperatorRole, department: str | None = None) -> Actor:
    """Somebody who may act."""
    operators.add(here.tower.house.ports, who, roles, department, actor=SYSTEM)
    return Actor(ActorKind.PERSON, who)


@dataclass
class Browser:
    """One person's browser."""

    here: Watched
    agent: str = "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"
    source: str = "192.0.2.1"
    client: httpx2.Client = field(init=False)
    second: str = ""  # the secret in their telephone
    codes: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.client = client_of(
            self.here.url,
            # No line is kept: many browsers come and go in one test.
            limits=httpx2.Limits(max_keepalive_connections=0),
            timeout=20,
            headers={"User-Agent": self.agent, "X-Forwarded-For": self.source, "Origin": self.here.url},
        )

    def get(self, path: str) -> httpx2.Response:
        return self.client.get(path)

    def post(self, path: str, **fields: str) -> httpx2.Response:
        return self.client.post(path, data=fields)

    def form(self, path: str, to: str = "", **fields: str) -> httpx2.Response:
        """Read a page and send its form, hidden fields and all."""
        page = self.get(path)
        hidden = dict(_FIELD.findall(page.text))
        return self.post(to or path, **{**hidden, **fields})

    def password(self, who: str, password: str = WORDS) -> httpx2.Response:
        return self.post("/sign-in", name=who, password=password)

    def code(self, code: str | None = None) -> httpx2.Response:
        return self.form("/sign-in/code", code=code or self.next_code())

    def next_code(self) -> str:
        """A code that has not been used: as if the last half minute had passed."""
        with self.here.ledger.begin() as tx:
            tx.hand.connection.execute(update(t.proof).values(last_step=0))
        return pyotp.TOTP(self.second).now()

    def invited(self, who: Actor, *, by: Actor = SYSTEM, password: str = WORDS) -> httpx2.Response:
        """Open an invitation and choose a password."""
        link = signin.invite(self.here.tower.house.ports, who.id, actor=by)
        assert self.post("/watch/sign-in", link=link).headers["location"].endswith("account/password")
        return self.form("/account/password", password=password, again=password)

    def enrol(self) -> httpx2.Response:
        """Read the picture's key, and type a code of it."""
        page = self.get("/account/second").text
        found = _KEY.search(page)
        assert found, page
        self.second = found[1].replace(" ", "")
        hidden = dict(_FIELD.findall(page))
        answer = self.post("/account/second", **hidden, code=pyotp.TOTP(self.second).now())
        assert answer.status_code == 200, answer.text
        self.codes = re.findall(r"<code>([A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4})</code>", answer.text)
        return answer

    def ready(self, who: Actor) -> Browser:
        """Invited, with a password, and a telephone where the role wants one."""
        where = self.invited(who).headers["location"]
        if where.endswith("account/second"):
            self.enrol()
        return self

    def forget_device(self) -> Browser:
        """As another browser would come."""
        self.client.cookies.clear()
        return self

    def signed_in(self) -> bool:
        return self.get("/watch").status_code == 200


def passed(
    here: Watched, seconds: int, *, columns: Sequence[str] = ("seen_at", "proved_at", "expires_at")
) -> None:
    """Let so much time have gone by for every session."""
    from datetime import timedelta

    with here.ledger.begin() as tx:
        run = tx.hand.connection.execute
        for row in run(select(t.session)).all():
            earlier = {name: getattr(row, name) - timedelta(seconds=seconds) for name in columns}
            run(update(t.session).where(t.session.c.digest == row.digest).values(earlier))


def record_kinds(here: Watched, *like: str) -> list[str]:
    with here.ledger.reading() as hand:
        query = select(t.record_entry.c.kind).order_by(t.record_entry.c.id)
        return [kind for kind in hand.connection.execute(query).scalars() if kind.startswith(like)]


@contextmanager
def provider(users: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A real OpenID provider in a process of its own; its issuer."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    for user in users:
        command += ["--user-claims", json.dumps(dict(user))]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    issuer = f"http://127.0.0.1:{port}"
    try:
        limit = time.monotonic() + 40
        while True:
            try:
                if httpx2.get(f"{issuer}/.well-known/openid-configuration", timeout=2).status_code == 200:
                    break
            except httpx2.HTTPError:
                assert time.monotonic() < limit, "the provider does not answer"
                time.sleep(0.1)
        yield issuer
    finally:
        process.terminate()
        process.wait(timeout=10)


def at_provider(browser: Browser, subject: str, name: str = "google") -> str:
    """Go to the provider, say there who one is, and give the address that it sends the browser back to."""
    away = browser.get(f"/sign-in/with/{name}")
    assert away.status_code == 303, away.text
    where = away.headers["location"]
    asked = parse_qs(urlsplit(where).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["state"][0]) >= 43 <= len(asked["nonce"][0])
    with httpx2.Client(timeout=20) as there:
        answer = there.post(where, data={"sub": subject})
        assert answer.status_code in {302, 303}, answer.text
        return urljoin(where, answer.headers["location"])


def vault(here: Watched) -> SecretVault:
    return vault_of(here.tower.house.ports)
