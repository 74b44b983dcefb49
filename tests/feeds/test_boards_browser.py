"""The widget and the screen in a real browser: framed and as a fragment, at any width, in the dark, without script.

And whatever words stand in them: the shared corpus of payloads runs nowhere.
"""

from __future__ import annotations

import html as escaping
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from broker.actor import SYSTEM
from broker.announcement import Content, Part
from broker.office import private_links
from channels.email.render import Renderer
from tests.channels.mail_support import HOUSE, parent
from tests.support.looking import RULES, Open, fits_a_telephone, keeps_wcag, open_to_everybody, public_pages
from tests.support.noticeboard import bring_events, put_up
from tests.support.payloads import HOSTILE, MARKUP
from tests.support.plain_site import plain_site
from tests.support.press import Press, a_press

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.timeout(240)]
HOST = '<!doctype html><html lang="en"><title>Our school</title><body><h1>Our school</h1>{}</body></html>'


@pytest.fixture
def press(sqlite_ledger: str, tmp_path: Path) -> Iterator[Press]:
    with a_press(sqlite_ledger, tmp_path) as made:
        made.bring("Choir", public=("Choir",))
        yield made


@pytest.fixture
def look(press: Press, browser: Browser) -> Iterator[Open]:
    with public_pages(browser, press.url, refusals=(404, 503)) as start:
        yield start


def places(press: Press) -> list[str]:
    put_up(press, ("Concert " + "W" * 60, "At six.", ""), ("Second", "Soon.", ""), audience="Choir")
    bring_events(press, "Choir", "Rehearsal", "Concert " + "W" * 40)
    secret = private_links.make(press.house.ports, "Choir", "the course", actor=SYSTEM).secret
    return ["/widget/st-brides", "/widget/groups/choir", "/widget/nothing", "/screen/st-brides", "/screen/nothing",
            "/screen/groups/choir?still", f"/feeds/private/{secret}", f"/feeds/private/{'A' * 43}"]  # fmt: skip


@pytest.mark.accessibility
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_boards_keep_wcag(press: Press, look: Open, scheme: str) -> None:
    keeps_wcag(look(color_scheme=scheme), places(press))


@pytest.mark.accessibility
def test_on_a_small_screen_nothing_runs_out_at_the_side(press: Press, look: Open) -> None:
    fits_a_telephone(look, places(press))


@pytest.mark.accessibility
def test_without_javascript_they_say_the_same_and_ask_for_nothing_else(press: Press, look: Open) -> None:
    found = [place for place in places(press) if "nothing" not in place and "AAA" not in place]
    page = look(java_script_enabled=False)
    for place in found:
        before = len(press.asked)
        page.goto(place)
        assert page.get_by_text("Second").first.is_visible()
        assert page.get_by_text("Rehearsal").first.is_visible()
        asked = {one.path for one in press.asked[before:]}
        assert asked <= {place.partition("?")[0], "/favicon.ico"}, place
    assert page.context.cookies() == []


def test_the_widget_stands_in_a_frame_of_another_site_and_nothing_else_does(press: Press, look: Open) -> None:
    places(press)
    frames = "".join(
        f'<iframe title="{n}" src="{press.url}{place}" width="400" height="300"></iframe>'
        for n, place in enumerate(("/widget/departments/music?items=1", "/widget/st-brides"))
    )
    with plain_site({"/": HOST.format(frames)}) as elsewhere:
        page = look()
        page.goto(elsewhere)
        assert page.frame_locator("iframe").first.get_by_role("link", name="Second").is_visible()
        link = page.frame_locator("iframe").last.get_by_role("link", name="Second")
        assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noopener")
        assert page.context.cookies() == []
    refused = f'<iframe title="no" src="{press.url}/screen/st-brides"></iframe>'
    with plain_site({"/": HOST.format(refused)}) as elsewhere:
        page = page.context.browser.new_context().new_page()  # type: ignore[union-attr]
        page.goto(elsewhere)
        assert page.frame_locator("iframe").get_by_text("Rehearsal").count() == 0
        page.context.close()


def test_the_fragment_stands_in_a_page_by_its_server_or_by_a_script(press: Press, look: Open) -> None:
    places(press)
    address = f"{press.url}/widget/st-brides.fragment"
    fetched = press.http.get(address).text
    put = f'fetch("{address}").then(a => a.text()).then(t => here.innerHTML = t)'
    script = f'<div id="here"></div><script>{put}</script>'
    with plain_site({"/": HOST.format(fetched), "/script": HOST.format(script)}) as elsewhere:
        page = look()
        for path in ("/", "/script"):
            page.goto(f"{elsewhere}{path}")
            page.get_by_role("link", name="Second").wait_for()
            assert page.get_by_role("region", name="St Bride’s & Co: announcements").is_visible()
            # Not "best-practice": the page around it is not ours.
            open_to_everybody(page, [rule for rule in RULES if rule != "best-practice"])


def test_the_screen_refreshes_itself_and_outlives_an_outage(press: Press, look: Open) -> None:
    places(press)
    page = look()
    page.clock.install()
    page.goto("/screen/st-brides")
    put_up(press, ("Snow", "School opens at ten.", ""))
    page.wait_for_timeout(1100)  # what is known of the ledger holds for a second
    page.clock.run_for(61_000)
    page.get_by_text("School opens at ten.").wait_for()
    page.route("**/screen/**", lambda route: route.fulfill(status=503, body="away"))
    page.clock.run_for(11 * 60_000)
    page.get_by_role("status").wait_for()
    assert page.get_by_text("School opens at ten.").is_visible()


@pytest.mark.security
def test_no_payload_runs_on_any_page(press: Press, look: Open) -> None:
    found = put_up(press, *((words, words, words) for words in HOSTILE), audience="Choir")
    bring_events(press, "Choir", *(words for words in HOSTILE if words.isprintable()))
    secret = private_links.make(press.house.ports, "Choir", "the course", actor=SYSTEM).secret
    boards = ["/widget/st-brides?items=20", "/widget/groups/choir?items=20", "/screen/st-brides", "/feeds"]
    page = look(java_script_enabled=True)
    for place in (*boards, f"/feeds/private/{secret}", *(f"/a/{one}" for one in found)):
        page.goto(place)
        page.mouse.move(60, 60)
        assert page.evaluate("window.ran") is None, place
        assert (
            page.evaluate("document.querySelectorAll('script:not([src]), iframe, img, base, details').length")
            == 0
        )
    page.goto("/widget/st-brides?items=20")
    assert page.get_by_text("<script>window.ran=1</script>").count() >= 2  # it is there, as words


@pytest.mark.security
def test_no_payload_runs_where_a_fragment_a_feed_or_a_mail_is_shown(press: Press, browser: Browser) -> None:
    put_up(press, *((words, words, words) for words in HOSTILE), audience="Choir")
    bring_events(press, "Choir", *(words for words in HOSTILE if words.isprintable()))
    pieces = [press.get("/widget/st-brides.fragment?items=20").text]
    pieces += [item["content_html"] for item in press.get("/feeds/groups/choir.json").json()["items"]]
    mails = [
        str(
            Renderer(HOUSE)
            .render(Content(1, "", {Part.TITLE: w, Part.LONG: w}), parent("pat", (w,)))
            .fields["html"]
        )
        for w in (*HOSTILE, *MARKUP)
    ]
    pages = {f"/{n}": HOST.format(piece) for n, piece in enumerate(pieces)} | {
        f"/m{n}": m for n, m in enumerate(mails)
    }
    pages["/all"] = HOST.format(
        "".join(f'<iframe title="{escaping.escape(p)}" src="{p}"></iframe>' for p in pages)
    )
    with plain_site(pages) as elsewhere:
        context = browser.new_context()  # nothing guards this page: only what is in it does
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        page.goto(f"{elsewhere}/all")
        assert [frame.url for frame in page.frames if frame.evaluate("window.ran") is not None] == []
        assert {url for url in asked if not url.startswith(elsewhere)} == set()
        context.close()
