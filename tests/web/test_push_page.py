"""The page for notifications: what it offers, to whom, what it takes from a browser, and what it never does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.actor import SYSTEM
from broker.address import AddressKind, mask
from broker.errors import RuleBroken
from broker.office import private_links, subscribers
from channels.webpush.subscription import of_address, of_browser
from sandbox.stand_ins import webpush as stand_in
from tests.support.press import Press, a_press

STAND_IN = "http://127.0.0.1:9"  # nobody is asked: an address is only looked up
ACCOUNT = {
    "CARILLON_ACCOUNTS__PUSH__CHANNEL": "webpush",
    "CARILLON_ACCOUNTS__PUSH__KEY": stand_in.KEY,
    "CARILLON_ACCOUNTS__PUSH__CONTACT": stand_in.CONTACT,
}
BROWSER = stand_in.subscription(STAND_IN, "a")
OUT = {**BROWSER, "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/gAAAA"}
KEY = stand_in.public_key()


@pytest.fixture
def press(sqlite_ledger: str, tmp_path: Path) -> Iterator[Press]:
    with a_press(sqlite_ledger, tmp_path, ACCOUNT) as made:
        made.bring("Choir")
        yield made


pytestmark = pytest.mark.runs_on("sqlite")


@pytest.fixture
def secret(press: Press) -> str:
    return private_links.make(press.house.ports, "Choir", "parents", actor=SYSTEM).secret


def ask(
    press: Press, secret: str, what: str = "begin", *, origin: str | None = "", **more: Any
) -> httpx2.Response:
    said = more.pop("said", {"do": what, "subscription": more.pop("browser", BROWSER)})
    headers = {"Content-Type": "application/json", **more}
    if origin is not None:
        headers["Origin"] = origin or press.url
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return press.http.post(f"{press.url}/push/{secret}", content=body, headers=headers)


def test_the_page_offers_the_groups_news_under_the_schools_key_and_runs_our_script_alone(
    press: Press, secret: str
) -> None:
    page = press.get(f"/push/{secret}")
    assert page.status_code == 200
    assert f'data-key="{KEY}"' in page.text
    assert "What happens" in page.text
    assert "<script>" not in page.text
    assert " on" + "click" not in page.text
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert "noindex" in page.headers["x-robots-tag"]
    assert page.headers["referrer-policy"] == "no-referrer"
    assert f'href="../../push/{secret}"' in press.get(f"/feeds/private/{secret}").text


@pytest.mark.parametrize("name", ["page.js", "worker.js"])
def test_script_and_worker_are_ours_and_as_they_were_shipped(press: Press, name: str) -> None:
    script = press.get(f"/push/{name}")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "connect-src 'self'" in script.headers["content-security-policy"]
    assert "http" not in script.text.replace("https or", "")  # nothing of anybody else's


def test_an_iphone_can_keep_it_on_its_home_screen(press: Press, secret: str) -> None:
    manifest = press.get(f"/push/{secret}.webmanifest")
    assert manifest.headers["content-type"] == "application/manifest+json"
    about = manifest.json()
    assert (about["start_url"], about["scope"], about["display"]) == (secret, secret, "standalone")


def test_a_browser_begins_is_known_and_ends(press: Press, secret: str) -> None:
    for what, stands in [("look", False), ("begin", True), ("begin", True), ("look", True), ("end", False),
                         ("look", False), ("end", False)]:  # fmt: skip
        answer = ask(press, secret, what)
        assert (answer.status_code, answer.json()) == (200, {"subscribed": stands}), what


@pytest.mark.parametrize("wrong", ["A" * 43, "x", "%2e%2e%2fa", "a" * 500, "é" * 43, "page.js"])
def test_a_link_that_opens_nothing_says_no_more_than_that(press: Press, wrong: str) -> None:
    if wrong != "page.js":
        assert press.get(f"/push/{wrong}").status_code == 404
    assert ask(press, wrong).status_code == 404


def test_a_link_that_was_taken_back_opens_nothing(press: Press) -> None:
    made = private_links.make(press.house.ports, "Choir", "parents", actor=SYSTEM)
    ask(press, made.secret)
    private_links.revoke(press.house.ports, made.link.id, actor=SYSTEM)
    assert press.get(f"/push/{made.secret}").status_code == 404
    assert press.get(f"/push/{made.secret}.webmanifest").status_code == 404
    assert ask(press, made.secret, "look").status_code == 404


def test_without_an_account_there_is_no_such_page(sqlite_ledger: str, tmp_path: Path) -> None:
    with a_press(sqlite_ledger, tmp_path) as bare:
        bare.bring("Choir")
        secret = private_links.make(bare.house.ports, "Choir", "parents", actor=SYSTEM).secret
        assert bare.get(f"/push/{secret}").status_code == 404
        assert "notifications" not in bare.get(f"/feeds/private/{secret}").text


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "http://127.0.0.1.evil.example"])
def test_a_page_elsewhere_changes_nothing(press: Press, secret: str, origin: str | None) -> None:
    refused = ask(press, secret, origin=origin)
    assert (refused.status_code, refused.json()["code"]) == (403, "refused")
    assert ask(press, secret, "look").json() == {"subscribed": False}


@pytest.mark.parametrize(
    "said",
    [b"", b"[]", b"{}", b'"x"', b"\xff", b"[" * 3_000, {"do": "begin"}, {"do": "begin", "subscription": 1},
     {"do": "drop", "subscription": BROWSER}, {"do": ["begin"], "subscription": BROWSER}],
)  # fmt: skip
def test_rubbish_is_not_understood(press: Press, secret: str, said: Any) -> None:
    assert ask(press, secret, said=said).status_code == 400


def test_a_body_without_end_is_given_up(press: Press, secret: str) -> None:
    assert ask(press, secret, said=b"x" * 5_000).status_code == 413


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"endpoint": "http://push.example/x"}, "not_loopback"),
        ({"endpoint": "https://169.254.169.254/latest"}, "not_loopback"),
        ({"endpoint": 5}, "not_a_subscription"),
        ({"keys": None}, "not_a_subscription"),
        ({"keys": {}}, "bad_keys"),
        ({"keys": {**BROWSER["keys"], "auth": "AAAA"}}, "bad_keys"),
        ({"keys": {**BROWSER["keys"], "p256dh": "A" * 87}}, "bad_keys"),
    ],
)
def test_what_is_no_browsers_subscription_is_refused_with_a_reason(
    press: Press, secret: str, changed: dict[str, Any], code: str
) -> None:
    refused = ask(press, secret, browser={**BROWSER, **changed})
    assert (refused.status_code, refused.json()["code"]) == (422, code)


# --- outside the sandbox, by the function itself

PLACES = [
    ("https://fcm.googleapis.com/fcm/send/abc", ""),
    ("https://wns2-db5p.notify.windows.com/w/?token=abc", ""),
    ("https://web.push.apple.com/abc", ""),
    ("https://fcm.googleapis.com:443/x", ""),
    ("https://push.evil.example/x", "unknown_service"),
    ("https://fcm.googleapis.com.evil.example/x", "unknown_service"),
    ("https://evilpush.apple.com.example/x", "unknown_service"),
    ("https://10.0.0.1/x", "unknown_service"),
    ("https://[::1]/x", "unknown_service"),
    ("http://fcm.googleapis.com/x", "bad_endpoint"),
    ("https://fcm.googleapis.com:8443/x", "bad_endpoint"),
    ("https://fcm.googleapis.com:x/x", "bad_endpoint"),
    ("https://somebody@fcm.googleapis.com/x", "bad_endpoint"),
    ("https://fcm.googleapis.com/", "bad_endpoint"),
    ("https://fcm.googleapis.com/x#y", "bad_endpoint"),
    ("https://fcm.googleapis.com/ x", "bad_endpoint"),
    ("https://fcm.googleapis.com/\r\nHost: x", "bad_endpoint"),
    ("https://fcm.googleapis.com/é", "bad_endpoint"),
    ("https://fcm.googleapis.com/" + "x" * 1_000, "bad_endpoint"),
    ("javascript:alert(1)", "bad_endpoint"),
    ("", "bad_endpoint"),
]


@pytest.mark.parametrize("endpoint", [place for place, code in PLACES if not code])
def test_known_push_services_are_believed(endpoint: str) -> None:
    assert of_browser({**BROWSER, "endpoint": endpoint}, KEY).endpoint == endpoint


@pytest.mark.parametrize(("endpoint", "code"), [(place, code) for place, code in PLACES if code])
def test_no_other_place_is_believed_and_none_is_told_of(endpoint: str, code: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        of_browser({**BROWSER, "endpoint": endpoint}, KEY)
    assert refused.value.problem.code == code
    assert not endpoint or endpoint not in str(refused.value.problem)


def test_a_school_may_list_another_push_service() -> None:
    made = of_browser(
        {**BROWSER, "endpoint": "https://a.push.school.example/x"}, KEY, ("push.school.example",)
    )
    assert (made.origin, made.path, made.port) == ("https://a.push.school.example", "x", 443)


def test_an_address_says_the_same_again_and_shows_nothing_of_itself() -> None:
    made = of_browser(OUT, KEY)
    assert of_address(made.as_address()) == made
    assert of_address("somebody@school.example") is None
    assert mask(AddressKind.PUSH, made.as_address()) == "a browser"
    assert BROWSER["keys"]["auth"] not in repr(made)
    assert "mozilla" not in repr(made)


@given(st.dictionaries(st.sampled_from(["endpoint", "keys", "x"]), st.recursive(
    st.none() | st.text(max_size=40) | st.integers() | st.binary(max_size=8),
    lambda inner: st.dictionaries(st.sampled_from(["p256dh", "auth"]), inner) | st.lists(inner, max_size=3),
    max_leaves=5,
)))  # fmt: skip
def test_whatever_comes_is_refused_and_never_breaks(told: dict[str, Any]) -> None:
    with pytest.raises(RuleBroken):
        of_browser(told, KEY)


def test_a_crowd_is_asked_to_come_back(press: Press, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.push._begun", type("Full", (), {"allows": lambda self: False})())
    refused = ask(press, secret)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert not subscribers.is_subscribed(press.house.ports, secret, BROWSER)
