"""A school that writes: a year with families, texts, mails and a feed; and the form as somebody fills it in."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx2
from sqlalchemy import func, select

from broker.actor import SYSTEM, Actor, ActorKind
from broker.authority import operators, rule_changes
from broker.ports.approvals import OperatorRole
from broker.rosters.imports import import_roster
from broker.rosters.roster import GroupKind, RosterGroup
from ledger import tables as t
from tests.support.school import SmallSchool
from tests.support.watching import BELL, Serve, Watched

ACCOUNTS = "CARILLON_ACCOUNTS__"
WAYS = {
    "CARILLON_PUBLIC_URL": "http://127.0.0.1:9",
    "CARILLON_DEPARTMENTS": json.dumps({"office": "Office", "music": "Music"}),
    f"{ACCOUNTS}TEXTS__CHANNEL": "sms",
    f"{ACCOUNTS}TEXTS__ACCOUNT_SID": "AC" + "0" * 32,
    f"{ACCOUNTS}TEXTS__AUTH_TOKEN": "nobody-s",
    f"{ACCOUNTS}TEXTS__SENDER": "+447400123456",
    f"{ACCOUNTS}TEXTS__API_BASE_URL": "http://127.0.0.1:9",
    f"{ACCOUNTS}TEXTS__PRICE": "0.04",
    f"{ACCOUNTS}MAILS__CHANNEL": "email",
    f"{ACCOUNTS}MAILS__HOST": "127.0.0.1",
    f"{ACCOUNTS}MAILS__PORT": "9",
    f"{ACCOUNTS}MAILS__SECURITY": "none",
    f"{ACCOUNTS}MAILS__SENDER": "office@school.example",
    f"{ACCOUNTS}MAILS__REPLY_TO": "office@school.example",
    f"{ACCOUNTS}FEEDS__CHANNEL": "rss",
}


def school() -> SmallSchool:
    """Year 7 of three, of whom one can be reached by nothing; a choir, a band of one, and somebody on the staff."""
    made = SmallSchool()
    made.groups["Year 7"] = RosterGroup("g:Year 7", "Year 7", GroupKind.YEAR)
    for name, groups in (("Amy", ("Year 7", "Choir")), ("Ben", ("Year 7",)), ("Cal", ("Year 7",))):
        made.pupil(name, *groups)
    made.pupil("Eve", "Band", mobiles=("+447911000009",))
    made.guardian("Ada", "amy", mobiles=("+447911000001",), emails=("ada@example.org",))
    made.guardian("Bob", "ben", mobiles=("+447911000002",))
    made.guardian("Cyd", "cal")
    made.staff("Dora", "Choir", emails=("dora@school.example",))
    return made


def writing_school(serve: Serve, **more: str) -> Watched:
    """Served, with everybody in it, and an author signed in."""
    here = serve(**{**WAYS, **more})
    import_roster(here.tower.house.ports, school().roster(), actor=SYSTEM, expect_leaving=None)
    here.sign_in()
    return here


def rule(here: Watched, key: str, value: str) -> None:
    """The school sets a rule."""
    rule_changes.change(here.tower.house.ports, key, value, "the test", actor=SYSTEM)


def named(here: Watched, who: str, *roles: OperatorRole, department: str | None = None) -> Actor:
    """Somebody who may act so."""
    operators.add(here.tower.house.ports, who, roles, department, actor=SYSTEM)
    return Actor(ActorKind.PERSON, who)


def count(here: Watched) -> int:
    """How many announcements there are."""
    with here.ledger.reading() as hand:
        return int(hand.connection.execute(select(func.count()).select_from(t.announcement)).scalar_one())


class _Fields(HTMLParser):
    """What a browser would send of one form, as it stands."""

    def __init__(self, html: str, form: str) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._form, self._inside, self._area, self._select = form, False, "", ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {key: value or "" for key, value in attrs}
        if tag == "form":
            self._inside = said.get("id") == self._form
        if not self._inside:
            return
        name, value = said.get("name", ""), said.get("value", "")
        if tag == "input" and name and said.get("type") != "file":
            if said.get("type") not in ("checkbox", "radio") or "checked" in said:
                self.fields.append((name, value))
        elif tag == "textarea":
            self._area = name
            self.fields.append((name, ""))
        elif tag == "select":
            self._select = name
            self.fields.append((name, ""))
        elif tag == "option" and "selected" in said:
            self.fields[-1] = (self._select, value)

    def handle_data(self, data: str) -> None:
        if self._inside and self._area:
            self.fields[-1] = (self._area, self.fields[-1][1] + data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        if tag == "textarea" and self._area:
            self.fields[-1] = (self._area, self.fields[-1][1].removeprefix("\n"))
            self._area = ""


@dataclass
class Writer:
    """Somebody at the form, without scripts: what the page holds goes with what they change."""

    here: Watched
    client: httpx2.Client | None = None
    html: str = ""
    form: str = "write"
    status: int = 200
    location: str = ""
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def open(self, path: str = "/watch/write", form: str = "write") -> Writer:
        self.form = form
        answer = self._client.get(path)
        self.html, self.status = answer.text, answer.status_code
        return self

    @property
    def _client(self) -> httpx2.Client:
        return self.client or self.here.client

    @property
    def fields(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in _Fields(self.html, self.form).fields:
            found.setdefault(name, []).append(value)
        return found

    @property
    def text(self) -> str:
        """The page's words."""
        return " ".join(re.sub(r"<[^>]*>", " ", self.html).split())

    def press(self, do: str, *, where: str = "/watch/write", **typed: Any) -> Writer:
        """Type, and press a button; a list is several ticks, None unticks all."""
        values = self.fields
        for name, value in typed.items():
            if value is None:
                values.pop(name, None)
            else:
                values[name] = [value] if isinstance(value, str) else list(value)
        values["do"] = [do]
        multipart: list[Any] = [(name, (None, one)) for name, several in values.items() for one in several]
        multipart += [(name, file) for name, file in self.files.items()]
        answer = self._client.post(where, files=multipart, headers={"Origin": self.here.url})
        self.html, self.status = answer.text, answer.status_code
        self.location = answer.headers.get("location", "")
        self.form, self.files = ("look" if 'id="look"' in self.html else "write"), {}
        return self

    def attach(self, name: str, data: bytes, field: str = "file1") -> Writer:
        self.files[field] = (name, data)
        return self

    @property
    def sent(self) -> bool:
        return self.status == 303

    @property
    def id(self) -> str:
        """Of the announcement that it led to."""
        found = re.search(r"watch/([0-9a-f-]{36})", self.location)
        assert found is not None, (self.status, self.location, self.text[:600])
        return found[1]


__all__ = ["BELL", "Writer", "count", "named", "rule", "school", "writing_school"]
