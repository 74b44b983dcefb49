"""docs/sign-in.md, command by command, as an admin would type it; and what they find when they mistype."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

pytestmark = pytest.mark.runs_on("sqlite")

PAGE = Path(__file__).parents[2] / "docs" / "sign-in.md"
LINK = re.compile(r"http://127\.0\.0\.1:\d+/watch/sign-in/[A-Za-z0-9_-]{43}\n")
PROVIDER = {
    "CARILLON_PUBLIC_URL": "https://carillon.school.example",
    "CARILLON_SIGN_IN__PROVIDERS__GOOGLE__KIND": "google",
    "CARILLON_SIGN_IN__PROVIDERS__GOOGLE__CLIENT_ID": "1234-abc.apps.googleusercontent.com",
    "CARILLON_SIGN_IN__PROVIDERS__GOOGLE__CLIENT_SECRET": "x",
    "CARILLON_SIGN_IN__PROVIDERS__GOOGLE__DOMAINS": '{"school.example": ""}',
}


def commands() -> list[list[str]]:
    found = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [shlex.split(line)[1:] for line in "".join(found).splitlines()]


def test_every_command_of_the_page_works_in_its_order(school, monkeypatch):
    monkeypatch.setenv("CARILLON_OPERATOR", "Head teacher")
    said = []
    for command in commands():
        ran = school(*command)
        assert ran.code == 0, (command, ran.err)
        said.append(ran.out)
    links = [out for out in said if LINK.search(out)]
    assert len(links) == len([command for command in commands() if "invite" in command])
    assert any("Mrs Bell acts for office" in out for out in said)
    assert "Mrs Bell" not in school("operators").out


def test_every_command_in_the_pages_table_is_there(school):
    told = re.findall(
        r"^\| `carillon ([a-z-]+(?: [a-z][a-z-]*)?)", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(told) > 6
    for command in told:
        assert school(*command.split(), "--help").code == 0, command


def test_the_providers_lines_of_the_page_are_settings(school, monkeypatch):
    lines = re.findall(r"^(CARILLON_[A-Z_]+)=(.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) == 12
    monkeypatch.setenv("CARILLON_OPERATOR", "Head teacher")
    assert school("operators", "add", "Head teacher", "--role", "admin").code == 0
    for key, value in lines:
        monkeypatch.setenv(key, value)
    for provider in ("google", "microsoft"):
        ran = school("operators", "link", "Head teacher", provider, "m.bell@school.example")
        assert ran.code == 0, ran.err


MISTYPED = [
    (["invite", "Nobody"], "name"),
    (["move", "Nobody", "music"], "name"),
    (["move", "Head teacher", "astronomy"], "department"),
    (["reset", "Nobody"], "name"),
    (["link", "Nobody", "google", "m.bell@school.example"], "name"),
    (["link", "Head teacher", "myspace", "m.bell@school.example"], "provider"),
    (["link", "Head teacher", "google", "m.bell@gmail.example"], "account"),
    (["link", "Head teacher", "google", "no address"], "account"),
    (["role", "Head teacher", "--role", "author"], "name"),
]


def test_what_is_mistyped_is_one_clear_error_and_changes_nothing(school, monkeypatch):
    for key, value in PROVIDER.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("CARILLON_OPERATOR", "Head teacher")
    assert school("operators", "add", "Head teacher", "--role", "admin").code == 0
    assert school("operators", "add", "Mr Fell", "--role", "author").code == 0
    before = school("operators", "--json").json
    for typed, field in MISTYPED:
        ran = school("operators", *typed, "--json")
        assert ran.code != 0, typed
        assert set(ran.error) == {"code", "field", "message", "hint"}
        assert ran.error["field"] == field, ran.error
    assert school("operators", "--json").json == before


def test_a_secret_of_a_provider_is_in_no_answer(school, monkeypatch):
    for key, value in {
        **PROVIDER,
        "CARILLON_SIGN_IN__PROVIDERS__GOOGLE__CLIENT_SECRET": "not-to-be-seen",
    }.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("CARILLON_SIGN_IN__PROVIDERS__GOOGLE__DOMAINS", '{"no domain": ""}')
    ran = school("operators")
    assert ran.code != 0
    assert "domains" in (ran.out + ran.err).lower()
    assert "not-to-be-seen" not in ran.out + ran.err
