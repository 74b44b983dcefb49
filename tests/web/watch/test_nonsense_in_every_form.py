"""A careless browser and a hostile one: nonsense in every form and every address is answered calmly, on a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Draft, Part, People, Step
from broker.authority import operators, signin
from broker.intake import accept
from broker.ports.approvals import OperatorRole
from tests.support.api import Calling, a_school
from tests.support.page_rules import FILLED, RULES
from tests.support.routes import app_of
from tests.support.staff import QUICK, vault_with

HERE = "http://testserver"
MOST_BUTTONS = 2
SHARPEST = 6  # of the nonsense below: they stand in every field at once, too
WHO = "Everybody"
# What nobody types, or nobody means: each of these in every field of a form.
NONSENSE = {
    "a NUL": "a\0b",
    "half a letter": "\ud800",
    "a great number": "9" * 400,
    "a raised digit": "²",
    "very long": "x" * 9_000,
    "markup": "<script>window.ran=1</script>'\"--{{ 7 * 7 }}%s",
    "nothing at all": "",
    "turned round, and no width": "\u202etxet\u200b\u200d\ufeff",
    "a control": "\x07\x1b[31m",
    "a path": "../../../../etc/passwd",
    "another script's digits": "١٢٣",
    "less than nothing": "-1",
    "no number": "NaN",
    "a day that is none": "2026-02-30",
    "an hour that is none": "25:61",
    "an address that is none": "https://[",
    "brackets": "((((Choir) or (((",
    "an id that is nobody's": "00000000-0000-0000-0000-000000000007",
}
# What ends a session, or waits on somebody else's machine.
LEFT_OUT = {
    "/watch/sign-out",
    "/account/sessions",
    "/sign-in/with/{name}",
    "/watch/events",
    "/watch/static/{edition}/{name}",
}
PAGES = [route for route in RULES if route[1] not in LEFT_OUT]
TRACES = ("Traceback", "sqlalchemy.", "psycopg.", 'File "')


class Fields(HTMLParser):
    """The names of everything that the forms of a page send, and what their buttons say."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: dict[str, set[str]] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {key: value or "" for key, value in attrs}
        if tag in {"input", "textarea", "select", "button"} and said.get("name"):
            self.names.setdefault(said["name"], set()).add(said.get("value", ""))


@pytest.fixture(scope="module")
def school(
    tmp_path_factory: pytest.TempPathFactory, fresh_postgres_url: Callable[[], str]
) -> Iterator[Calling]:
    """On PostgreSQL, which takes less than SQLite does."""
    with a_school(fresh_postgres_url(), tmp_path_factory.mktemp("nonsense")) as found:
        operators.add(found.house.ports, WHO, list(OperatorRole), None, actor=SYSTEM)
        state = app_of(found.client).state
        state.hub.closing = True
        state.vault = vault_with(found.house.ports, QUICK)
        yield found


@pytest.fixture(scope="module")
def client(school: Calling) -> TestClient:
    link = signin.make_link(school.house.ports, actor=Actor(ActorKind.PERSON, WHO))
    made = TestClient(school.client.app, follow_redirects=False, raise_server_exceptions=False)
    assert made.post("/watch/sign-in", data={"link": link}, headers={"Origin": HERE}).status_code == 303
    return made


@pytest.fixture(scope="module")
def places(school: Calling) -> dict[str, str]:
    """What stands in the place of each part of an address: things that there are."""
    ports = school.house.ports
    parts = {Part.TITLE: "Coach", Part.SHORT: "At six."}
    draft = Draft("office", "everyone", People.GUARDIANS, (Step(("sms",)),), parts)
    said = accept(ports, draft, actor=SYSTEM).announcement
    return {**FILLED, "public_id": str(said.public_id), "name": "SMS", "department": "office"}


def calm(answer: Any, what: object) -> None:
    assert answer.status_code < 500, (what, answer.status_code)
    assert not [trace for trace in TRACES if trace in answer.text], what
    if answer.status_code >= 400:
        assert answer.headers["content-type"].startswith("text/html"), (what, answer.text[:200])


def token(client: TestClient) -> str:
    found = re.search(r'name="token" value="([^"]+)"', client.get("/watch").text)
    assert found
    return found[1]


def fields_of(client: TestClient, path: str) -> dict[str, set[str]]:
    """What a form there holds; where its page is elsewhere, what most forms hold."""
    answer = client.get(path)
    usual: dict[str, set[str]] = {"do": {"", "keep", "look"}, "why": {""}, "name": {""}, "department": {""}}
    return {**usual, **Fields(answer.text).names} if answer.status_code == 200 else usual


@pytest.mark.parametrize("route", [one for one in PAGES if one[0] == "POST"], ids=lambda route: route[1])
def test_nonsense_in_each_field_of_a_form_is_answered_calmly(
    client: TestClient, places: dict[str, str], route: tuple[str, str]
) -> None:
    path = route[1].format(**places)
    known, mine = fields_of(client, path), token(client)
    plain = {name: max(values) for name, values in known.items() if name not in {"token", "do"}}
    values = list(NONSENSE.items())
    for do in sorted(known.get("do", {""}))[:MOST_BUTTONS]:
        for turn, (what, value) in enumerate(values):
            # Everywhere at once; then each field with another one, so that none hides behind the first.
            turned = {field: values[(turn + n) % len(values)][1] for n, field in enumerate(plain)}
            for sent in ([dict.fromkeys(plain, value)] if turn < SHARPEST else []) + [{**plain, **turned}]:
                form = {name: said.encode("utf-8", "surrogatepass") for name, said in sent.items()}
                answer = client.post(path, data={**form, "do": do, "token": mine}, headers={"Origin": HERE})
                calm(answer, (path, do, what))


@pytest.mark.parametrize("route", [one for one in PAGES if one[0] == "GET"], ids=lambda route: route[1])
def test_nonsense_in_an_address_is_answered_calmly(
    client: TestClient, places: dict[str, str], route: tuple[str, str]
) -> None:
    asked = ("q", "in", "to", "on", "after", "before", "kind", "name", "by", "from", "show", "month", "group",
             "expression", "channel", "theme", "version", "department", "template", "person", "file", "account",
             "step", "without", "role", "days", "week", "done", "of")  # fmt: skip
    nonsense = [quote(value[:500].encode("utf-8", "surrogatepass"), safe="") for value in NONSENSE.values()]
    nonsense = ["%ff%fe", "%00", "%0d%0aSet-Cookie:x=1", *nonsense[:SHARPEST], *nonsense[-SHARPEST:]]
    for value in nonsense:
        calm(
            client.get(f"{route[1].format(**places)}?{'&'.join(f'{name}={value}' for name in asked)}"), value
        )
    for part in re.findall(r"{(\w+)}", route[1]):
        for value in nonsense:
            if value:
                calm(client.get(route[1].format(**{**places, part: value})), (part, value))


POSTS = [
    "/watch/groups/new",
    "/watch/write",
    "/watch/import",
    "/watch/templates/new",
    "/watch/search",
    "/sign-in",
]


@pytest.mark.parametrize("path", POSTS)
def test_a_form_in_another_shape_is_answered_calmly(client: TestClient, path: str) -> None:
    mine, many = token(client), "&".join(f"f{n}=x" for n in range(10_000))
    multipart = "multipart/form-data; boundary=x"
    part = f'--x\r\nContent-Disposition: form-data; name="token"\r\n\r\n{mine}\r\n'
    odd = {
        "ten thousand fields": ("application/x-www-form-urlencoded", f"token={mine}&{many}".encode()),
        "JSON": ("application/json", b'{"token": "x"}'),
        "XML": ("text/xml", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"),
        "nothing": ("", b""),
        "bytes that are no letters": ("application/x-www-form-urlencoded", b"token=\xff\xfe"),
        "letters that end too soon": ("application/x-www-form-urlencoded", f"token={mine}&name=%".encode()),
        "no boundary": ("multipart/form-data", b"--x\r\n\r\n--x--"),
        "an end that does not come": (multipart, part.encode()),
        "a part without a name": (multipart, f"{part}--x\r\n\r\nwords\r\n--x--\r\n".encode()),
        "another alphabet": (f"{multipart}; charset=utf-7", f"{part}--x--\r\n".encode()),
        "an alphabet that is none": (f"{multipart}; charset=\0", f"{part}--x--\r\n".encode()),
        "a file where words belong": (
            multipart,
            f'{part}--x\r\nContent-Disposition: form-data; name="name"; filename="a"\r\n\r\nb\r\n--x--\r\n'.encode(),
        ),
        "a file's name that is a path": (
            multipart,
            part.encode()
            + b'--x\r\nContent-Disposition: form-data; name="file"; filename="../../a\\b.csv"\r\n\r\nb\r\n--x--\r\n',
        ),
        "a thousand parts": (
            multipart,
            part.encode()
            + b"".join(b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n' for _ in range(1_000))
            + b"--x--\r\n",
        ),
        "six files": (
            multipart,
            part.encode()
            + b"".join(
                b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nb\r\n'
                for _ in range(6)
            )
            + b"--x--\r\n",
        ),
    }
    for what, (kind, body) in odd.items():
        calm(client.post(path, content=body, headers={"Origin": HERE, "Content-Type": kind}), (path, what))
