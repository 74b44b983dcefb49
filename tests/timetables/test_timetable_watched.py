"""Timetables as a worker reads them: files, folders, turns, and alarms that are cleared by themselves."""

from __future__ import annotations

import os
import time as time_
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from broker.actor import SYSTEM
from broker.announcement import Part
from broker.authority import rule_changes
from broker.office import templates
from config.settings import Settings
from config.timetables import TimetableRoom
from ledger import tables as t
from ledger.announcements import announcement_of, announcements_by
from sources.timetables.errors import TimetableAway
from sources.timetables.places import AFile, AFolder, AnAddress
from tests.support.broker_world import World
from tests.support.school import family

SQLITE = pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)  # SQL has nothing to do with files


def rows(*classes: str) -> str:
    today = datetime.now(ZoneInfo("Europe/London")).strftime("%Y%m%d")
    return "".join(
        f'{n},"{today}",{n},,12,"A","B","Ma",,,,"R1","R2",,"{c}","Ill"\n' for n, c in enumerate(classes)
    )


def write(path: Path, text: str, *, age: float = 60) -> Path:
    path.write_text(text)
    then = time_.time() - age
    os.utime(path, (then, then))
    return path


def room(world: World, **at: object) -> TimetableRoom:
    plain = {"via": "sms", "every": 60, "day_ends": time.max, **at}
    return TimetableRoom(world.ports, Settings.of(timetables={"untis": plain}))


def alarms(world: World) -> list[str]:
    query = select(t.alarm.c.message).where(t.alarm.c.cleared_at.is_(None)).order_by(t.alarm.c.id)
    return [row.message for row in world.rows(query)]


@pytest.fixture
def school(world: World) -> World:
    world.bring(family())
    templates.save(world.ports, "office", "Timetable", {Part.SHORT: "{changes}"}, actor=SYSTEM)
    rule_changes.change(world.ports, "adults.notices", "office/Timetable", "a test", actor=SYSTEM)
    return world


@SQLITE
def test_two_processes_take_turns_and_a_file_is_told_once(school: World, tmp_path: Path):
    file = write(tmp_path / "GPU014.TXT", rows("7B"))
    one, two = room(school, file=file), room(school, file=file)
    assert one.read_due()["untis"].notices == 1
    assert two.read_due() == {}
    school.pass_time(timedelta(seconds=61))
    assert two.read_due()["untis"].notices == 0


@SQLITE
def test_a_file_that_is_being_written_waits_for_the_next_turn(school: World, tmp_path: Path):
    file = write(tmp_path / "GPU014.TXT", rows("7B"), age=0.5)
    assert room(school, file=file).read_due() == {}
    assert alarms(school) == []


def test_the_newest_file_of_a_folder_says_how_things_stand(tmp_path: Path):
    write(tmp_path / "old.txt", "old", age=900)
    write(tmp_path / "new.txt", "new", age=100)
    write(tmp_path / "other.csv", "other", age=50)
    (tmp_path / "sub.txt").mkdir()
    found = AFolder(tmp_path, "*.txt").read(datetime.now(ZoneInfo("UTC")))
    assert found is not None
    assert found.data == b"new"


@SQLITE
def test_what_cannot_be_read_or_told_raises_an_alarm_until_it_can(school: World, tmp_path: Path):
    file = tmp_path / "GPU014.TXT"
    watched = room(school, file=file, every=1)
    assert watched.read_due() == {}
    assert alarms(school) == ["timetable untis: there is no such file"]
    school.pass_time(timedelta(seconds=2))
    write(file, rows("7B"))
    assert watched.read_due()["untis"].notices == 1
    assert alarms(school) == []
    school.pass_time(timedelta(seconds=2))
    write(file, rows("7B")[:20])
    assert watched.read_due() == {}
    assert "it was cut off" in alarms(school)[0]


@SQLITE
def test_the_same_file_every_five_minutes_for_a_day_with_three_changes_makes_three_announcements(
    school: World,
):
    timetable, file = room(school), ""
    other = rows("7B", "8A").replace('"R2"', '"R9"')
    exports = {40: rows("7B"), 130: rows("7B", "8A"), 230: other}
    notices = []
    for turn in range(24 * 12):
        file = exports.get(turn, file)
        pushed = timetable.push("untis", file.encode(), actor=SYSTEM)
        notices += [turn] * pushed.notices
        if pushed.notices:  # it goes out before the next one, and families read it
            (newest,) = school.rows(announcements_by(t.announcement.c.public_id == pushed.announcement))
            school.plan(announcement_of(newest))
            school.send()
        if turn % 12 == 0:
            school.pass_time(timedelta(hours=1))
    assert notices == [40, 130, 230]
    assert school.states() == {"sent": 3 + 2 + 3}
    assert alarms(school) == []


@SQLITE
def test_what_is_only_pushed_is_expected_again_once_it_was_pushed(school: World):
    pushed = room(school, silent_after=300)
    assert pushed.watch() == 0
    pushed.push("untis", rows("7B").encode(), actor=SYSTEM)
    assert pushed.watch() == 0
    school.pass_time(timedelta(days=7))
    assert pushed.watch() in {0, 1}  # 0 on a day without school
    assert [alarm.startswith("the timetable untis has told nothing new") for alarm in alarms(school)] in (
        [],
        [True],
    )


@SQLITE
def test_a_reader_that_stumbles_stops_no_other_and_says_nothing_of_the_file(
    school: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def stumbles(*_: object) -> None:
        raise RecursionError("Krank")

    monkeypatch.setattr("config.timetables.read", stumbles)
    file = write(tmp_path / "GPU014.TXT", rows("7B"))
    assert room(school, file=file).read_due() == {}
    assert alarms(school) == ["timetable untis: it cannot be read (RecursionError)"]
    assert "Krank" not in caplog.text


@SQLITE
def test_a_file_that_is_not_exported_any_more_is_silence(school: World, tmp_path: Path):
    file = write(tmp_path / "GPU014.TXT", rows("7B"), age=40 * 86_400)
    watched = room(school, file=file)
    watched.read_due()
    assert watched.watch() in {0, 1}  # nobody expects an export on a day without school
    write(file, rows("7B"))
    school.pass_time(timedelta(seconds=61))
    watched.read_due()
    assert watched.watch() == 0
    assert alarms(school) == []


@pytest.mark.parametrize(
    "place", [AFile(Path("/dev/zero")), AFolder(Path("/proc/nowhere")), AFolder(Path("/dev"))]
)
def test_a_device_or_an_empty_place_is_no_timetable(place: AFile | AFolder):
    with pytest.raises(TimetableAway):
        place.read(datetime.now(ZoneInfo("UTC")))


def test_an_address_of_the_schools_own_network_is_not_asked():
    with pytest.raises(TimetableAway) as away:
        AnAddress("http://192.168.0.1/GPU014.TXT").read(datetime.now(ZoneInfo("UTC")))
    assert away.value.problem.code == "private_address"
    assert "192" not in repr(AnAddress("http://192.168.0.1/"))
