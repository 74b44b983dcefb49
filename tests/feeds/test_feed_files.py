"""Feeds as files: whole at every moment, what the web gives out, and gone when they are public no more."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from sqlalchemy import update

from broker.errors import SetupError
from channels.rss.files import replace_file
from config.feed_files import MANIFEST, FeedFiles
from ledger import tables as t
from tests.support.press import Press, a_press
from workers.publishing import Publishing


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "public html"
    made.mkdir()
    return made


@pytest.fixture
def press(sqlite_ledger: str, tmp_path: Path, folder: Path) -> Iterator[Press]:
    with a_press(sqlite_ledger, tmp_path, folder=str(folder)) as made:
        yield made


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_files_say_what_the_web_says(press: Press, folder: Path):
    press.bring("Year 7", public=("Year 7",))
    press.publish(audience="Year 7")
    FeedFiles(press.house.ledger, press.settings).keep()
    feeds = {
        f"{name}.{form}"
        for name in ("st-brides", "departments/music", "departments/office", "groups/year-7")
        for form in ("rss", "atom", "json")
    }
    assert names(folder) == feeds | {MANIFEST}
    for name in feeds:
        assert (folder / name).read_bytes() == press.get(f"/feeds/{name}").content
        assert (folder / name).stat().st_mode & 0o777 == 0o644


def test_what_is_as_it_was_is_not_written_again(press: Press, folder: Path):
    press.publish()
    files = FeedFiles(press.house.ledger, press.settings)
    files.keep()
    before = {name: (folder / name).stat().st_ino for name in names(folder)}
    files.keep()
    FeedFiles(press.house.ledger, press.settings).keep()
    assert {name: (folder / name).stat().st_ino for name in names(folder)} == before
    press.publish("Another")
    files.keep()
    changed = {name for name, inode in before.items() if (folder / name).stat().st_ino != inode}
    assert changed == {
        f"{name}.{form}" for name in ("st-brides", "departments/music") for form in ("rss", "atom", "json")
    }


def test_a_group_that_is_public_no_more_loses_its_files_though_no_worker_ran(press: Press, folder: Path):
    press.bring("Year 7", public=("Year 7",))
    (folder / "groups").mkdir()
    theirs = folder / "groups" / "somebody-elses.rss"
    theirs.write_text("theirs")
    FeedFiles(press.house.ledger, press.settings).keep()
    press.sql(update(t.people_group).values(public=False))
    FeedFiles(press.house.ledger, press.settings).keep()
    assert {name for name in names(folder) if name.startswith("groups/")} == {"groups/somebody-elses.rss"}


def test_a_list_that_somebody_wrote_deletes_nothing_elsewhere(press: Press, folder: Path, tmp_path: Path):
    precious = tmp_path / "precious.rss"
    precious.write_text("kept")
    (folder / MANIFEST).write_text(json.dumps(["../precious.rss", str(precious), 7, None, "x.txt"]))
    FeedFiles(press.house.ledger, press.settings).keep()
    assert precious.read_text() == "kept"
    (folder / MANIFEST).write_text("{")
    FeedFiles(press.house.ledger, press.settings).keep()


def test_a_reader_never_sees_half_a_file(tmp_path: Path):
    path = tmp_path / "feed.rss"
    bodies = [f"<rss>{'x' * length}</rss>".encode() for length in (10, 400_000)]
    replace_file(path, bodies[0])
    over = threading.Event()
    seen: set[int] = set()

    def read() -> None:
        while not over.is_set():
            body = path.read_bytes()
            ElementTree.fromstring(body)
            seen.add(len(body))

    reader = threading.Thread(target=read)
    reader.start()
    until = time.monotonic() + 1
    while time.monotonic() < until:
        for body in bodies:
            replace_file(path, body)
    over.set()
    reader.join()
    assert seen == {len(body) for body in bodies}
    assert names(tmp_path) == {"feed.rss"}


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path):
    path = tmp_path / "feed.rss"
    replace_file(path, b"old")
    with pytest.raises(TypeError):
        replace_file(path, "no bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == {"feed.rss"}


def test_a_folder_that_is_none_is_told_at_the_start(sqlite_ledger: str, tmp_path: Path):
    with a_press(sqlite_ledger, tmp_path, folder=str(tmp_path / "nowhere")) as press:
        with pytest.raises(SetupError) as refused:
            Publishing(press.house)
        (problem,) = refused.value.problems
        assert (problem.code, problem.field) == ("bad_folder", "CARILLON_ACCOUNTS__FEEDS__FOLDER")
        assert press.get("/feeds/st-brides.rss").status_code == 200


def test_a_worker_keeps_them(press: Press, folder: Path):
    made = press.publish()
    publishing = Publishing(press.house)
    publishing.start()
    try:
        until = time.monotonic() + 10
        while not (folder / "st-brides.json").exists() and time.monotonic() < until:
            time.sleep(0.02)
    finally:
        publishing.stop()
        publishing.stop()
    assert str(made.public_id) in (folder / "st-brides.json").read_text()
