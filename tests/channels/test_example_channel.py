"""The example in docs/example-channel, installed beside Carillon as anybody would, keeps the contract and sends."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from broker import fanout, intake, retract
from broker.actor import SYSTEM
from broker.announcement import Attachment, Content, Draft, Part, People, Step
from broker.brake import Brake, keep_fresh
from broker.channel import PUBLIC, Channel, Key, Kit, Receipt, Recipient, Surroundings
from broker.delivery import Evidence
from broker.dispatch import Process, deliver
from broker.errors import InvalidAnnouncement, SetupError
from broker.rosters.imports import import_roster
from broker.testing.channel_bench import Accepted, Bench, Callback, Fault, plain
from broker.testing.channel_contract import ChannelContract
from broker.values import Lane
from config.assembly import House, assemble
from config.registry import Registry
from config.settings import load
from tests.support.installed import COMMAND
from tests.support.school import SmallSchool

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "example-channel"
NO_ANSWER = "a file gives no answer that could be lost, late or garbled"
NO_OPINION = "a file asks nobody to slow down and refuses no text, and a public channel has no addresses"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example installed in it, from a copy: a build leaves its crumbs beside its source."""
    folder = tmp_path_factory.mktemp("beside")
    shutil.copytree(EXAMPLE, folder / "source")
    flags = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation"]
    pip = [sys.executable, "-m", "pip", "install", *flags, "--target"]
    pip += [str(folder / "site"), str(folder / "source")]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "site"


@pytest.fixture
def beside(site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(site)
    return site


def lines_of(file: Path) -> list[dict[str, Any]]:
    """What a screen reads."""
    return [json.loads(line) for line in file.read_text().splitlines() if line] if file.exists() else []


class NoticeboardBench:
    hands = 1
    secrets: Sequence[str] = ()
    unsupported: Mapping[Fault, str] = {
        **dict.fromkeys((Fault.TIMEOUT_BEFORE, Fault.LOST_AFTER_ACCEPT, Fault.GARBLED_ANSWER), NO_ANSWER),
        **dict.fromkeys(
            (Fault.BUSY, Fault.RATE_LIMITED, Fault.REJECTED_ADDRESS, Fault.REJECTED_CONTENT), NO_OPINION
        ),
    }
    faulty: Sequence[tuple[Content, Sequence[Attachment]]] = (
        (plain("{pupil} is asked to come."), ()),
        (plain(" "), ()),
        (plain("x" * 501), ()),
        (Content(1, "", {Part.TITLE: "For {pupil}", Part.SHORT: "Come."}), ()),
    )

    def __init__(self, kit: Kit, folder: Path) -> None:
        self.kit = kit
        self._screen, self._away, self._kept = folder / "screen", folder / "away", folder / "kept.jsonl"
        self._file = self._screen / "notices.jsonl"
        self._screen.mkdir()
        self._fault: Fault | None = None

    def open(self) -> Channel:
        fault = self._fault
        self.cure()
        around = Surroundings("school", "GB", sandbox=True, timeout=timedelta(seconds=1))
        channel = self.kit.open("corridor", self.kit.settings(file=self._file), around)
        if fault is not None:
            self._stage(fault)
        return channel

    def _stage(self, fault: Fault) -> None:
        self._fault = fault
        self._file.touch()
        if fault is Fault.UNREACHABLE:
            self._screen.rename(self._away)
            return
        self._file.rename(self._kept)
        if fault is Fault.SERVER_ERROR:
            self._file.symlink_to("/dev/full")  # a disk without room
        else:
            self._file.mkdir()

    def recipient(self, number: int, names: tuple[str, ...] = ()) -> Recipient:
        return PUBLIC

    def order(self, fault: Fault, *, address: str = "") -> None:
        self._fault = fault

    def cure(self) -> None:
        self._fault = None
        if self._away.exists():
            self._away.rename(self._screen)
        if self._kept.exists():
            if self._file.is_symlink():
                self._file.unlink()
            else:
                self._file.rmdir()
            self._kept.rename(self._file)

    def truth(self) -> Sequence[Accepted]:
        file = next((f for f in (self._kept, self._away / self._file.name) if f.exists()), self._file)
        return [
            Accepted(line["id"], "", hashlib.sha256(f"{line['title']}\n{line['text']}".encode()).hexdigest())
            for line in lines_of(file)
        ]

    def callback(self, key: Key, receipt: Receipt, evidence: Evidence) -> Callback:
        raise NotImplementedError("a screen does not call back")

    def signed(self, url: str, body: bytes) -> Callback:
        raise NotImplementedError("a screen does not call back")


class TestNoticeboard(ChannelContract):
    @pytest.fixture
    def bench(self, beside: Path, tmp_path: Path) -> Iterator[Bench]:
        bench = NoticeboardBench(Registry().kit("noticeboard"), tmp_path)
        yield bench
        bench.cure()


# --- installed beside Carillon


def test_the_command_lists_it_once_it_is_installed_and_not_before(
    site: Path, sqlite_template: Path, tmp_path: Path
) -> None:
    ledger = shutil.copy(sqlite_template, tmp_path / "carillon.sqlite3")

    def names(*path: Path) -> list[str]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("CARILLON_")}
        environ = plain | {
            "CARILLON_DATABASE_URL": f"sqlite:///{ledger}",
            "CARILLON_DATA_DIR": str(tmp_path / "var"),
            "PYTHONPATH": os.pathsep.join(map(str, path)),
        }
        told = subprocess.run(
            [COMMAND, "channels", "--json"],
            env=environ,
            cwd=tmp_path,
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert told.returncode == 0, told.stdout
        return [entry["channel"] for entry in json.loads(told.stdout)["channels"]]

    assert sorted(names(site, ROOT)) == sorted([*names(ROOT), "noticeboard"])


def test_it_imports_from_the_front_door_alone() -> None:
    rooms = ("broker", "channels", "cli", "config", "ledger", "sandbox", "sources", "web", "workers")
    for file in (EXAMPLE / "carillon_noticeboard").glob("*.py"):
        words = [line.split() for line in file.read_text().splitlines()]
        taken = {line[1].split(".")[0] for line in words if line[:1] in (["from"], ["import"])}
        assert not taken & set(rooms), file.name


def test_a_folder_that_is_not_there_is_told_when_the_account_is_opened(beside: Path, tmp_path: Path) -> None:
    kit = Registry().kit("noticeboard")
    with pytest.raises(SetupError) as caught:
        kit.open("corridor", kit.settings(file=tmp_path / "none" / "n.jsonl"), Surroundings("school", "GB"))
    assert [problem.code for problem in caught.value.problems] == ["no_folder"]


# --- sending


@contextmanager
def a_school_with_a_screen(template: Path, home: Path) -> Iterator[House]:
    shutil.copy(template, home / "carillon.sqlite3")
    environ = {
        "CARILLON_DATA_DIR": str(home / "var"),
        "CARILLON_DATABASE_URL": f"sqlite:///{home / 'carillon.sqlite3'}",
        "CARILLON_SANDBOX": "true",
        "CARILLON_SECRET_KEY": "a-secret-of-the-tests-and-of-nobody-else",
        "CARILLON_ACCOUNTS__CORRIDOR__CHANNEL": "noticeboard",
        "CARILLON_ACCOUNTS__CORRIDOR__FILE": str(home / "notices.jsonl"),
    }
    with assemble(load(environ=environ, env_file=None), serves=True) as house:
        school = SmallSchool()
        school.pupil("Ann", "Choir")
        import_roster(house.ports, school.roster(), actor=SYSTEM, expect_leaving=None)
        yield house


def draft(text: str) -> Draft:
    parts = {Part.TITLE: "Coach", Part.SHORT: text}
    return Draft("office", "everyone", people=People.GUARDIANS, ways=(Step(("noticeboard",)),), parts=parts)


def one_turn(house: House) -> None:
    """One worker's turn, with its brake kept fresh beside it as a worker does."""
    brake, over, faults = Brake(house.ledger), threading.Event(), list[Exception]()
    brake.refresh()
    reader = threading.Thread(target=keep_fresh, args=(brake, over, faults.append))
    reader.start()
    try:
        process, budget = Process(brake, SYSTEM), timedelta(seconds=20)
        asyncio.run(deliver(house.ports, "corridor", Lane.ROUTINE, process=process, budget=budget))
    finally:
        over.set()
        reader.join()
    assert not faults


def test_an_announcement_goes_up_on_the_screen_once_and_comes_down_when_withdrawn(
    beside: Path, sqlite_template: Path, tmp_path: Path
) -> None:
    with a_school_with_a_screen(sqlite_template, tmp_path) as house:
        made = intake.accept(house.ports, draft("It leaves at eight."), actor=SYSTEM).announcement
        fanout.plan(house.ports, made.public_id, actor=SYSTEM)
        one_turn(house)
        one_turn(house)
        (notice,) = lines_of(tmp_path / "notices.jsonl")
        assert (notice["title"], notice["text"]) == ("Coach", "It leaves at eight.")
        intake.withdraw(house.ports, made.public_id, actor=SYSTEM)
        retract.take_back_due(house.ports, actor=SYSTEM)
        assert lines_of(tmp_path / "notices.jsonl") == [notice, {"id": notice["id"], "down": True}]


def test_a_name_on_the_screen_is_refused_at_intake(
    beside: Path, sqlite_template: Path, tmp_path: Path
) -> None:
    with a_school_with_a_screen(sqlite_template, tmp_path) as house:
        with pytest.raises(InvalidAnnouncement) as caught:
            intake.accept(house.ports, draft("{pupil} is late."), actor=SYSTEM)
        assert caught.value.problem.code == "names_in_public"
        assert lines_of(tmp_path / "notices.jsonl") == []
