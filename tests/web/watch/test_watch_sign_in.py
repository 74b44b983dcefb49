"""Signing in: links work once, sessions can be ended, and nothing that is stored signs anybody in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import select, text, update

from broker.actor import SYSTEM, Actor, ActorKind
from broker.authority import passwords, signin
from broker.privacy import keeping
from ledger import tables as t
from tests.support.watching import BELL, Serve, Watched

PUBLIC = "https://bells.school.example"


@pytest.fixture
def here(serve: Serve) -> Watched:
    """Nobody is signed in."""
    return serve()


def post_link(here: Watched, link: str, **headers: str) -> httpx2.Response:
    return here.client.post("/watch/sign-in", data={"link": link}, headers={"Origin": here.url, **headers})


def test_a_link_signs_in_once(here: Watched) -> None:
    link = here.link()
    assert post_link(here, link).status_code == 303
    assert "Signed in as</span> Mrs Bell" in here.get()
    here.client.cookies.clear()
    again = post_link(here, link)
    assert again.status_code == 403
    assert "used already" in again.text
    here.get(status=401)


def test_looking_at_a_link_does_not_use_it_up(here: Watched) -> None:
    link = here.link()
    for method in ("GET", "GET", "HEAD", "OPTIONS"):
        here.client.request(method, f"/watch/sign-in/{link}")
    assert "Sign in" in here.get(f"/watch/sign-in/{link}")
    assert post_link(here, link).status_code == 303


def test_of_many_who_use_one_link_at_once_one_gets_in(here: Watched) -> None:
    link = here.link()

    def use(_: int) -> int:
        with httpx2.Client(base_url=here.url, timeout=20) as client:
            return client.post(
                "/watch/sign-in", data={"link": link}, headers={"Origin": here.url}
            ).status_code

    with ThreadPoolExecutor(8) as threads:
        codes = sorted(threads.map(use, range(8)))
    assert codes == [303] + [403] * 7


def test_a_link_is_too_old_after_ten_minutes(here: Watched) -> None:
    link = here.link()
    _pass(here, t.sign_in_link, signin.LINK_LASTS)
    assert post_link(here, link).status_code == 403


def test_a_session_ends_after_twelve_hours(here: Watched) -> None:
    here.sign_in()
    _pass(here, t.session, signin.SESSION_LASTS - timedelta(minutes=1))
    here.get()
    _pass(here, t.session, timedelta(minutes=2))
    here.get(status=401)


def test_a_made_up_link_signs_nobody_in(here: Watched) -> None:
    for link in ("", "x", "a" * 43, "é" * 43, "../../etc", "a" * 900):
        assert post_link(here, link).status_code == 403


def test_a_form_that_is_too_long_is_refused(here: Watched) -> None:
    assert post_link(here, "a" * 9000).status_code == 413


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:1"])
def test_another_sites_form_is_refused_and_uses_nothing_up(here: Watched, origin: str) -> None:
    link = here.link()
    assert post_link(here, link, Origin=origin).status_code == 403
    assert post_link(here, link).status_code == 303


def test_a_form_without_an_origin_must_be_said_to_be_ours(here: Watched) -> None:
    link, form = here.link(), "/watch/sign-in"
    assert here.client.post(form, data={"link": link}).status_code == 403
    sites = {"Sec-Fetch-Site": "cross-site"}
    assert here.client.post(form, data={"link": link}, headers=sites).status_code == 403
    sites = {"Sec-Fetch-Site": "same-origin"}
    assert here.client.post(form, data={"link": link}, headers=sites).status_code == 303


def test_behind_https_the_cookie_is_held_to_this_host(serve: Serve) -> None:
    here = serve(CARILLON_PUBLIC_URL=PUBLIC)
    answer = here.client.post("/watch/sign-in", data={"link": here.link()}, headers={"Origin": PUBLIC})
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-carillon=")
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"secure", "httponly", "path=/", "samesite=lax", "max-age=43200"} <= parts
    assert not any(part.startswith("domain") for part in parts)


def test_on_loopback_the_cookie_is_for_the_server_alone(here: Watched) -> None:
    cookie = here.sign_in().headers["set-cookie"].lower()
    assert cookie.startswith("carillon=")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


@pytest.mark.parametrize("path", ["/watch", "/watch/events", "/watch/00000000-0000-0000-0000-000000000000"])
def test_without_a_session_nothing_is_shown(here: Watched, path: str) -> None:
    here.announce("Secret concert")
    for cookies in ({}, {"carillon": "a" * 43}, {"carillon": "nonsense"}):
        answer = httpx2.get(here.url + path, cookies=cookies, timeout=5)
        assert answer.status_code == 401
        assert "Secret concert" not in answer.text
        assert "carillon sign-in" in answer.text
        assert ("are not any more" in answer.text) is bool(cookies)


def test_signing_out_ends_the_session_itself(here: Watched) -> None:
    here.sign_in()
    stolen = dict(here.client.cookies)
    token = re.search(r'name="token" value="([0-9a-f]+)"', here.get())
    assert token
    answer = here.client.post("/watch/sign-out", data={"token": token[1]}, headers={"Origin": here.url})
    assert "You are signed out" in answer.text
    assert httpx2.get(f"{here.url}/watch", cookies=stolen, timeout=5).status_code == 401


def test_another_site_cannot_sign_somebody_out(here: Watched) -> None:
    here.sign_in()
    assert here.client.post("/watch/sign-out", data={}, headers={"Origin": here.url}).status_code == 403
    forged = here.client.post(
        "/watch/sign-out", data={"token": "0" * 64}, headers={"Origin": "https://evil.example"}
    )
    assert forged.status_code == 403
    here.get()


def test_signing_in_anew_ends_the_session_before(here: Watched) -> None:
    here.sign_in()
    before = dict(here.client.cookies)
    here.sign_in()
    assert dict(here.client.cookies) != before
    assert httpx2.get(f"{here.url}/watch", cookies=before, timeout=5).status_code == 401


def test_sessions_and_unused_links_of_one_operator_can_be_ended_from_outside(here: Watched) -> None:
    other = Actor(ActorKind.PERSON, "Mr Fell")
    here.sign_in()
    with httpx2.Client(base_url=here.url, timeout=5) as client:
        here.sign_in(client, other)
        link = here.link()
        assert signin.sign_everybody_out(here.tower.house.ports, actor=SYSTEM, whose=BELL.id) == 1
        here.get(status=401)
        assert post_link(here, link).status_code == 403
        assert client.get("/watch").status_code == 200
        assert signin.sign_everybody_out(here.tower.house.ports, actor=SYSTEM) == 1
        assert client.get("/watch").status_code == 401


def test_nothing_that_is_stored_signs_anybody_in(here: Watched) -> None:
    link = here.link()
    here.sign_in()
    secrets = [link.encode(), here.client.cookies["carillon"].encode()]
    with here.ledger.reading() as hand:
        for table in t.metadata.sorted_tables:
            for row in hand.connection.execute(select(table)):
                told = b"".join(v if isinstance(v, bytes) else str(v).encode() for v in row)
                assert not any(secret in told for secret in secrets), table.name


def test_the_record_keeps_who_and_when(here: Watched) -> None:
    here.sign_in()
    signin.sign_everybody_out(here.tower.house.ports, actor=BELL)
    with here.ledger.reading() as hand:
        query = select(t.record_entry.c.kind, t.record_entry.c.body).order_by(t.record_entry.c.id)
        query = query.where(t.record_entry.c.kind.like("sign_in.%") | t.record_entry.c.kind.like("session.%"))
        told = [(row.kind, b"Mrs Bell" in row.body) for row in hand.connection.execute(query)]
    assert told == [("sign_in.link_made", True), ("session.began", True), ("session.all_ended", True)]


def test_too_many_who_try_are_asked_to_wait_and_nobody_elsewhere_is(serve: Serve) -> None:
    here = serve(CARILLON_SIGN_IN__PROXIES="127.0.0.1")
    link, (_, many) = here.link(), passwords.SOURCE
    codes = [post_link(here, "a" * 43).status_code for _ in range(many + 2)]
    assert codes == [403] * many + [429] * 2
    assert post_link(here, "a" * 43, **{"X-Forwarded-For": "192.0.2.7"}).status_code == 403
    assert post_link(here, link).status_code == 303  # one that holds waits for nobody


def test_whoever_is_no_proxy_of_ours_cannot_say_where_they_are(here: Watched) -> None:
    _, many = passwords.SOURCE
    codes = [
        post_link(here, "a" * 43, **{"X-Forwarded-For": f"192.0.2.{n}"}).status_code for n in range(many + 1)
    ]
    assert codes == [403] * many + [429]


def test_before_a_proxy_that_adds_a_line_of_its_own_nobody_says_where_they_are(serve: Serve) -> None:
    here, (_, many) = serve(CARILLON_SIGN_IN__PROXIES="127.0.0.1"), passwords.SOURCE
    codes = []
    for n in range(many + 1):
        lines = [("X-Forwarded-For", f"198.51.100.{n}"), ("X-Forwarded-For", "192.0.2.7")]
        answer = here.client.post(
            "/watch/sign-in", data={"link": "a" * 43}, headers=[("Origin", here.url), *lines]
        )
        codes.append(answer.status_code)
    assert codes == [403] * many + [429]


def test_whoever_has_a_line_is_one_source_whatever_address_of_it_they_use(serve: Serve) -> None:
    here, (_, many) = serve(CARILLON_SIGN_IN__PROXIES="127.0.0.1"), passwords.SOURCE
    codes = [
        post_link(here, "a" * 43, **{"X-Forwarded-For": f"2001:db8:1:2::{n:x}"}).status_code
        for n in range(many + 1)
    ]
    assert codes == [403] * many + [429]
    assert post_link(here, "a" * 43, **{"X-Forwarded-For": "2001:db8:1:3::1"}).status_code == 403


def test_the_night_drops_it_where_nobody_is_let_in_anew(here: Watched) -> None:
    here.sign_in()
    post_link(here, "a" * 43)
    for table in (t.session, t.sign_in_link):
        _pass(here, table, timedelta(days=3))
    with here.ledger.begin() as tx:
        tx.hand.connection.execute(t.sign_in_pace.update().values(free_at=tx.now - timedelta(hours=1)))
    keeping.tonight(here.tower.house.ports, actor=SYSTEM, anyway=True)
    with here.ledger.reading() as hand:
        for table in (t.session, t.sign_in_link, t.sign_in_pace):
            assert hand.connection.execute(select(table)).all() == []


def test_what_is_long_over_is_dropped(here: Watched) -> None:
    here.sign_in()
    _pass(here, t.session, timedelta(days=3))
    _pass(here, t.sign_in_link, timedelta(days=3))
    here.link()
    with here.ledger.reading() as hand:
        assert hand.connection.execute(text("SELECT count(*) FROM session")).scalar_one() == 0
        assert hand.connection.execute(text("SELECT count(*) FROM sign_in_link")).scalar_one() == 1


@pytest.mark.runs_on("sqlite")
def test_the_command_shows_a_link_at_a_terminal_alone(here: Watched) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cli.app", *arguments, "--operator", "Mrs Bell"]
        environ = {**os.environ, **here.tower.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)

    refused = run("sign-in")
    assert refused.returncode == 2
    assert "terminal" in refused.stderr
    assert "/watch/" not in refused.stdout + refused.stderr
    shown = run("sign-in", "--anywhere")
    link = shown.stdout.strip().rsplit("/", 1)[1]
    assert post_link(here, link).status_code == 303
    assert "Signed in as</span> Mrs Bell" in here.get()
    assert run("sign-out").stdout.strip() == "1 session ended"
    here.get(status=401)


def _pass(here: Watched, table: object, by: timedelta) -> None:
    """Let this much time have gone by for links or sessions."""
    assert table in (t.session, t.sign_in_link)
    with here.ledger.begin() as tx:
        run = tx.hand.connection.execute
        for row in run(select(table)).all():
            run(update(table).where(table.c.digest == row.digest).values(expires_at=row.expires_at - by))
