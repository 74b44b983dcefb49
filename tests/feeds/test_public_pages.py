"""The page of each announcement that was broadcast: what it says, when it is there, and what it never does."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from uuid import uuid4

from sqlalchemy import insert, select, update

from broker import fanout, intake
from broker.actor import SYSTEM
from broker.delivery import State
from ledger import tables as t
from tests.support.press import Press


class Page(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_a_page_says_what_was_announced(press: Press):
    made = press.publish(
        "Concert & <tea>", "At six.", long="# Programme\n\nIt is **bold**.\n\n<script>x</script>"
    )
    answer = press.get(f"/a/{made.public_id}")
    assert answer.status_code == 200
    assert "<h1>Concert &amp; &lt;tea&gt;</h1>" in answer.text
    assert "<strong>bold</strong>" in answer.text
    assert "<h2>Programme</h2>" in answer.text
    page = Page(answer.text)
    assert not page.all("script")
    assert len(page.all("h1")) == 1
    assert page.all("html")[0]["lang"] == "en-GB"
    assert {link["href"] for link in page.all("link") if link["rel"] == "alternate"} == {
        f"{press.url}/feeds/departments/music.{form}" for form in ("rss", "atom", "json", "ics")
    }
    told = {meta.get("property") or meta.get("name"): meta.get("content") for meta in page.all("meta")}
    assert (told["og:title"], told["og:description"]) == ("Concert & <tea>", "At six.")
    assert "og:image" not in told


def test_a_page_sets_no_cookie_runs_no_script_and_loads_nothing(press: Press):
    made = press.publish()
    answer = press.get(f"/a/{made.public_id}")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert re.search(r"style-src 'sha256-[A-Za-z0-9+/]{43}='", policy)
    assert "set-cookie" not in answer.headers
    page = Page(answer.text)
    assert not any(attributes.get("src") or attributes.get("style") for _, attributes in page.found)
    assert not any(name.startswith("on") for _, attributes in page.found for name in attributes)


def test_a_page_has_nothing_about_people(press: Press):
    press.bring("Choir")
    made = press.publish(audience="Choir")
    text = press.get(f"/a/{made.public_id}").text
    assert "Ann" not in text
    assert "Bell" not in text
    assert "Choir" not in text


def test_a_page_speaks_the_wordings_language(press: Press):
    made = press.publish("Cyngerdd", "Am chwech.", language="cy")
    assert Page(press.get(f"/a/{made.public_id}").text).all("html")[0]["lang"] == "cy"
    both = press.publish("Concert", "At six.")
    for part, text in (("title", "Cyngerdd"), ("short", "Am chwech.")):
        press.sql(
            insert(t.content).values(announcement_id=both.id, version=1, language="cy", part=part, text=text)
        )
    page = Page(press.get(f"/a/{both.public_id}").text)
    assert page.all("html")[0]["lang"] == "en-GB"
    assert [article.get("lang") for article in page.all("article")] == [None, "cy"]


def test_an_unknown_page_is_404_in_words(press: Press):
    for wrong in ("1", "%00", "x" * 3_000, str(uuid4()), str(uuid4()).upper(), f"{{{uuid4()}}}"):
        answer = press.get(f"/a/{wrong}")
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")


def test_an_announcement_without_a_broadcast_has_no_page(press: Press):
    made = press.publish()
    press.sql(
        update(t.delivery).values(address_id=None, channel="rss"),
        insert(t.address).values(kind="mobile", value="+447911123456", hash=b"x"),
    )
    with press.house.ledger.reading() as hand:
        address = hand.connection.execute(select(t.address.c.id)).scalar_one()
    press.sql(update(t.delivery).values(address_id=address, channel="sms"))
    assert press.get(f"/a/{made.public_id}").status_code == 404
    assert not press.items()


def test_what_is_not_out_yet_has_no_page(press: Press):
    made = press.announce()
    assert press.get(f"/a/{made.public_id}").status_code == 404
    fanout.plan(press.house.ports, made.public_id, actor=SYSTEM)
    assert press.get(f"/a/{made.public_id}").status_code == 404
    press.send()
    assert press.get(f"/a/{made.public_id}").status_code == 200


def test_the_page_is_there_before_a_post_that_links_to_it_can_be_read(press: Press):
    made = press.publish()
    for state in (State.SENDING, State.UNCERTAIN, State.DELIVERED):
        press.sql(update(t.delivery).values(state=state.value, channel="twitter"))
        assert press.get(f"/a/{made.public_id}").status_code == 200


def test_a_withdrawn_page_says_so_and_no_more(press: Press):
    made = press.publish("Concert", "At six.")
    press.withdraw(made)
    answer = press.get(f"/a/{made.public_id}")
    assert answer.status_code == 410
    assert "taken this announcement back" in answer.text
    assert "Concert" not in answer.text


def test_what_was_withdrawn_before_it_was_out_was_never_there(press: Press):
    made = press.announce()
    fanout.plan(press.house.ports, made.public_id, actor=SYSTEM)
    intake.withdraw(press.house.ports, made.public_id, actor=SYSTEM)
    assert press.get(f"/a/{made.public_id}").status_code == 404


def test_a_corrected_page_says_the_last_word_under_either_address(press: Press):
    first = press.publish("Concert at six")
    press.age()
    last = press.publish("Concert at seven", corrects=first)
    for public_id in (first.public_id, last.public_id):
        answer = press.get(f"/a/{public_id}")
        assert "<h1>Concert at seven</h1>" in answer.text
        assert "changed <time" in answer.text
        (canonical,) = (link["href"] for link in Page(answer.text).all("link") if link["rel"] == "canonical")
        assert canonical == f"{press.url}/a/{first.public_id}"


def test_a_wording_that_no_feed_can_carry_still_has_its_page(press: Press):
    made = press.publish("Concert", "At six.")
    press.sql(update(t.content).where(t.content.c.part == "short").values(text="At \x0b six."))
    assert "At  six." in press.get(f"/a/{made.public_id}").text


def test_a_page_that_is_known_already_is_304(press: Press):
    made = press.publish()
    first = press.get(f"/a/{made.public_id}")
    again = press.get(f"/a/{made.public_id}", {"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
    assert press.get(f"/a/{made.public_id}", method="HEAD").content == b""


def test_the_list_of_feeds_names_every_public_one(press: Press):
    press.bring("Choir", "Year 7", public=("Year 7",))
    page = Page(press.get("/feeds").text)
    links = {link["href"] for link in page.all("a")}
    assert links == {
        f"{press.url}/feeds/{name}.{form}"
        for name in ("st-brides", "departments/music", "departments/office", "groups/year-7")
        for form in ("rss", "atom", "json", "ics")
    } | {"sign-in"}


def test_whoever_types_the_bare_address_is_led_to_what_there_is_to_read(press: Press):
    press.bring("Choir")
    answer = press.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "feeds")


def test_a_public_page_says_its_day_in_the_words_of_the_others(press: Press):
    page = press.get(f"/a/{press.publish().public_id}").text
    assert re.search(r">[A-Z][a-z]{2} \d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d</time>", page)
