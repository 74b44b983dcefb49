"""Signing in, in a real browser: by an invitation, a password and a code, the school's account; and what ends it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack

import pyotp
import pytest
from playwright.sync_api import Browser, expect

from broker.actor import SYSTEM
from broker.authority import identities, signin
from broker.authority.passwords import ACCOUNT
from broker.errors import NotProved
from broker.ports.approvals import OperatorRole
from ledger.reads.approvals import looked_at
from tests.support.looking import Looking, looks_right, tab_to
from tests.support.payloads import HOSTILE
from tests.support.servers import free_port
from tests.support.signing_in import code_of, fill, signed_in, waits
from tests.support.staff import WORDS, name, passed, provider, quick, vault
from tests.support.staff import Browser as Person
from tests.support.watching import Serve, Watched

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.timeout(180)]
AUTHOR, APPROVER, ADMIN = OperatorRole.AUTHOR, OperatorRole.APPROVER, OperatorRole.ADMIN
AT = "CARILLON_SIGN_IN__PROVIDERS__GOOGLE__"
OURS = {"email_verified": True, "hd": "school.example"}
# What a payload would have made, had it been believed.
STRANGE = (
    'document.querySelectorAll("body script, img, iframe, details, base, style, meta[http-equiv]").length'
)
PEOPLE = [
    {"sub": "100", "email": "m.bell@school.example", "groups": ["music"], "name": "Mrs Bell", **OURS},
    {"sub": "101", "email": "stranger@elsewhere.example", "email_verified": True, "hd": "elsewhere.example"},
    {"sub": "102", "email": f"{HOSTILE[4]}@school.example", "groups": ["music"], "name": HOSTILE[0], **OURS},
]


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    """SQLite alone: what a browser does with a page is the same over both."""
    return sqlite_ledger


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider(PEOPLE) as found:
        yield found


@pytest.fixture
def here(serve: Serve, issuer: str) -> Watched:
    """A school with a provider, two departments, and somebody to tell."""
    port = free_port()
    found = serve(
        port=port,
        CARILLON_PUBLIC_URL=f"http://127.0.0.1:{port}",
        CARILLON_SIGN_IN__PROXIES="127.0.0.1",
        CARILLON_DEPARTMENTS=json.dumps({"office": "Office", "music": HOSTILE[1]}),
        **{
            f"{AT}KIND": "google",
            f"{AT}ISSUER": issuer,
            f"{AT}CLIENT_ID": "carillon",
            f"{AT}CLIENT_SECRET": "a-secret-that-the-provider-knows",
            f"{AT}DOMAINS": '{"school.example": ""}',
            f"{AT}GROUPS": '{"music": "author music"}',
        },
    )
    quick(found)
    found.tower.bring(3)
    return found


@pytest.mark.accessibility
def test_the_first_admin_comes_by_an_invitation_and_from_then_on_by_password_and_code(
    here: Watched, looking: Looking
) -> None:
    """Each page on the way is open to everybody: axe, in light and in the dark, wide and narrow."""
    head = name(here, "Head teacher", ADMIN, APPROVER)
    page = looking.page()
    page.goto(f"/watch/sign-in/{signin.invite(here.tower.house.ports, head.id, actor=head)}")
    looks_right(page)
    fill(page, "Sign in")
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose a password")
    looks_right(page)
    fill(page, "Keep it", password=WORDS, again=WORDS + "s")
    expect(page.locator("#again")).to_be_focused()
    expect(page.locator("#again")).to_have_accessible_description(re.compile("two are not the same"))
    looks_right(page)
    fill(page, "Keep it", password=WORDS, again=WORDS)
    expect(page.get_by_role("heading", level=1)).to_have_text("Add your telephone")
    looks_right(page)
    fill(page, "Go on", code="000000")
    expect(page.locator("#code")).to_have_accessible_description(re.compile("does not fit the picture"))
    looks_right(page)
    second = page.locator("code.key").inner_text().replace(" ", "")
    fill(page, "Go on", code=pyotp.TOTP(second).now())
    expect(page.locator(".codes li")).to_have_count(10)
    looks_right(page)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.locator(".signed")).to_contain_text("Signed in as Head teacher")
    fill(page, "Sign out")
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    looks_right(page)
    page.get_by_role("link", name="Sign in again").click()
    fill(page, "Sign in", name="head teacher", password=WORDS)
    expect(page.get_by_role("heading", level=1)).to_have_text("Type the code")
    looks_right(page)
    fill(page, "Go on", code="000000")
    expect(page.locator("#code")).to_have_accessible_description(re.compile("This code does not hold"))
    looks_right(page)
    fill(page, "Go on", code=code_of(here, second))
    page.wait_for_url("**/watch")
    page.get_by_role("link", name="Your account").click()
    expect(page.locator("main")).to_contain_text("act for the whole school")
    looks_right(page)


@pytest.mark.parametrize("by", ["password", "provider", "link"])
def test_whoever_opens_an_announcement_before_they_are_signed_in_lands_at_it(
    here: Watched, looking: Looking, by: str
) -> None:
    who = name(here, "Mrs Bell", AUTHOR)
    Person(here, source="192.0.2.9").ready(who)
    identities.link(
        here.tower.house.ports, vault(here), who.id, "google", "m.bell@school.example", actor=SYSTEM
    )
    said = here.announce("Coach")
    page = looking.page()
    page.goto(f"/watch/{said.public_id}/people")
    if by == "link":
        page.goto(f"/watch/sign-in/{signin.make_link(here.tower.house.ports, actor=who)}")
        fill(page, "Sign in")
    else:
        page.get_by_role("link", name="Sign in").click()
    if by == "password":
        fill(page, "Sign in", name="Mrs Bell", password=WORDS)
    if by == "provider":
        page.get_by_role("link", name="Sign in with").click()
        page.locator("input[name=sub]").fill("100")
        page.locator("input[name=sub]").press("Enter")
    page.wait_for_url(f"{here.url}/watch/{said.public_id}/people")
    expect(page.locator(".signed")).to_contain_text("Signed in as Mrs Bell")


@pytest.mark.accessibility
def test_a_wrong_password_is_told_beside_it_and_the_name_stays(here: Watched, looking: Looking) -> None:
    Person(here, source="192.0.2.9").ready(name(here, "Mrs Bell", AUTHOR, department="music"))
    page = looking.page()
    page.goto("/sign-in")
    looks_right(page)
    fill(page, "Sign in", name="Mrs Bell", password="wrong wrong wrong")
    expect(page.locator("#name")).to_have_value("Mrs Bell")
    word = page.locator("#password")
    expect(word).to_have_value("")
    expect(word).to_be_focused()
    expect(word).to_have_attribute("aria-invalid", "true")
    expect(word).to_have_accessible_description(re.compile("do not belong together"))
    looks_right(page)
    fill(page, "Sign in", password=WORDS)
    expect(page.locator(".signed")).to_contain_text("Signed in as Mrs Bell")


@pytest.mark.accessibility
def test_too_many_tries_are_told_calmly_and_a_link_lets_their_owner_in(
    here: Watched, looking: Looking
) -> None:
    who = name(here, "Mrs Bell", AUTHOR)
    Person(here, source="192.0.2.9").ready(who)
    tries = [
        Person(here, source=f"198.51.100.{n}").password("Mrs Bell", "wrong wrong wrong").status_code
        for n in range(ACCOUNT[1] + 1)
    ]
    assert tries[-1] == 429
    page = looking.page()
    page.goto("/sign-in")
    fill(page, "Sign in", name="Mrs Bell", password=WORDS)
    expect(page.get_by_role("alert")).to_contain_text("Too many tries just now. Wait a minute")
    expect(page.locator("#name")).to_have_value("Mrs Bell")
    looks_right(page)
    page.goto(f"/watch/sign-in/{here.link(who)}")
    fill(page, "Sign in")
    expect(page.locator(".signed")).to_contain_text("Signed in as Mrs Bell")


@pytest.mark.accessibility
def test_the_schools_account_signs_in_and_a_strangers_does_not(here: Watched, looking: Looking) -> None:
    name(here, "Head teacher", ADMIN)
    page = looking.page()
    for subject in ("101", "100"):
        page.goto("/sign-in")
        page.get_by_role("link", name="Sign in with Google").click()
        page.locator("input[name=sub]").fill(subject)
        page.get_by_role("button", name="Authorize").click()
        if subject == "101":
            expect(page.get_by_role("alert")).to_contain_text("not one of the school's")
            assert not page.context.cookies() or "carillon" not in {
                one["name"] for one in page.context.cookies()
            }
            looks_right(page)
    expect(page.locator(".signed")).to_contain_text("Signed in as m.bell")
    page.get_by_role("link", name="Your account").click()
    expect(page.locator("main")).to_contain_text("by Google")


@pytest.mark.accessibility
def test_a_big_announcement_is_approved_with_a_fresh_proof(here: Watched, looking: Looking) -> None:
    head = name(here, "Head teacher", ADMIN, APPROVER)
    said = waits(here, name(here, "Mrs Bell", AUTHOR, department="music"), head)
    person = Person(here).ready(head)
    passed(here, 60 * 11)
    page = signed_in(looking, person)
    first = page.get_by_role("region", name="What needs action first")
    expect(first).to_contain_text("Concert: it waits for a second person to say yes or no")
    first.get_by_role("link", name=re.compile("^Look at it.*Concert")).click()
    looks_right(page)
    page.get_by_role("link", name="Look at it, and decide").click()
    looks_right(page)
    fill(page, "No, do not send it")
    expect(page.locator("#why")).to_have_accessible_description(re.compile("A no wants a reason"))
    looks_right(page)
    fill(page, "Yes, send it")
    expect(page.get_by_role("heading", level=1)).to_have_text("Is it you?")
    looks_right(page)
    fill(page, "It is me", password="wrong wrong wrong", code="000000")
    expect(page.locator("#password")).to_have_accessible_description(re.compile("not what you sign in with"))
    looks_right(page)
    fill(page, "It is me", password=WORDS, code=code_of(here, person.second))
    page.wait_for_url(f"**/watch/{said.public_id}/decide")
    fill(page, "Yes, send it")
    page.wait_for_url(f"**/watch/{said.public_id}?done=agreed")
    expect(page.get_by_role("status").filter(has_text="You said yes")).to_be_visible()
    with here.ledger.reading() as hand:
        looked = looked_at(hand, said.public_id)
    assert looked is not None
    assert not looked.waits
    page.get_by_role("link", name="What happened").click()
    expect(page.get_by_role("region", name="What was decided")).to_contain_text("Head teacher said yes")
    looks_right(page)


@pytest.mark.accessibility
def test_a_session_that_is_ended_elsewhere_leads_back_to_signing_in(here: Watched, looking: Looking) -> None:
    who = name(here, "Mrs Bell", AUTHOR)
    staffroom = signed_in(looking, Person(here).ready(who))
    expect(staffroom.locator("#live-state")).to_have_text("Live")
    phone = Person(here, agent="Mozilla/5.0 (iPhone) Safari/604")
    phone.password("Mrs Bell")
    page = signed_in(looking, phone, "/account")
    page.get_by_role("button", name="Sign out Firefox on Windows").click()
    expect(page.locator(".sessions").first.locator("li")).to_have_count(1)
    expect(staffroom.get_by_role("heading", level=1)).to_have_text("Please sign in")
    looks_right(staffroom)
    staffroom.get_by_role("link", name="Sign in").click()
    expect(staffroom.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert page.reload().status == 200  # type: ignore[union-attr]


def test_everything_is_done_by_the_keyboard_alone(here: Watched, looking: Looking) -> None:
    head = name(here, "Head teacher", ADMIN, APPROVER)
    person = Person(here, source="192.0.2.9").ready(head)
    said = waits(here, name(here, "Mrs Bell", AUTHOR, department="music"), head)
    page = looking.page()
    page.goto("/sign-in")
    tab_to(page, "#name")
    page.keyboard.type("Head teacher")
    tab_to(page, "#password")
    page.keyboard.type(WORDS)
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in/code")
    tab_to(page, "#code")
    page.keyboard.type(code_of(here, person.second))
    page.keyboard.press("Enter")
    page.wait_for_url("**/watch")
    tab_to(page, ".skip")
    page.keyboard.press("Enter")
    tab_to(page, "#concerns a")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/watch/{said.public_id}")
    tab_to(page, ".waits a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/decide")
    tab_to(page, "button.main")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/watch/{said.public_id}?done=agreed")
    tab_to(page, ".signed button")
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")


def test_without_javascript_somebody_signs_in_and_sees_to_their_account(
    here: Watched, looking: Looking
) -> None:
    who = name(here, "Mrs Bell", AUTHOR)
    for _ in range(2):
        Person(here, source="192.0.2.9").ready(who)
    page = looking.page(java_script_enabled=False)
    page.goto("/sign-in")
    fill(page, "Sign in", name="Mrs Bell", password=WORDS)
    page.get_by_role("link", name="Your account").click()
    fill(page, "Sign out everywhere else")
    expect(page.locator(".sessions").first.locator("li")).to_have_count(1)
    page.get_by_role("link", name="Change the password").click()
    fill(page, "Keep it", password="another three words", again="another three words")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")


@pytest.mark.parametrize("place", ["/watch/nothing", "/watch/sign-in/nothing", "/sign-in/back/google"])
def test_axe_finds_nothing_on_a_page_that_says_no(here: Watched, looking: Looking, place: str) -> None:
    person = Person(here)
    person.post("/watch/sign-in", link=here.link())
    page = signed_in(looking, person, place)
    looks_right(page)


@pytest.mark.security
def test_names_that_are_scripts_stay_names(here: Watched, looking: Looking) -> None:
    """Of operators, of a department, and as a provider claims them; on every page that shows one."""
    head = name(here, "Head teacher", ADMIN)
    page, tried = looking.page(), 0
    said = waits(here, name(here, HOSTILE[4], AUTHOR), head)
    for n, payload in enumerate(HOSTILE):
        granted = identities.Granted(frozenset({APPROVER, AUTHOR}), "music")
        claimed = identities.Claimed("google", "x", f"{n}", f"{payload}@school.example", granted)
        try:
            begun = identities.by_identity(
                here.tower.house.ports, vault(here), claimed, came=signin.Came(about=payload)
            )
        except NotProved:
            continue
        tried += 1
        page.context.add_cookies([{"name": "carillon", "value": begun.secret, "url": looking.url}])
        for place in ("/account", f"/watch/{said.public_id}/decide", "/watch")[: 3 if tried == 1 else 1]:
            page.goto(place)
            expect(page.locator(".signed")).to_contain_text(f"Signed in as {begun.actor.id}")
            assert page.evaluate("window.ran") is None, (payload, place)
            assert page.evaluate(STRANGE) == 0, (payload, place)
    assert tried > len(HOSTILE) // 2


@pytest.mark.security
def test_what_is_typed_into_a_form_comes_back_as_it_was(here: Watched, looking: Looking) -> None:
    page = looking.page()
    for payload in HOSTILE:
        page.goto("/sign-in")
        fill(page, "Sign in", name=payload, password=payload)
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        expect(page.locator("#name")).to_have_value(payload.strip()[:80])
        assert page.evaluate("window.ran") is None, payload


@pytest.mark.security
def test_a_claim_that_is_a_script_signs_in_nobody_or_stays_a_claim(here: Watched, looking: Looking) -> None:
    page = looking.page()
    page.goto("/sign-in/with/google")
    page.locator("input[name=sub]").fill("102")
    page.get_by_role("button", name="Authorize").click()
    page.wait_for_load_state()
    expect(page.locator(".brand")).to_contain_text("Carillon")
    assert page.evaluate("window.ran") is None
    page.goto("/account")
    assert page.evaluate("window.ran") is None


@pytest.mark.security
def test_a_cookie_of_https_is_held_to_its_host_and_read_by_no_script(serve: Serve, browser: Browser) -> None:
    """A browser takes such a cookie over https, and from loopback, where these pages are served."""
    here = serve(CARILLON_PUBLIC_URL="https://carillon.school.example")
    quick(here)
    who = name(here, "Mrs Bell", AUTHOR)
    with ExitStack() as held:
        looking = Looking(browser, here.url, held)
        page = looking.page()
        page.goto(f"/watch/sign-in/{here.link(who)}")
        before = page.context.cookies()
        fill(page, "Sign in")
        expect(page.locator(".signed")).to_contain_text("Signed in as Mrs Bell")
        cookies = {one["name"]: one for one in page.context.cookies()}
        assert before == []
        assert set(cookies) == {"__Host-carillon", "__Host-carillon-device"}
        for one in cookies.values():
            assert (one["secure"], one["httpOnly"], one["sameSite"], one["path"]) == (True, True, "Lax", "/")
        assert page.evaluate("document.cookie") == ""
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert looking.complaints == []
