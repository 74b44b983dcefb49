"""docs/api.md, command by command, and a generated client: against `carillon up` on loopback and the stand-ins."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sandbox.client import start_sandbox
from tests.support.installed import COMMAND, ROOT, Installed, people_csv, wait_until

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.timeout(600)]
PAGE = ROOT / "docs" / "api.md"
RECIPE = ROOT / "docs" / "recipes" / "timetable.md"
FAMILIES = 3
TOKEN = re.compile(r"carillon_[0-9A-Za-z]{46}")
SHELL = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass
class Office:
    """A school's Carillon, running, with a folder in which the page is walked."""

    installed: Installed
    folder: Path
    environ: dict[str, str]
    said: list[tuple[str, str]] = field(default_factory=list)  # each block, and what it printed

    def run(self, block: str) -> str:
        """One block in a shell that goes on where the one before ended."""
        before = "test ! -e .state || . ./.state\n"
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{before}{block}\nexport -p > .state"],
            check=False,
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ran.returncode == 0, f"{block}\n{ran.stdout}{ran.stderr}"
        self.said.append((block, ran.stdout))
        return ran.stdout

    def told(self, part: str) -> Any:
        """The JSON that the first command with this in it was answered."""
        out = next(out for block, out in self.said if part in block)
        return json.loads(out.splitlines()[-1])


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    home, folder = tmp_path_factory.mktemp("school"), tmp_path_factory.mktemp("program")
    settings = dict(re.findall(r"^(CARILLON_TIMETABLES__\w+)=(.*)$", RECIPE.read_text(), re.MULTILINE))
    settings.pop("CARILLON_TIMETABLES__UNTIS__FILE")  # it is pushed
    settings["CARILLON_TIMETABLES__UNTIS__DAYS"] = "3"
    settings["CARILLON_TIMETABLES__UNTIS__CLASSES"] = '{"8a": "Choir"}'
    with start_sandbox(home / "truth.jsonl") as sandbox:
        installed = Installed(home, sandbox, settings)
        installed.run("people", "import", str(people_csv(home, FAMILIES)), "--yes")
        environ = {
            **installed.environ,
            "PATH": f"{COMMAND.parent}:{os.environ['PATH']}",
            "PYTHONPATH": os.environ.get("PYTHONPATH", str(ROOT)),
        }
        with installed.started("up"):
            made = Office(installed, folder, environ)
            wait_until(lambda: listens(made), within=timedelta(seconds=200), what="it says what it can")
            yield made


def listens(office: Office) -> bool:
    at = f"http://127.0.0.1:{office.installed.port}/v1/openapi.json"
    asked = ["curl", "-sf", "--max-time", "30", "-o", os.devnull, at]
    return subprocess.run(asked, check=False, timeout=60).returncode == 0


def gpu014() -> str:
    """Two lessons of tomorrow's, covered; or of the next school day."""
    day = datetime.now(ZoneInfo("Europe/London")).date() + timedelta(days=1)
    day += timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))
    row = '{n},"{day:%Y%m%d}",{n},3,{n},"A","B","Ma",,,,"R1","R2",,"8a","Illness",,0,"8a",C,,'
    return "\n".join(row.format(n=n, day=day) for n in (1, 2))


@pytest.fixture(scope="module")
def walked(office: Office) -> Office:
    """The page, from its first command to its last, with this server's address and the tokens that were shown."""
    (office.folder / "GPU014.TXT").write_text(gpu014())
    for block in SHELL.findall(RECIPE.read_text()):
        for command in re.split(r"\n(?=carillon )", block.strip()):
            if command.startswith(("carillon templates save", "carillon rules set")):
                office.run(command)
    mine = {
        "CARILLON": f"http://127.0.0.1:{office.installed.port}/v1",
        "LISTENER": "http://127.0.0.1:9/hears",
    }
    for block in SHELL.findall(PAGE.read_text()):
        shown = TOKEN.findall(office.run(_mine(block, mine)))
        if shown:
            mine["TOKEN"] = shown[0]
    return office


def _mine(block: str, mine: Mapping[str, str]) -> str:
    """The block with what only this test can know in the place of what the page says for everybody."""
    for name, value in mine.items():
        block = re.sub(rf"^export {name}=[^$].*$", f"export {name}={value}", block, flags=re.MULTILINE)
    return block.replace("http://localhost:8000/v1", mine["CARILLON"])


def test_every_curl_command_of_the_page_is_run(walked: Office) -> None:
    blocks = SHELL.findall(PAGE.read_text())
    assert sum(block.count("curl ") for block in blocks) == PAGE.read_text().count("curl -")
    assert len([block for block, _ in walked.said if "curl " in block]) > 6


def test_the_page_tells_the_truth_about_what_is_answered(walked: Office) -> None:
    assert walked.told("/token")["name"] == "music pages"
    assert walked.told("announcements/preview")["people"] == FAMILIES
    assert walked.told("Idempotency-Key: rehearsal")["created"] is True
    assert walked.told("/withdraw")["withdrawn"] >= 0
    assert walked.told("$CARILLON/webhooks")["secret"]


def test_the_timetable_is_pushed_by_curl_and_families_hear_of_it_once(walked: Office) -> None:
    pushed = walked.told("@GPU014.TXT")
    assert (pushed["rows"], pushed["notices"], pushed["held"]) == (2, 1, False)

    def texts() -> list[str]:
        return [
            entry["to"] for entry in walked.installed.sandbox.truth("sms") if "Timetable" in entry["body"]
        ]

    wait_until(lambda: len(texts()) >= FAMILIES, within=timedelta(seconds=120), what="the change is texted")
    token = walked.installed.run("tokens", "make", "again", "--scope", "timetable:write")["token"]
    again = walked.run(
        f"export TOKEN={token}\n"
        'curl -sf -H "Authorization: Bearer $TOKEN" -H "Content-Type: text/plain" '
        "--data-binary @GPU014.TXT $CARILLON/timetable/untis"
    )
    assert json.loads(again)["notices"] == 0
    assert len(texts()) == len(set(texts())) == FAMILIES


@pytest.fixture(scope="module")
def generated(walked: Office) -> Iterator[ModuleType]:
    """The client that the page's last command generated of our description."""
    sys.path.insert(0, str(walked.folder))
    try:
        yield importlib.import_module("carillon_client")
    finally:
        sys.path.remove(str(walked.folder))


def test_a_generated_client_creates_previews_sends_and_follows(walked: Office, generated: ModuleType) -> None:
    token = walked.installed.run(
        "tokens", "make", "a client", "--scope", "announcements:write", "--scope", "announcements:read",
        "--scope", "deliveries:read",
    )["token"]  # fmt: skip
    at = f"http://127.0.0.1:{walked.installed.port}/v1"
    with generated.AuthenticatedClient(base_url=at, token=token) as client:
        _follow(walked, client)


def _follow(walked: Office, client: object) -> None:
    announcements = "carillon_client.api.announcements"
    models: Any = importlib.import_module("carillon_client.models")

    def call(module: str, *words: object, **named: object) -> Any:
        return importlib.import_module(module).sync_detailed(*words, client=client, **named)

    said = models.NewAnnouncement(
        to="Choir", ways=["sms", "email"], words=models.Words(title="Coach", long="{pupil}: coach at nine.")
    )
    seen = call(f"{announcements}.preview_announcement", body=said).parsed
    assert (seen.people, seen.unreached) == (FAMILIES, 0)
    assert "coach at nine" in seen.ways["sms"].example.body
    made = call(f"{announcements}.create_announcement", body=said, idempotency_key="coach").parsed
    assert isinstance(made, models.AcceptedTold)
    assert (
        call(f"{announcements}.create_announcement", body=said, idempotency_key="coach").parsed.id == made.id
    )

    def stands() -> Any:
        return call(f"{announcements}.get_announcement", made.id).parsed

    wait_until(lambda: stands().settled, within=timedelta(seconds=120), what="everybody is told")
    duties = call(f"{announcements}.list_duties", made.id).parsed
    assert [one.state for one in duties.items] == FAMILIES * [models.DutyState.MET]
    sent = call("carillon_client.api.deliveries.list_deliveries", announcement=made.id, limit=4).parsed
    more = call(
        "carillon_client.api.deliveries.list_deliveries", announcement=made.id, cursor=sent.next_
    ).parsed
    assert len({one.id for one in (*sent.items, *more.items)}) == 2 * FAMILIES
    assert all("•" in one.address or "…" in one.address or "*" in one.address for one in sent.items)
    truth = [entry for entry in walked.installed.sandbox.truth("sms") if "coach at nine" in entry["body"]]
    assert len(truth) == FAMILIES
    refused = call(
        f"{announcements}.create_announcement",
        body=models.NewAnnouncement(to="Chior", words=said.words),
        idempotency_key="x",
    )
    assert (refused.status_code, refused.parsed.code) == (422, "unknown_group")
