"""docs/recipes/timetable.md, command by command, as the office would type it."""

from __future__ import annotations

import json
import re
import shlex
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

pytestmark = pytest.mark.runs_on("sqlite")
PAGE = Path(__file__).parents[2] / "docs" / "recipes" / "timetable.md"


def test_every_command_of_the_page_works_in_its_order(school, tmp_path, monkeypatch):
    page = PAGE.read_text(encoding="utf-8")
    for name, value in re.findall(r"^(CARILLON_TIMETABLES__\w+)=(.*)$", page, re.MULTILINE):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CARILLON_TIMETABLES__UNTIS__DAYS", "3")
    name = next(
        one["name"] for one in school("groups", "--json").json["groups"] if one["kind"] in {"class", "form"}
    )
    monkeypatch.setenv("CARILLON_TIMETABLES__UNTIS__CLASSES", json.dumps({"8a": name}))
    day = datetime.now(ZoneInfo("Europe/London")).date() + timedelta(days=1)
    day += timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))
    row = '{n},"{day:%Y%m%d}",{n},3,{n},"A","B","Ma",,,,"R1","R2",,"8a","Illness",,0,"8a",C,,'
    (tmp_path / "GPU014.TXT").write_text("\n".join(row.format(n=n, day=day) for n in (1, 2)))
    said = {}
    for block in re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
        for line in re.split(r"\n(?=carillon )", block.strip()):
            command = shlex.split(line)[1:]
            ran = school(*command)
            assert ran.code == 0, (command, ran.out, ran.err)
            said[" ".join(command[:2])] = ran
    promised = re.search(r'^`(\{"rows".*\})`', page, re.MULTILINE)
    assert promised is not None
    assert said["timetable push"].json == json.loads(promised[1])
    listed = school("timetable", "sources", "--json").json["sources"][0]
    assert (listed["from"], listed["approved"]) == ("/srv/untis/GPU014.TXT", True)
    assert "untis" in said["timetable status"].out
