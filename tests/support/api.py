"""A school with the API open: two departments, tokens of every reach, and a client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from starlette.testclient import TestClient

from broker.actor import Actor, ActorKind
from broker.authority import tokens
from broker.ports.api import Scope
from broker.rosters import imports
from config.assembly import House, assemble
from config.settings import load
from tests.support.school import family
from web.app import create_app

HEAD = Actor(ActorKind.PERSON, "Head")


@dataclass
class Calling:
    """A client with a token for each reach, made when it is first asked for."""

    house: House
    client: TestClient
    made: dict[Any, str] = field(default_factory=dict)

    def token(
        self, *scopes: Scope, department: str | None = None, operator: str | None = None, **more: Any
    ) -> str:
        wanted = frozenset(scopes or tokens.MACHINE)
        key = (wanted, department, operator, tuple(sorted(more.items())))
        if key not in self.made:
            self.made[key] = tokens.make(
                self.house.ports,
                f"token {len(self.made)}",
                wanted,
                department=department,
                operator=operator,
                lasts=more.get("lasts", timedelta(days=1)),
                actor=HEAD,
            ).secret
        return self.made[key]

    def call(self, method: str, path: str, *, token: str | None = None, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {token or self.token()}", **more.pop("headers", {})}
        if method == "POST" and path.startswith(("/announcements", "/events")):
            headers.setdefault("Idempotency-Key", str(uuid4()))
        return self.client.request(method, f"/v1{path}", headers=headers, **more)

    def get(self, path: str, **more: Any) -> Any:
        return self.call("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> Any:
        return self.call("POST", path, **({"json": json} if json is not None else {}), **more)


def announced(**more: Any) -> dict[str, Any]:
    """An announcement as a program would send it."""
    return {"to": "Choir", "ways": ["sms"], "words": {"long": "{pupil}: rehearsal at 15:30."}, **more}


@contextmanager
def a_school(database_url: str, home: Path, **more: str) -> Iterator[Calling]:
    """A sandboxed school with music and an office, two ways out, and a small family."""
    environ = {
        "CARILLON_DATA_DIR": str(home / "var"),
        "CARILLON_DATABASE_URL": database_url,
        "CARILLON_SANDBOX": "true",
        "CARILLON_SECRET_KEY": "a-secret-of-the-tests-and-of-nobody-else",
        "CARILLON_DEPARTMENTS": '{"office": "Office", "music": "Music", "sport": "Sport"}',
        "CARILLON_ACCOUNTS__SMS__CHANNEL": "sms",
        "CARILLON_ACCOUNTS__SMS__ACCOUNT_SID": "AC" + 32 * "0",
        "CARILLON_ACCOUNTS__SMS__AUTH_TOKEN": "nobodys",
        "CARILLON_ACCOUNTS__SMS__SENDER": "+447400123456",
        "CARILLON_ACCOUNTS__SMS__API_BASE_URL": "http://127.0.0.1:9",
        "CARILLON_TIMETABLES__UNTIS__VIA": "sms",
        **more,
    }
    settings = load(environ=environ, env_file=None)
    with assemble(settings, serves=True, upgrade=True) as house:
        imports.import_roster(house.ports, family().roster(), actor=HEAD)
        client = TestClient(create_app(house.ports, settings), raise_server_exceptions=False)
        yield Calling(house, client)
