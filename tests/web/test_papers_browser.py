"""The printed papers in a real browser: accessible, quiet, and a page for each form when they are printed."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import pytest
from playwright.sync_api import Browser

from broker.licences.letter import Way, letter
from broker.licences.licence_form import read
from broker.office.reach import Untold
from channels.sms import TRAITS as TEXTS
from channels.twitter import TRAITS as POSTS
from ledger.reads.phones import Call
from tests.support.licences import form
from tests.support.looking import open_to_everybody
from web.papers import Paper, blocks, phones, slips

pytestmark = pytest.mark.runs_on("sqlite")
PAPER = Paper("St Bride's", "en-GB", "22 November 2026", "Not reached: Concert <tonight>")
UNTOLD = [
    Untold(UUID(int=n), f"Pupil{n} O'Neill", group, "no mobile number on file")
    for n, group in enumerate(["", "7B", "7B", "7B", "9A"])
]
CALLS = [
    Call(UUID(int=1), "Mary O'Neill", "+447911100001"),
    Call(UUID(int=1), "Tom O'Neill", ""),
    Call(UUID(int=4), "Gran Lee", "", unkept=True),
    Call(UUID(int=4), "Ann Lee", "+447911100002"),
]
WORDS = "{pupil} of {class}: the concert begins at six.\nBring a coat & a scarf."
LICENCE = read(form(policy={"url": "https://school.example/" + "policies-of-the-school/" * 4}))
WAYS = [
    Way("texts", "sms", None, TEXTS, LICENCE),
    Way("x", "twitter", "Music", POSTS, LICENCE, {"protected": "no"}, "the notice board"),
]
PAGES = {
    "letter": blocks(PAPER, letter("St Bride's", WAYS)),
    "slips": slips(PAPER, UNTOLD, WORDS),
    "slips to write on": slips(PAPER, UNTOLD, ""),
    "phones": phones(PAPER, UNTOLD, CALLS),
    "nobody": slips(PAPER, [], WORDS),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("html", PAGES.values(), ids=PAGES.keys())
def test_a_paper_keeps_wcag_and_fetches_nothing(
    html: str, scheme: Literal["light", "dark"], browser: Browser
) -> None:
    page = browser.new_page(color_scheme=scheme)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    try:
        page.set_content(html)
        open_to_everybody(page)
        assert asked == []
    finally:
        page.close()


@pytest.mark.parametrize("html", PAGES.values(), ids=PAGES.keys())
def test_a_paper_fits_a_telephone_and_is_black_on_white_when_it_is_printed(
    html: str, browser: Browser
) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 640}, color_scheme="dark")
    colours = "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    try:
        page.set_content(html)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        dark = page.evaluate(colours)
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate(colours) == ["rgb(255, 255, 255)", "rgb(17, 17, 17)"] != dark
    finally:
        page.close()


@pytest.mark.parametrize("name", ["slips", "phones"])
def test_each_form_begins_a_page_of_its_own(name: str, browser: Browser) -> None:
    page = browser.new_page()
    try:
        page.set_content(PAGES[name])
        printed = page.pdf(format="A4", prefer_css_page_size=True)
        assert printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") == 3
    finally:
        page.close()


def test_a_slip_says_the_name_and_the_words_and_never_why() -> None:
    html = PAGES["slips"]
    assert "Pupil1 of 7B: the concert begins at six." in html
    assert "Pupil0 of the class" in html
    assert "&lt;tonight&gt;" in html
    assert "no mobile number on file" not in html
    assert html.count('class="slip"') == 5


def test_the_list_names_whom_to_ring_in_order_and_who_has_nobody() -> None:
    html = PAGES["phones"]
    assert html.index("Mary O&#39;Neill") < html.index("Tom O&#39;Neill")
    assert html.count("nobody on file") == 3
    assert (
        "Gran Lee</td><td>in the school&#39;s own system" in html
        or "Gran Lee</td><td>in the school's" in html
    )
    assert "07911 100001" in html, "as it is dialled"
    assert "+44" not in html


def test_each_sheet_says_what_it_is_about_for_it_goes_to_another_form(browser: Browser) -> None:
    page = browser.new_page()
    try:
        page.set_content(PAGES["slips"])
        again = page.locator(".again")
        assert not again.first.is_visible(), "a screen shows one page"
        page.emulate_media(media="print")
        assert again.count() == 2
        assert all("Concert <tonight>" in text for text in again.all_inner_texts())
    finally:
        page.close()
