"""Three real readers read each feed twice: everything the first time, nothing new the second, for a 304."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import feedparser
import pytest

from tests.support.press import Press, a_press
from tests.support.readers import Newsboat, Rss2Email, find_reader
from tests.support.servers import CannotBeHadError

PATHS = [
    f"/feeds/{name}.{form}"
    for name in ("st-brides", "departments/music", "groups/year-7")
    for form in ("rss", "atom")
]
SAID = ["Concert", "Q & A <tea>", "Zoë’s 🎺 day"]


@pytest.fixture
def press(sqlite_ledger: str, tmp_path: Path) -> Iterator[Press]:
    with a_press(sqlite_ledger, tmp_path, hub="https://hub.example/") as made:
        made.bring("Year 7", public=("Year 7",))
        for title in SAID:
            made.publish(title, "At six.", long=f"**{title}** begins at six.", audience="Year 7")
        made.age()
        yield made


@pytest.fixture(autouse=True)
def _readers(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--without-readers"):
        pytest.skip("--without-readers was given")
    try:
        for package in ("newsboat", "rss2email"):
            find_reader(package)
    except CannotBeHadError as reason:
        pytest.fail(str(reason))


def statuses(press: Press) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {path: [] for path in PATHS}
    for asked in press.asked:
        found[asked.path].append(asked.status)
    return found


def test_feedparser_reads_each_feed_twice(press: Press):
    for path in PATHS:
        first = feedparser.parse(press.url + path)
        assert (first.status, first.bozo) == (200, False)
        assert [entry.title for entry in reversed(first.entries)] == SAID
        assert len({entry.id for entry in first.entries}) == len(SAID)
        again = feedparser.parse(press.url + path, etag=first.etag, modified=first.modified)
        assert (again.status, again.entries) == (304, [])
        by_date = feedparser.parse(press.url + path, modified=first.modified)
        assert by_date.status == 304


def test_newsboat_reads_each_feed_again_and_again(press: Press, tmp_path: Path):
    # Each feed its own: newsboat gives an entry of several feeds to the last one. And a third time: it stores a tag
    # only where it knows the feed already (newsboat issue 2734, mended in 2024), so that its second reading has none.
    for number, path in enumerate(PATHS):
        reader = Newsboat(tmp_path / f"newsboat{number}", press.url + path)
        reader.read()
        known = reader.entries()
        assert len(known) == len(set(known)) == len(SAID)
        assert all(guid.startswith("urn:uuid:") for guid in known)
        reader.read()
        assert reader.entries() == known
        reader.read()
        assert reader.entries() == known
    assert all(seen in ([200, 200, 304], [200, 304, 304]) for seen in statuses(press).values())


def test_rss2email_reads_each_feed_twice(press: Press, tmp_path: Path):
    reader = Rss2Email(tmp_path / "r2e", [press.url + path for path in PATHS])
    reader.read()
    mails = reader.mails()
    assert len(mails) == reader.known() == len(SAID) * len(PATHS)
    reader.read()
    assert reader.mails() == mails
    assert statuses(press) == {path: [200, 304] for path in PATHS}


def test_a_correction_is_one_entry_to_every_reader(press: Press, tmp_path: Path):
    urls = [press.url + path for path in PATHS]
    boat, mail = Newsboat(tmp_path / "newsboat", urls[0]), Rss2Email(tmp_path / "r2e", urls)
    first = press.publish("Rehearsal at six", audience="Year 7")
    press.age()
    boat.read()
    mail.read()
    assert len(mail.mails()) == (len(SAID) + 1) * len(PATHS)
    press.publish("Rehearsal at seven", audience="Year 7", corrects=first)
    boat.read()
    mail.read()
    assert len(boat.entries()) == len(SAID) + 1
    assert len(mail.mails()) == (len(SAID) + 1) * len(PATHS)
    assert feedparser.parse(urls[0]).entries[0].title == "Rehearsal at seven"
