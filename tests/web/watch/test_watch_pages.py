"""What the pages show, and what they never do."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from uuid import uuid4

import pytest

from broker import intake
from broker.actor import SYSTEM
from broker.delivery import STATES, State
from tests.support.watching import Serve, Watched
from web.watch import words
from web.watch.announcement.topic import Detail
from web.watch.counts import Counts

MOBILE = re.compile(r"\+?4479\d{8}|07\d{9}")
XSS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "'><a href='javascript:alert(1)'>x</a>",
    "</title></h3></article><iframe src=//evil.example>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; & <b>",
    "<!-- <![CDATA[ ]]>",
    "<template><style>*{display:none}</style>",
]


class Elements(HTMLParser):
    """What a browser makes of a page: every element with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_state_has_its_word_beside_its_colour(watched: Watched) -> None:
    watched.tower.bring(len(STATES))
    announcement = watched.plan(watched.announce())
    for state in STATES:
        if state is not State.QUEUED:
            watched.move(announcement, state)
    html = watched.get(f"/watch/{announcement.public_id}")
    for look in STATES.values():
        badge = rf'data-tone="{look.colour}"><svg class="icon".*?</svg> {look.label}</span>'
        assert re.search(badge, html), look.label


def test_a_channel_without_a_word_of_its_own_is_shown_by_its_name() -> None:
    """So that adding one touches nothing of the pages."""
    assert [words.channel(name) for name in ("sms", "mastodon", "noticeboard")] == [
        "Text messages",
        "Mastodon",
        "Noticeboard",
    ]


def test_what_a_title_holds_is_text_and_never_markup(watched: Watched) -> None:
    for evil in XSS:
        announcement = watched.plan(watched.announce(evil))
        watched.move(announcement, State.REJECTED, 1, evil, evil)
        for path in (
            "/watch",
            "/watch/announcements",
            f"/watch/{announcement.public_id}",
            f"/watch/{announcement.public_id}/people",
        ):
            page = Elements(watched.get(path))
            assert " ".join(evil.split()) in " ".join(page.text.split())
            assert not {tag for tag, _ in page.tags} & {"img", "iframe", "style", "template"}
            assert all(attributes.keys().isdisjoint({"onerror", "onload"}) for _, attributes in page.tags)
            assert all("javascript" not in (attributes.get("href") or "") for _, attributes in page.tags)
            scripts = [attributes for tag, attributes in page.tags if tag == "script"]
            assert all("/watch/static/" in f"/{attributes.get('src')}" for attributes in scripts)


def test_no_number_stands_anywhere_whole(watched: Watched) -> None:
    announcement = watched.plan(watched.announce())
    watched.move(announcement, State.REJECTED, 2)
    for path in ("", "?show=failed", "/people"):
        assert not MOBILE.search(watched.get(f"/watch/{announcement.public_id}{path}"))
    assert "•••" in watched.get(f"/watch/{announcement.public_id}")


def test_names_stand_on_the_page_of_people_alone(watched: Watched) -> None:
    announcement = watched.plan(watched.announce())
    watched.move(announcement, State.SENT, 5)
    watched.move(announcement, State.REJECTED, 1, why="the number is not in use")
    assert "Pupil" not in watched.get() + watched.get(f"/watch/{announcement.public_id}")
    html = watched.get(f"/watch/{announcement.public_id}/people")
    assert re.findall(r"Pupil\d", html) == ["Pupil5"]
    assert "the number is not in use" in html
    assert "could not be told" in html


def test_the_page_of_people_goes_on_where_it_ended(watched: Watched) -> None:
    watched.tower.bring(150)
    announcement = watched.plan(watched.announce())
    first = watched.get(f"/watch/{announcement.public_id}/people")
    more = re.search(r'href="(\?after=\d+)"', first)
    assert more
    second = watched.get(f"/watch/{announcement.public_id}/people{more[1]}")
    names = re.findall(r"Pupil\d+", first) + re.findall(r"Pupil\d+", second)
    assert len(names) == len(set(names)) == 150


def test_only_what_went_wrong_is_listed_when_asked_for(watched: Watched) -> None:
    announcement = watched.plan(watched.announce())
    watched.move(announcement, State.SENT, 4)
    watched.move(announcement, State.REJECTED, 1, "21211", "the number is not in use")
    html = watched.get(f"/watch/{announcement.public_id}?show=failed&channel=bell")
    rows = html.split('id="deliveries"')[1]
    assert rows.count('<th scope="row"') == 1
    assert "the number is not in use <code>21211</code>" in rows


def test_failures_are_summed_up_with_their_reason(watched: Watched) -> None:
    announcement = watched.plan(watched.announce())
    watched.move(announcement, State.REJECTED, 2, "21211", "the number is not in use")
    watched.move(announcement, State.UNCERTAIN, 1, "timeout", "the answer did not come")
    text = " ".join(Elements(watched.get(f"/watch/{announcement.public_id}")).text.split())
    assert "2 rejected by the provider Bell the number is not in use 21211" in text
    assert "1 uncertain: it may have left Bell the answer did not come timeout" in text


def test_a_withdrawn_announcement_says_so(watched: Watched) -> None:
    announcement = watched.plan(watched.announce())
    intake.withdraw(watched.tower.house.ports, announcement.public_id, actor=SYSTEM)
    html = watched.get(f"/watch/{announcement.public_id}")
    assert re.search(r'id="head".*?class="badge".*?</svg> withdrawn</span>', html, re.DOTALL)


def test_what_is_not_there_is_not_found(watched: Watched) -> None:
    for path in [
        f"/watch/{uuid4()}",
        f"/watch/{uuid4()}/people",
        "/watch/nonsense",
        "/watch/announcements?before=nonsense",
        "/watch/announcements?far=away",
        "/watch/announcements?since=yesterday",
        "/watch/figures?day=0001-01-01",
        f"/watch/{uuid4()}?show=everything",
        f"/watch/{uuid4()}?channel=%3Cscript%3E",
        f"/watch/{uuid4()}?before=-1",
        f"/watch/{uuid4()}?before={'9' * 40}",
        "/watch/events?of=nonsense",
        "/watch/static/old/watch.css",
        "/watch/static/x/..%2fpages.py",
    ]:
        assert watched.client.get(path).status_code == 404, path


def test_an_address_that_leads_nowhere_says_so_on_a_page(watched: Watched) -> None:
    for path in ("/watch/nonsense", "/watch/nonsense/further", "/watch/sign-out"):
        told = watched.client.get(path)
        assert (told.status_code, "There is no such page" in told.text) == (404, True), path
        assert told.headers["content-type"].startswith("text/html"), path
    assert watched.client.get("/watch/").headers["location"].endswith("/watch")  # a slash too many
    for path in ("/watch/static/old", "/watch/static/old/watch.css"):  # no page, so no page in its place
        assert watched.client.get(path).headers["content-type"] == "application/json", path
    assert watched.client.post("/watch/nonsense").status_code == 404
    watched.client.cookies.clear()
    asked = watched.client.get("/watch/nonsense")
    assert (asked.status_code, "Please sign in" in asked.text) == (401, True)


def test_nothing_is_kept_framed_or_taken_from_elsewhere(watched: Watched) -> None:
    headers = watched.client.get("/watch").headers
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"


def test_the_style_sheet_is_kept_by_browsers(watched: Watched) -> None:
    found = re.search(r'href="(watch/static/[^"]+\.css)"', watched.get())
    assert found
    answer = watched.client.get(f"/{found[1]}")
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    plain = watched.client.get(f"/{found[1]}", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == answer.text
    assert answer.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


def test_the_pages_change_nothing(watched: Watched) -> None:
    announcement = watched.plan(watched.announce())
    for path in ("/watch", f"/watch/{announcement.public_id}", f"/watch/{announcement.public_id}/people"):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert watched.client.request(method, path).status_code == 405


def test_a_count_that_is_behind_is_not_read_aloud(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.watch.counts.SHARE", 1_000_000)
    announcement = watched.plan(watched.announce("Concert"))
    topic, counts = Detail(announcement.public_id), Counts()

    def said(known: Counts) -> str | None:
        with watched.ledger.reading() as hand:
            painted = topic.paint(hand, known)
        assert painted is not None
        return Elements(painted.parts["head"]).tags[0][1]["data-said"]

    assert "0 people told, 6 still open" in (said(counts) or "")
    watched.move(announcement, State.SENT, 6)
    assert said(counts) == ""
    assert "6 people told, 0 still open" in (said(Counts()) or "")


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_what_is_for_anybody_to_read_says_so_and_lists_nobody_to_be_rung(serve: Serve) -> None:
    here = serve(CARILLON_PUBLIC_URL="http://localhost:9", CARILLON_ACCOUNTS__FEED__CHANNEL="rss")
    here.tower.bring(6)
    here.sign_in()
    announcement = here.plan(here.announce("Sports day", ways=("rss",)))
    page = f"/watch/{announcement.public_id}"
    for path in ("/watch", page, f"{page}/people"):
        text = " ".join(Elements(here.get(path)).text.split())
        assert "Published for anybody to read; nobody is addressed." in text
        assert "could not be told" not in text
        assert "Somebody may have to ring" not in text
    assert "Who has not been told" not in Elements(here.get(page)).text
