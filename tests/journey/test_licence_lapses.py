"""The risk assessment lapses in the middle of a send: the rest stops, waits, and goes when it is renewed.

Beside a real `carillon up`, against what the stand-in truly accepted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broker import intake
from broker.actor import SYSTEM
from broker.announcement import Draft, Part, People, Step
from broker.errors import InvalidAnnouncement
from broker.licences import licensing
from broker.rosters.imports import import_roster
from config.assembly import House, assemble
from config.settings import load
from sandbox.client import RunningSandbox, start_sandbox
from tests.support.installed import Installed, wait_until
from tests.support.licences import SOON, YESTERDAY, form
from tests.support.school import SmallSchool

FAMILIES = 24
WITHIN = timedelta(seconds=30)
A_SECOND = timedelta(seconds=1)
SLACK = timedelta(milliseconds=500)  # from the brake's answer to the stand-in's own look at its clock

pytestmark = pytest.mark.runs_on("sqlite")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path / "truth.jsonl") as running:
        yield running


@pytest.fixture
def school(tmp_path: Path, sandbox: RunningSandbox) -> Installed:
    return Installed(tmp_path, sandbox, {"CARILLON_ACCOUNTS__TEXTS__PER_SECOND": "4"})


@pytest.fixture
def house(school: Installed) -> Iterator[House]:
    """The office's hand beside the worker: the same verbs as its commands, which take a while to start."""
    with assemble(load(environ=school.environ, env_file=None), upgrade=True) as opened:
        people = SmallSchool()
        for n in range(FAMILIES):
            people.guardian(
                f"Parent{n}", people.pupil(f"Pupil{n}", "Choir"), mobiles=(f"+4479110000{n:02d}",)
            )
        import_roster(opened.ports, people.roster(), actor=SYSTEM, expect_leaving=None)
        yield opened


def announce(house: House, words: str) -> None:
    draft = Draft("office", "Choir", People.GUARDIANS, (Step(("sms",)),), {Part.SHORT: words})
    intake.accept(house.ports, draft, actor=SYSTEM)


def test_a_risk_assessment_lapses_in_mid_send_and_nothing_leaves_until_it_is_renewed(
    school: Installed, house: House, sandbox: RunningSandbox
) -> None:
    licensing.save(house.ports, "texts", form(), actor=SYSTEM)
    with school.started("up"):
        announce(house, "The coach leaves at eight.")
        wait_until(lambda: len(sandbox.truth("sms")) >= 2, within=WITHIN, what="the first texts")
        licensing.save(house.ports, "texts", form(liability={"review": YESTERDAY}), actor=SYSTEM)
        stopped = datetime.now(UTC)
        with pytest.raises(InvalidAnnouncement, match="liability: the risk assessment"):
            announce(house, "And back at four.")

        wait_until(lambda: not school.states()["sms", "sending"], within=WITHIN, what="nothing in hand")
        sent = len(sandbox.truth("sms"))
        assert sent < FAMILIES
        assert school.states() == {("sms", "sent"): sent, ("sms", "queued"): FAMILIES - sent}
        began = [datetime.fromisoformat(entry["at"]) for entry in sandbox.truth("sms")]
        assert max(began) <= stopped + A_SECOND + SLACK

        licensing.renew(house.ports, "texts", {"liability.review": SOON}, actor=SYSTEM)
        wait_until(lambda: len(sandbox.truth("sms")) == FAMILIES, within=WITHIN, what="all of it")
    assert set(school.accepted("sms").values()) == {1}
    assert school.record_verifies()
