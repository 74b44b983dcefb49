"""The pages of accounts: what each shows, who may do what at it, and what the four angles take."""

from __future__ import annotations

import re
import time
from html import unescape

import pytest
from sqlalchemy import event

from broker import accounts as verbs
from broker.actor import SYSTEM
from broker.delivery import State
from broker.licences import licensing
from broker.licences.licence import Angle
from broker.office import groups
from broker.ports.approvals import OperatorRole
from tests.support.licences import LONG_AGO, SOON
from tests.support.staff import Browser, name
from tests.support.watching import Serve, Watched

AUTHOR, ADMIN, AUDITOR = OperatorRole.AUTHOR, OperatorRole.ADMIN, OperatorRole.AUDITOR
FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
TEXTS = {
    "CARILLON_ACCOUNTS__TEXTS__CHANNEL": "sms",
    "CARILLON_ACCOUNTS__TEXTS__GATEWAYS": "twilio,second",
    "CARILLON_ACCOUNTS__TEXTS__ACCOUNT_SID": "AC" + "0" * 32,
    "CARILLON_ACCOUNTS__TEXTS__AUTH_TOKEN": "canary-of-the-token-of-texts-0001",
    "CARILLON_ACCOUNTS__TEXTS__SENDER": "+447400123456",
    "CARILLON_ACCOUNTS__TEXTS__API_BASE_URL": "http://127.0.0.1:9",
    "CARILLON_ACCOUNTS__TEXTS__SECOND__KIND": "twilio",
    "CARILLON_ACCOUNTS__TEXTS__SECOND__ACCOUNT_SID": "AC" + "1" * 32,
    "CARILLON_ACCOUNTS__TEXTS__SECOND__AUTH_TOKEN": "canary-of-the-token-of-texts-0002",
    "CARILLON_ACCOUNTS__TEXTS__SECOND__SENDER": "+447400123457",
    "CARILLON_ACCOUNTS__TEXTS__SECOND__API_BASE_URL": "http://127.0.0.1:9",
}
POLICY = {
    "policy.title": "Bells to families",
    "policy.version": "3",
    "policy.adopted": LONG_AGO,
    "policy.review": SOON,
}
LIABILITY = {
    "liability.reviewer": "Governors",
    "liability.assessed": LONG_AGO,
    "liability.review": SOON,
    "liability.risks.0.risk": "a wrong number",
    "liability.risks.0.mitigation": "asked each term",
    "liability.risks.1.risk": "",
    "liability.risks.1.mitigation": "",
}
OWNERS = {
    "safe_use.owners.0.name": "Anna Bell",
    "safe_use.owners.0.post": "head",
    "safe_use.owners.0.trained": LONG_AGO,
    "safe_use.owners.0.valid_until": SOON,
    "safe_use.owners.0.leadership": "yes",
    "safe_use.owners.0.email": "",
    "safe_use.owners.1.name": "Ken Ito",
    "safe_use.owners.1.post": "network manager",
    "safe_use.owners.1.trained": LONG_AGO,
    "safe_use.owners.1.valid_until": SOON,
    "safe_use.owners.1.email": "",
}
TECHNOLOGY = {
    "technology.checked_by": "Ken Ito",
    "technology.checked": LONG_AGO,
    "technology.review": SOON,
    "technology.keeping": "the safe",
}
WHOLE = {"policy": POLICY, "liability": LIABILITY, "safe_use": OWNERS, "technology": TECHNOLOGY}


def by_link(here: Watched, who: str, *roles: OperatorRole, department: str | None = None) -> Browser:
    browser, actor = Browser(here), name(here, who, *roles, department=department)
    browser.post("/watch/sign-in", link=here.link(actor))
    return browser


@pytest.fixture
def head(watched: Watched) -> Browser:
    return by_link(watched, "Head", ADMIN)


def said(html: str) -> str:
    """The words of a page, as one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def hidden(html: str) -> dict[str, str]:
    main = html.split("<main", 1)[1]
    return {key: unescape(value) for key, value in FIELD.findall(main)}


def fill(browser: Browser, path: str, *, do: str, **fields: str) -> str:
    """Open a form, fill it in, send it; what the answer says."""
    kept = hidden(browser.get(path).text)
    answer = browser.post(path, **{**kept, **fields, "do": do})
    assert answer.status_code in (200, 422), answer.text
    return answer.text


def sign(browser: Browser, path: str, **fields: str) -> None:
    review = fill(browser, path, do="review", **fields)
    answer = browser.post(path, **{**hidden(review), "do": "sign"})
    assert answer.status_code == 303, said(answer.text)


def shown(here: Watched, account: str = "tower") -> licensing.Shown:
    with here.ledger.look() as tx:
        return licensing.show(here.tower.house.ports, tx, licensing.the_account(tx, account))


# --- what is shown


def test_an_account_stands_with_its_state_its_queue_and_what_it_sent_lately(
    watched: Watched, head: Browser
) -> None:
    announcement = watched.plan(watched.announce("Snow day"))
    watched.move(announcement, State.SENT, 4)
    listed = said(head.get("/watch/accounts").text)
    assert "Speaks" in listed
    assert "4 of 4 angles hold" in listed
    assert "Waiting 2" in listed
    assert "not lately" not in listed
    one = said(head.get("/watch/accounts/tower").text)
    assert "Snow day" in one
    assert "4 sent" in one
    assert "The sandbox settled this by itself" in one


def test_who_paused_it_and_why_stands_there_and_carillon_is_named_where_it_did(
    watched: Watched, head: Browser
) -> None:
    token = hidden(head.get("/watch/accounts/tower").text)["token"]
    refused = head.post("/watch/accounts/tower/pause", token=token, why=" ")
    assert refused.status_code == 422
    assert "Say why" in said(refused.text)
    done = head.post("/watch/accounts/tower/pause", token=token, why="the bill is too high")
    assert done.status_code == 303
    for path in ("/watch/accounts", "/watch/accounts/tower"):
        told = said(head.get(path).text)
        assert "Paused" in told
        assert "the bill is too high" in told.lower() or "The bill is too high" in told
        assert "by Head" in told or "Paused by Head" in told
    assert head.post("/watch/accounts/tower/resume", token=token, why="").status_code == 303
    assert "Speaks" in said(head.get("/watch/accounts/tower").text)
    verbs.pause(watched.tower.house.ports, "tower", "refused", actor=SYSTEM, alarm="account_rejected")
    assert "Carillon" in said(head.get("/watch/accounts/tower").text).split("Paused by")[1][:20]


def test_the_list_asks_the_ledger_a_dozen_things_at_most_however_many_accounts_there_are(
    serve: Serve,
) -> None:
    here = serve(**TEXTS)
    here.tower.bring(3)
    here.sign_in()
    here.plan(here.announce())
    asked: list[str] = []

    def note(_c: object, _k: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            asked.append(statement)

    event.listen(here.ledger.engine, "before_cursor_execute", note)
    for path in ("/watch/accounts", "/watch/accounts/texts", "/watch/accounts/tower"):
        here.get(path)
        asked.clear()
        here.get(path)
        assert len(asked) <= 12, (path, asked)


def test_every_provider_stands_in_its_order_and_is_held_out_and_taken_back(serve: Serve) -> None:
    here = serve(**TEXTS)
    head = by_link(here, "Head", ADMIN)
    page = head.get("/watch/accounts/texts").text
    assert "twilio" in said(page).split("Its providers")[1]
    assert "second" in said(page)
    assert "canary-of-the-token" not in page
    token = hidden(page)["token"]
    sent = {"token": token, "gateway": "twilio", "do": "hold-out"}
    refused = head.post("/watch/accounts/texts/providers", **sent, why="")
    assert refused.status_code == 422
    assert head.post("/watch/accounts/texts/providers", **sent, why="its prices doubled").status_code == 303
    told = said(head.get("/watch/accounts/texts").text)
    assert "Held out by Head" in told
    assert "Speaks by another provider" in told
    last = head.post("/watch/accounts/texts/providers", **{**sent, "gateway": "second"}, why="as well")
    assert last.status_code == 422
    assert "no other gateway of this account is left" in said(last.text).lower()
    assert "carillon accounts" not in said(last.text)
    back = {"token": token, "gateway": "twilio", "do": "take-back", "why": ""}
    assert head.post("/watch/accounts/texts/providers", **back).status_code == 303
    assert "Held out" not in said(head.get("/watch/accounts/texts").text)


# --- who may


def test_an_auditor_reads_and_changes_nothing(watched: Watched, head: Browser) -> None:
    auditor = by_link(watched, "Auditor", AUDITOR)
    page = auditor.get("/watch/accounts/tower")
    assert page.status_code == 200
    assert "Pause this account" not in page.text
    assert auditor.get("/watch/accounts/tower/licence").status_code == 200
    token = hidden(head.get("/watch/accounts/tower").text)["token"]
    assert auditor.get("/watch/accounts/tower/licence/policy").status_code == 403
    assert auditor.get("/watch/accounts/tower/renew").status_code == 403
    own = re.search(r'name="token" value="(\w+)"', page.text)
    assert own
    assert own[1] != token
    for path in ("pause", "resume", "providers", "look", "seen", "licence/policy", "renew"):
        answer = auditor.post(f"/watch/accounts/tower/{path}", token=own[1], why="because")
        assert answer.status_code == 403, path
    assert shown(watched).account.paused_at is None


def test_who_writes_may_pause_but_letting_go_on_is_for_those_who_answer_for_it(
    watched: Watched, head: Browser
) -> None:
    author = by_link(watched, "Author", AUTHOR)
    token = hidden(author.get("/watch/accounts/tower").text)["token"]
    assert author.post("/watch/accounts/tower/pause", token=token, why="a wrong list").status_code == 303
    assert author.post("/watch/accounts/tower/resume", token=token, why="").status_code == 403
    assert shown(watched).account.paused_at is not None
    assert head.get("/watch/accounts/tower").status_code == 200


def test_of_another_departments_account_nobody_hears(serve: Serve) -> None:
    here = serve(CARILLON_DEPARTMENTS="office,music", CARILLON_ACCOUNTS__TOWER__DEPARTMENT="music")
    by_link(here, "Head", ADMIN)
    office = by_link(here, "Office", AUTHOR, department="office")
    assert "tower" not in said(office.get("/watch/accounts").text)
    for path in ("", "/licence", "/links", "/licence/print"):
        assert office.get(f"/watch/accounts/tower{path}").status_code == 404, path
    assert office.get("/watch/accounts/pigeons").status_code == 404


def test_a_form_of_another_site_changes_nothing(watched: Watched, head: Browser) -> None:
    token = hidden(head.get("/watch/accounts/tower").text)["token"]
    head.client.headers["Origin"] = "https://evil.example"
    assert head.post("/watch/accounts/tower/pause", token=token, why="x").status_code == 403
    head.client.headers["Origin"] = watched.url
    assert head.post("/watch/accounts/tower/pause", token="f" * 64, why="x").status_code == 403
    assert shown(watched).account.paused_at is None


# --- the four angles


def test_the_four_angles_are_filled_in_looked_over_and_signed_one_after_the_other(
    watched: Watched, head: Browser
) -> None:
    base = "/watch/accounts/tower/licence"
    assert shown(watched).licence.specimen
    for n, (angle, fields) in enumerate(WHOLE.items()):
        page = said(head.get(f"{base}/{angle}").text)
        assert "Why this is asked" in page
        assert "Sandbox policy" not in page
        review = fill(head, f"{base}/{angle}", do="review", **fields)
        assert "Sign as Head" in said(review)
        assert ("may then speak until the end of" in said(review)) == (n == 3)
        answer = head.post(f"{base}/{angle}", **{**hidden(review), "do": "sign"})
        assert answer.status_code == 303
        following = [*WHOLE][n + 1] if n < 3 else ""
        assert answer.headers["location"].split("?")[0].endswith(following or "/licence")
    found = shown(watched)
    assert found.until is not None
    assert not found.licence.specimen
    assert found.row is not None
    assert found.row.made_by == "Head"
    told = said(head.get(base).text)
    assert "Bells to families" in told
    assert "Signed last by Head" in told
    assert "4 of 4 angles hold" in told


def test_looking_over_keeps_nothing_and_going_back_keeps_what_was_typed(
    watched: Watched, head: Browser
) -> None:
    path = "/watch/accounts/tower/licence/liability"
    review = fill(head, path, do="review", **LIABILITY)
    back = head.post(path, **{**hidden(review), "do": "back"})
    assert 'value="a wrong number"' in back.text
    assert shown(watched).licence.specimen


@pytest.mark.parametrize(
    ("angle", "field", "value", "words"),
    [
        ("policy", "policy.review", "2020-01-01", "lies before the day"),
        ("policy", "policy.review", "2099-01-01", "more than two years on"),
        ("policy", "policy.title", "", "is empty"),
        ("policy", "policy.url", "ftp://x", "is no address of a page"),
        ("safe_use", "safe_use.owners.1.valid_until", "soon", "must be a day"),
        ("safe_use", "safe_use.owners.1.name", "anna bell", "somebody is named twice"),
        ("liability", "liability.risks.0.mitigation", "", "is empty"),
        ("technology", "technology.keeping", "x" * 501, "one line"),
    ],
)
@pytest.mark.runs_on("sqlite")
def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    watched: Watched, head: Browser, angle: str, field: str, value: str, words: str
) -> None:
    path = f"/watch/accounts/tower/licence/{angle}"
    page = fill(head, path, do="review", **{**WHOLE[angle], field: value})
    beside = re.search(rf'id="wrong-{re.escape(field)}">(.*?)</span>', page, re.DOTALL)
    assert beside
    assert words in said(beside[1]).lower()
    for name_, typed in {**WHOLE[angle], field: value}.items():
        if typed and typed != "yes":
            assert f'name="{name_}" type=' in page
            assert f'value="{typed}"' in page
    assert shown(watched).licence.specimen


def test_an_empty_form_is_not_signed(watched: Watched, head: Browser) -> None:
    page = fill(head, "/watch/accounts/tower/licence/policy", do="sign")
    assert "nothing is filled in yet" in said(page).lower()
    assert shown(watched).licence.specimen


def test_what_the_sandbox_made_up_is_refused_by_the_form(watched: Watched, head: Browser) -> None:
    made_up = {**POLICY, "policy.title": "Sandbox policy for bell", "policy.version": "1"}
    page = fill(head, "/watch/accounts/tower/licence/policy", do="sign", **made_up)
    assert "what the sandbox made up" in said(page)
    assert shown(watched).licence.specimen
    assert head.get("/watch/accounts/tower/renew").status_code == 404


def test_another_row_is_there_at_a_press_and_nothing_is_lost_by_it(watched: Watched, head: Browser) -> None:
    page = fill(head, "/watch/accounts/tower/licence/safe_use", do="more", **OWNERS)
    assert 'name="safe_use.owners.2.name"' in page
    assert 'value="Ken Ito"' in page


def test_somebody_elses_signature_meanwhile_is_not_written_over(watched: Watched, head: Browser) -> None:
    path = "/watch/accounts/tower/licence/policy"
    sign(head, path, **POLICY)
    old = fill(head, path, do="review", **{**POLICY, "policy.version": "4"})
    sign(head, path, **{**POLICY, "policy.version": "5"})
    answer = head.post(path, **{**hidden(old), "do": "sign"})
    assert answer.status_code == 422
    assert "changed it meanwhile" in said(answer.text)
    found = shown(watched).licence.policy
    assert found is not None
    assert found.version == "5"


def test_what_lapses_is_renewed_on_one_page(watched: Watched, head: Browser) -> None:
    for angle, fields in WHOLE.items():
        sign(head, f"/watch/accounts/tower/licence/{angle}", **fields)
    path = "/watch/accounts/tower/renew"
    token = hidden(head.get(path).text)["token"]
    nothing = head.post(path, token=token)
    assert nothing.status_code == 422
    assert "nothing is renewed" in said(nothing.text).lower()
    wrong = head.post(path, **{"token": token, "trained.1": "2020-01-01"})
    assert wrong.status_code == 422
    assert 'id="wrong-trained.1"' in wrong.text
    day = SOON.replace("-", "-")
    done = head.post(path, **{"token": token, "policy.review": day, "policy.version": "9", "trained.0": day})
    assert done.status_code == 303
    found = shown(watched).licence
    assert found.policy is not None
    assert found.policy.version == "9"
    assert found.policy.adopted.isoformat() > LONG_AGO


def test_nothing_that_somebody_typed_becomes_markup(watched: Watched, head: Browser) -> None:
    evil = "<script>alert(1)</script>"
    review = fill(
        head, "/watch/accounts/tower/licence/policy", do="review", **{**POLICY, "policy.title": evil}
    )
    assert evil not in review
    assert "&lt;script&gt;" in review


# --- the letter


def test_the_letter_says_what_is_settled_and_prints_without_the_pages_around_it(
    watched: Watched, head: Browser
) -> None:
    for angle, fields in WHOLE.items():
        sign(head, f"/watch/accounts/tower/licence/{angle}", **fields)
    page = said(head.get("/watch/letter").text)
    assert "Dear parents and carers" in page
    assert "Bells to families" in page
    assert "a wrong number" in page
    sheet = head.get("/watch/letter/print")
    assert sheet.status_code == 200
    assert "Dear parents" in sheet.text
    assert "<nav" not in sheet.text
    plain = head.get("/watch/letter/text")
    assert plain.headers["content-type"].startswith("text/plain")
    assert "Anna Bell" in plain.text
    assert head.get("/watch/letter?account=pigeons").status_code == 404
    assert "four angles" not in said(head.get("/watch/accounts/tower/licence/print").text)


def test_where_no_account_may_speak_the_letter_says_what_to_do_first(watched: Watched, head: Browser) -> None:
    sign(head, "/watch/accounts/tower/licence/policy", **POLICY)
    assert "There is nothing to tell parents yet" in said(head.get("/watch/letter").text)
    assert head.get("/watch/letter/print").status_code == 404


def test_every_angle_has_a_form_and_a_word_that_is_none_has_none(head: Browser) -> None:
    for angle in Angle:
        assert head.get(f"/watch/accounts/tower/licence/{angle}").status_code == 200
    assert head.get("/watch/accounts/tower/licence/weather").status_code == 404


def test_a_private_link_is_shown_once_and_opens_nothing_when_it_is_taken_back(serve: Serve) -> None:
    here = serve(CARILLON_ACCOUNTS__FEED__CHANNEL="rss", CARILLON_PUBLIC_URL="http://127.0.0.1:9")
    groups.keep(here.tower.house.ports, "Choir", department=None, actor=SYSTEM)
    author = by_link(here, "Author", AUTHOR)
    path = "/watch/accounts/feed/links"
    token = hidden(author.get("/watch/accounts/feed").text)["token"]
    wrong = author.post(path, token=token, group="Choir", about="")
    assert wrong.status_code == 422
    assert 'id="wrong-about"' in wrong.text
    made = author.post(path, token=token, group="Choir", about="the choir's course").text
    secret = re.search(r"/feeds/private/([\w-]{43})", made)
    assert secret
    listed = author.get(path).text
    assert secret[1] not in listed
    assert "the choir's course" in said(listed)
    assert "/widget/" in listed
    assert author.get(f"/feeds/private/{secret[1]}").status_code == 200
    link = re.search(r"/links/(\d+)/end", listed)
    assert link
    assert author.post(f"{path}/{link[1]}/end", token=token).status_code == 303
    limit = time.monotonic() + 10
    while author.get(f"/feeds/private/{secret[1]}").status_code != 404:  # within a second
        assert time.monotonic() < limit
        time.sleep(0.1)
    assert "taken back" in said(author.get(path).text)
    assert author.get("/watch/accounts/tower/links").status_code == 404
