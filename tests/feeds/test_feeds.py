"""What stands in which feed, under which name, and what it says, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import feedparser
import pytest
from sqlalchemy import insert, select, update

from broker import fanout, reconcile, sweep
from broker.actor import SYSTEM
from broker.delivery import State
from broker.errors import InvalidAnnouncement
from channels.rss.feed import Format
from config.assembly import assemble
from config.feeds import Feeds
from config.settings import Settings
from ledger import tables as t
from ledger.reads.feeds import Kind
from tests.feeds.conftest import HUB
from tests.support.press import Press, a_press

NS = {"atom": "http://www.w3.org/2005/Atom", "content": "http://purl.org/rss/1.0/modules/content/"}
NS |= {"at": "http://purl.org/atompub/tombstones/1.0"}
FORMATS = ("rss", "atom", "json")
# A withdrawn announcement is out of the feeds at once; a worker calls its delivery retracted a second later.
retracted = pytest.mark.parametrize("taken_back", [False, True], ids=["at once", "and retracted"])


def read(press: Press, path: str) -> feedparser.FeedParserDict:
    answer = press.get(path)
    assert answer.status_code == 200
    parsed = feedparser.parse(answer.content)
    assert not parsed.bozo, parsed.get("bozo_exception")
    return parsed


def xml(press: Press, path: str) -> ElementTree.Element:
    return ElementTree.fromstring(press.get(path).content)


def test_what_is_struck_out_of_a_text_leaves_the_feeds_too(press: Press, monkeypatch: pytest.MonkeyPatch):
    press.publish("Concert of Amy C")
    assert "Amy" in press.get("/feeds/st-brides.rss").text
    # No delivery moves.
    press.sql(update(t.content).where(t.content.c.part == "title").values(text="Concert of …"))
    monkeypatch.setattr("config.feeds.READ_EVERY", timedelta(0))
    assert "Amy" not in press.get("/feeds/st-brides.rss").text


# --- what stands where ---------------------------------------------------------------------------------------------


def test_what_is_sent_stands_in_its_departments_feed_and_the_schools(press: Press):
    made = press.publish()
    assert set(press.items()) == set(press.items("/feeds/departments/music.json")) == {made.public_id}
    assert not press.items("/feeds/departments/office.json")


def test_what_is_not_sent_yet_stands_nowhere(press: Press):
    made = press.announce()
    fanout.plan(press.house.ports, made.public_id, actor=SYSTEM)
    assert not press.items()
    press.send()
    assert set(press.items()) == {made.public_id}


def test_the_ledger_keeps_the_guid_as_the_providers_id(press: Press):
    made = press.publish()
    with press.house.ledger.reading() as hand:
        kept = hand.connection.execute(select(t.attempt.c.provider_id)).scalars().all()
    assert kept == [f"urn:uuid:{made.public_id}"]


def test_newest_first_and_no_more_than_the_account_says(ledger_url: str, tmp_path: Path):
    with a_press(ledger_url, tmp_path, items="3") as press:
        made = [press.publish(f"Concert {n}").public_id for n in range(5)]
        assert list(press.items()) == made[:1:-1]


def test_a_public_group_has_a_feed_of_what_is_for_it_alone(press: Press):
    press.bring("Choir", "Year 7", public=("Year 7",))
    mine = press.publish(audience='"year  7"')
    press.publish(audience="Year 7 + Choir")
    press.publish(audience="everyone")
    press.publish(audience="Choir")
    assert set(press.items("/feeds/groups/year-7.json")) == {mine.public_id}
    assert len(press.items()) == 4


def test_a_group_that_is_not_public_and_one_that_is_not_there_are_the_same_404(press: Press):
    press.bring("Choir")
    press.publish(audience="Choir")
    for form in FORMATS:
        hidden, nowhere = press.get(f"/feeds/groups/choir.{form}"), press.get(f"/feeds/groups/nobody.{form}")
        assert hidden.status_code == nowhere.status_code == 404
        assert hidden.content == nowhere.content
        assert dict(hidden.headers) | {"date": ""} == dict(nowhere.headers) | {"date": ""}


def test_a_group_that_ceases_to_be_public_has_no_feed_any_more(press: Press):
    press.bring("Choir", public=("Choir",))
    assert press.get("/feeds/groups/choir.rss").status_code == 200
    press.sql(update(t.people_group).values(public=False))
    assert press.get("/feeds/groups/choir.rss").status_code == 404


# --- what it says --------------------------------------------------------------------------------------------------


def test_rss_names_itself_its_page_and_its_hub(press: Press):
    press.publish()
    channel = xml(press, "/feeds/departments/music.rss")[0]
    links = {link.get("rel"): link.get("href") for link in channel.findall("atom:link", NS)}
    assert links == {"self": f"{press.url}/feeds/departments/music.rss", "hub": HUB}
    assert channel.findtext("link") == f"{press.url}/feeds"


def test_atom_names_itself_its_page_and_its_hub(press: Press):
    feed = xml(press, "/feeds/st-brides.atom")
    links = {link.get("rel"): link.get("href") for link in feed.findall("atom:link", NS)}
    assert links == {
        "self": f"{press.url}/feeds/st-brides.atom",
        "hub": HUB,
        "alternate": f"{press.url}/feeds",
    }


def test_json_feed_names_itself_its_page_and_its_hub(press: Press):
    feed = press.get("/feeds/st-brides.json").json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"] == f"{press.url}/feeds/st-brides.json"
    assert feed["home_page_url"] == f"{press.url}/feeds"
    assert feed["hubs"] == [{"type": "WebSub", "url": HUB}]


def test_the_header_names_hub_and_self(press: Press):
    for form in FORMATS:
        told = press.get(f"/feeds/st-brides.{form}").headers["link"]
        assert told == f'<{press.url}/feeds/st-brides.{form}>; rel="self", <{HUB}>; rel="hub"'


def test_the_guid_is_the_public_id_and_no_permalink(press: Press):
    made = press.publish()
    guid = xml(press, "/feeds/st-brides.rss").find(".//guid")
    assert guid is not None
    assert (guid.text, guid.get("isPermaLink")) == (f"urn:uuid:{made.public_id}", "false")
    assert xml(press, "/feeds/st-brides.atom").findtext("atom:entry/atom:id", "", NS) == guid.text


@pytest.mark.parametrize("form", ["rss", "atom"])
def test_the_full_text_is_html_and_the_short_one_a_summary(press: Press, form: str):
    press.publish("Q & A", "Bring 2 < 3 friends & <b>", long="It is **bold**.\n\n<script>alert(1)</script>")
    entry = read(press, f"/feeds/st-brides.{form}").entries[0]
    assert entry.title == "Q & A"
    assert entry.content[0].value.startswith("<p>It is <strong>bold</strong>.</p>")
    assert "<script" not in entry.content[0].value
    if form == "rss":
        assert entry.summary == "Bring 2 &lt; 3 friends &amp; &lt;b&gt;"
    else:
        assert (entry.summary, entry.summary_detail.type) == ("Bring 2 < 3 friends & <b>", "text/plain")
    assert entry.link.startswith(f"{press.url}/a/")
    assert entry.get("author", "Music") == "Music"  # RSS has no author without an email
    assert [tag.term for tag in entry.tags] == ["Music"]


def test_json_feed_says_the_same(press: Press):
    made = press.publish("Q & A", "Bring 2 < 3", long="It is **bold**.")
    item = press.items()[made.public_id]
    assert item["title"] == "Q & A"
    assert item["summary"] == "Bring 2 < 3"
    assert item["content_html"] == "<p>It is <strong>bold</strong>.</p>"
    assert item["url"] == f"{press.url}/a/{made.public_id}"
    assert datetime.fromisoformat(item["date_published"]).tzinfo is not None


def test_a_text_without_title_is_headed_by_its_beginning_without_marks(press: Press):
    made = press.publish("", "", long="# Concert\n\nOn Friday.")
    assert press.items()[made.public_id]["title"] == "Concert On Friday."


def test_a_wording_in_another_language_says_so(press: Press):
    made = press.publish("Cyngerdd", language="cy")
    assert press.items()[made.public_id]["language"] == "cy"
    entry = xml(press, "/feeds/st-brides.atom").find("atom:entry", NS)
    assert entry is not None
    assert entry.get("{http://www.w3.org/XML/1998/namespace}lang") == "cy"


# --- through changes -------------------------------------------------------------------------------------------------


def test_a_corrected_item_changes_in_place_under_its_first_id(press: Press):
    first = press.publish("Concert at six")
    press.age()
    again = press.publish("Concert at seven", corrects=first)
    last = press.publish("Concert at eight", corrects=again)
    items = press.items()
    assert set(items) == {first.public_id}
    item = items[first.public_id]
    assert item["title"] == "Concert at eight"
    assert item["date_modified"] > item["date_published"]
    for form in ("rss", "atom"):
        (entry,) = read(press, f"/feeds/st-brides.{form}").entries
        assert entry.title == "Concert at eight"
        assert entry.updated_parsed > entry.published_parsed
        assert entry.link == f"{press.url}/a/{first.public_id}"
    assert last.public_id != first.public_id


@retracted
def test_a_withdrawn_item_is_gone_and_atom_says_so(press: Press, taken_back: bool):
    stays, goes = press.publish("Stays"), press.publish("Goes")
    press.withdraw(goes, taken_back=taken_back)
    assert set(press.items()) == {stays.public_id}
    assert [entry.title for entry in read(press, "/feeds/st-brides.rss").entries] == ["Stays"]
    assert [entry.title for entry in read(press, "/feeds/st-brides.atom").entries] == ["Stays"]
    (stone,) = xml(press, "/feeds/st-brides.atom").findall("at:deleted-entry", NS)
    assert stone.get("ref") == f"urn:uuid:{goes.public_id}"
    assert datetime.fromisoformat(stone.get("when", "")).tzinfo is not None


@retracted
def test_a_withdrawn_correction_takes_the_wrong_text_with_it(press: Press, taken_back: bool):
    first = press.publish("Concert at six")
    press.withdraw(press.publish("Concert at seven", corrects=first), taken_back=taken_back)
    assert not press.items()


@retracted
def test_a_correction_of_what_was_withdrawn_stands(press: Press, taken_back: bool):
    first = press.publish("Concert at six")
    press.withdraw(first, taken_back=taken_back)
    press.publish("Concert at seven", corrects=first)
    assert press.items()[first.public_id]["title"] == "Concert at seven"


def test_a_withdrawn_item_is_retracted_in_the_ledger_too(press: Press):
    press.withdraw(press.publish(), taken_back=True)
    with press.house.ledger.reading() as hand:
        assert hand.connection.execute(select(t.delivery.c.state)).scalars().all() == [State.RETRACTED]


def test_the_same_feed_has_the_same_bytes_again(press: Press):
    press.publish()
    for form in FORMATS:
        one, other = (press.get(f"/feeds/st-brides.{form}").content for _ in range(2))
        assert one == other


# --- what a feed survives ------------------------------------------------------------------------------------------


HOSTILE = ("a \x0b b", "a \x01 b", "a \ufffe b", "a \x1b[31m b")
ODD = ("a]]>b", "&amp; &lt; &#0;", "<![CDATA[x]]>", "𝔘𝔫𝔦 😀 e\u0301", "<p>a</p>", "a\tb")


def test_an_item_that_cannot_be_written_is_left_out_and_named_in_the_log(
    press: Press, caplog: pytest.LogCaptureFixture
):
    good = [press.publish("One")]
    bad = [press.publish("Bad") for _ in HOSTILE]
    good.append(press.publish("Three"))
    for made, text in zip(bad, HOSTILE, strict=True):
        press.sql(update(t.content).where(t.content.c.announcement_id == made.id).values(text=text))
    assert list(press.items()) == [made.public_id for made in reversed(good)]
    for form in ("rss", "atom"):
        assert [entry.title for entry in read(press, f"/feeds/st-brides.{form}").entries] == ["Three", "One"]
    for made, text in zip(bad, HOSTILE, strict=True):
        assert caplog.text.count(str(made.public_id)) == len(FORMATS)
        assert text not in caplog.text


def test_odd_texts_come_through_every_format(press: Press):
    made = [press.publish("Odd", "short", long=text) for text in ODD]
    shown = [press.items()[each.public_id]["content_html"] for each in made]
    for form in ("rss", "atom"):
        entries = feedparser.parse(press.get(f"/feeds/st-brides.{form}").content, sanitize_html=False).entries
        assert [entry.content[0].value for entry in reversed(entries)] == shown


def test_a_gap_for_a_name_is_refused_before_anything_is_kept(press: Press):
    with pytest.raises(InvalidAnnouncement) as refused:
        press.announce("Rehearsal", "{pupil} is asked to come.")
    problem = refused.value.problem
    assert (problem.code, problem.field) == ("names_in_public", "short")
    assert problem.hint


def test_a_lone_surrogate_is_refused_at_intake(press: Press):
    with pytest.raises(InvalidAnnouncement):
        press.announce("Concert", "broken \ud800 text")


def test_what_was_lost_in_mid_publishing_is_published_without_a_person(press: Press):
    made = press.announce()
    fanout.plan(press.house.ports, made.public_id, actor=SYSTEM)
    now = datetime.now(UTC)
    past = now - timedelta(minutes=5)
    with press.house.ledger.begin() as tx:
        delivery = tx.hand.connection.execute(select(t.delivery)).one()
    press.sql(
        update(t.delivery).values(state=State.SENDING.value, fence=1, lease_until=past),
        insert(t.attempt).values(
            delivery_id=delivery.id,
            fence=1,
            account_id=delivery.account_id,
            gateway="rss",
            digest="0" * 64,
            started_at=past,
        ),
    )
    for _ in range(3):
        sweep.run(press.house.ports, actor=SYSTEM)
        press.sql(update(t.delivery).where(t.delivery.c.lookup_at.is_not(None)).values(lookup_at=past))
        reconcile.look_up(press.house.ports, "feeds", actor=SYSTEM)
        press.sql(update(t.delivery).where(t.delivery.c.lookup_at.is_not(None)).values(lookup_at=past))
    press.send()
    assert set(press.items()) == {made.public_id}


def test_a_school_without_an_account_has_no_feeds(ledger_url: str, tmp_path: Path):
    settings = Settings.of(data_dir=tmp_path, database_url=ledger_url, secret_key="x" * 40)
    with assemble(settings, serves=True) as house:
        feeds = Feeds(house.ledger, settings)
        assert feeds.scopes() == ()
        assert all(feeds.fetch(Kind.SCHOOL, "school", form) is None for form in Format)


def test_a_feed_that_did_not_change_is_not_written_again(press: Press):
    press.publish()
    feeds = Feeds(press.house.ledger, press.settings)
    before = feeds.fetch(Kind.DEPARTMENT, "music", Format.RSS)
    press.publish(department="office")
    assert feeds.fetch(Kind.DEPARTMENT, "music", Format.RSS) is before
    press.publish()
    assert feeds.fetch(Kind.DEPARTMENT, "music", Format.RSS) != before


def test_within_a_second_the_ledger_is_asked_once(press: Press, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("config.feeds.ASK_EVERY", timedelta(minutes=1))
    feeds = Feeds(press.house.ledger, press.settings)
    assert feeds.at_hand(Kind.SCHOOL, "st-brides", Format.RSS) is None
    before = feeds.fetch(Kind.SCHOOL, "st-brides", Format.RSS)
    press.publish()
    assert feeds.at_hand(Kind.SCHOOL, "st-brides", Format.RSS) is before
    monkeypatch.setattr("config.feeds.ASK_EVERY", timedelta(0))
    assert feeds.at_hand(Kind.SCHOOL, "st-brides", Format.RSS) is None
    assert feeds.fetch(Kind.SCHOOL, "st-brides", Format.RSS) != before
