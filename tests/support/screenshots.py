"""Pictures of the page to watch, on the sample school, and of the public pages: `make screenshots`."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page

from broker import intake
from broker.announcement import Announcement, Draft, Part, People, Step, Urgency
from broker.authority import signin
from broker.rosters import imports
from cli import demo
from cli.serving import running
from config.assembly import House
from ledger.reads.status import status
from sandbox.client import RunningSandbox
from sandbox.sample_school import write_sample_school
from sources import rosters
from tests.support.browser import running_browser
from tests.support.screenshots_public import take_public

MOST = 200 * 1024  # bytes: it is in the repository for ever
FAULTS = [
    "twilio:error:code=21211,rate=0.02,seed=7",
    "twilio:undelivered:rate=0.03,seed=3",
    "twilio:latency:ms=400",
]
BOTH = ("sms", "email")
SAID = (
    ("office", "Year 7", "Year 7 trip: forms by Friday", ("email",), Urgency.ROUTINE),
    ("music", demo.AUDIENCE, demo.TITLE, (*BOTH, "rss", "twitter"), Urgency.ROUTINE),
    ("office", "everyone", "Snow: school opens at ten today", BOTH, Urgency.URGENT),
)


def main(folder: Path, beside: Path) -> None:
    """Write watch.png, widget.png and fragment.png for the README; into the other folder, what is for looking at."""
    with running_browser() as browser:
        take_public(browser, folder, beside)
    with TemporaryDirectory() as held, demo._sandbox(Path(held), FAULTS) as sandbox:
        settings = demo.settings_for(Path(held), sandbox)
        with running(settings) as (house, url), running_browser() as browser:
            announcements = _busy(house, sandbox, Path(held))
            link = signin.make_link(house.ports, actor=demo.OPERATOR)
            _take(browser, f"{url}/watch/sign-in/{link}", announcements[1], folder, beside)


def _busy(house: House, sandbox: RunningSandbox, folder: Path) -> list[Announcement]:
    school = write_sample_school(folder / "school", pupils=420)
    roster = rosters.read(school.folder, region="GB", today=datetime.now(UTC).date())
    imports.import_roster(house.ports, roster, actor=demo.OPERATOR)
    said = []
    for department, audience, title, ways, urgency in SAID:
        parts = {Part.TITLE: title, Part.SHORT: demo.TEXT, Part.LONG: demo.LETTER}
        draft = Draft(department, audience, People.GUARDIANS, (Step(ways),), parts, urgency=urgency)
        said.append(intake.accept(house.ports, draft, actor=demo.OPERATOR).announcement)
        if title != SAID[-1][2]:
            _settled(house, said[-1])
    return said


def _settled(house: House, announcement: Announcement) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with house.ledger.reading() as hand:
            found = status(hand, announcement.public_id)
        if found is not None and found.settled:
            return
        time.sleep(0.2)


def _take(browser: Browser, link: str, announcement: Announcement, folder: Path, aside: Path) -> None:
    context = browser.new_context(viewport={"width": 1120, "height": 900}, device_scale_factor=1.5)
    page = context.new_page()
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/watch")
    page.wait_for_timeout(timedelta(seconds=1.2).total_seconds() * 1000)
    page.screenshot(path=folder / "watch.png")
    if (folder / "watch.png").stat().st_size > MOST:
        raise SystemExit(f"{folder / 'watch.png'} is larger than {MOST // 1024} KiB")
    whole, detail = page.url, f"{page.url}/{announcement.public_id}"
    kept = context.storage_state()
    for scheme in ("light", "dark"):
        for width in (1120, 320):
            beside = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme, storage_state=kept
            )
            _each(beside.new_page(), {"watch": whole, "detail": detail}, aside, f"{scheme}-{width}")
            beside.close()


def _each(page: Page, places: dict[str, str], folder: Path, name: str) -> None:
    for place, address in places.items():
        page.goto(address)
        page.wait_for_timeout(600)
        page.screenshot(path=folder / f"{place}-{name}.png", full_page=place == "watch")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
