"""One run: bring the ground up, let the nemesis loose, let it rest, wait until all is settled, judge."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2

from tests.nemesis import weather
from tests.nemesis.fury import Fury
from tests.nemesis.ground import READY_WITHIN, Ground, broken_ground
from tests.nemesis.plan import Faults, Stroke, least, strokes
from tests.nemesis.verdict import UNCERTAIN_FOR_A_KILL, Verdict, unsettled

SETTLED_WITHIN = timedelta(seconds=120)
GIVE_UP = timedelta(seconds=200)  # waited for all the same, so that a late end can be told from none
AGAIN = timedelta(milliseconds=400)  # a stroke that met nothing to hit
TURN = 0.1
LONGEST = 1.5  # times as long as it was to be


@dataclass(frozen=True)
class Outcome:
    """What a run came to: the one line of JSON, and what is wrong in words."""

    told: dict[str, Any]
    wrong: list[str]


def run(
    folder: Path, seed: int, length: timedelta, *, beyond: bool = False, with_clock: bool = True
) -> Outcome:
    """One seed. Its folder keeps logs and truth."""
    began = time.monotonic()
    with broken_ground(folder, seed, with_clock=with_clock) as ground:
        _wait_until_up(ground)
        _say(f"seed {seed}: up after {time.monotonic() - began:.0f} s")
        fury = Fury(ground, half=length / 2, beyond=beyond)
        for school in ground.schools:
            school.speaker.start()
        _let_loose(ground, fury, strokes(seed, length), length)
        seconds = _settle(ground, fury)
        if beyond:  # what is accepted that late is accepted after all is settled
            time.sleep(weather.LATEST.total_seconds())
        _wait_until_up(ground)  # whom the last stroke hit may only now be coming up
        faults, struck = fury.count(), fury.struck()
        allowed = weather.lost_replies(struck) + UNCERTAIN_FOR_A_KILL * fury.senders_killed
        verdict = _judge(ground, folder)
    verdict.judge_uncertain(allowed)
    _say(f"seed {seed}: {dict(sorted((act.value, n) for act, n in fury.hits.items()))}")
    _say(f"seed {seed}: the providers gave {dict(sorted(struck.items()))}")
    wrong = [*verdict.words(beyond=beyond), *faults.short_of(least(length))]
    if seconds > SETTLED_WITHIN.total_seconds():
        wrong.append(f"settled {seconds:.0f} s after the last fault, and {SETTLED_WITHIN.seconds} s may be")
    return Outcome(_told(seed, verdict, faults, allowed, seconds), wrong)


def _judge(ground: Ground, folder: Path) -> Verdict:
    """Read the feeds, end everything warmly, then look at what is left."""
    feeds = {school.letter: _feed(school.installed.port) for school in ground.schools}
    for process in ground.processes:
        process.ask_to_stop()
    for process in ground.processes:
        process.stop()
    truth = ground.sandbox.truth()
    verdict = Verdict()
    for school in ground.schools:
        verdict.add(school, school.house.ledger, truth, feeds[school.letter])
    verdict.texts.update(str(entry.get("provider", "twilio")) for entry in truth if entry["channel"] == "sms")
    verdict.listen(sorted(folder.glob("*/*.log")), folder / "redis.heard", truth)
    return verdict


def _told(seed: int, verdict: Verdict, faults: Faults, allowed: int, seconds: float) -> dict[str, Any]:
    return {
        "seed": seed,
        "deliveries": verdict.deliveries,
        "faults": asdict(faults),
        "lost": len(verdict.lost),
        "doubled": verdict.twice,
        "texts": dict(verdict.texts),
        "uncertain_left": verdict.uncertain_left,
        "uncertain_allowed": {"email": allowed},
        "seconds_to_settled": round(seconds, 1),
    }


def _wait_until_up(ground: Ground) -> None:
    until = time.monotonic() + READY_WITHIN.total_seconds()
    while not all(_is_well(school.installed.port) for school in ground.schools) or not all(
        process.children() for process in ground.processes if process.supervises
    ):
        if time.monotonic() > until:
            raise AssertionError(f"not up within {READY_WITHIN.seconds} s; the logs are in {ground.folder}")
        ground.tend()
        time.sleep(0.2)


def _let_loose(ground: Ground, fury: Fury, planned: Sequence[Stroke], length: timedelta) -> None:
    """Every stroke at its time; on a machine too busy for that, for half as long again until there were enough."""
    began, waiting, told_at = time.monotonic(), list(planned), 0.0
    again: list[tuple[float, Stroke]] = []
    while _goes_on(now := time.monotonic() - began, fury, length):
        ground.tend()
        fury.tend()
        while waiting and waiting[0].at.total_seconds() <= now:
            again.append((now, waiting.pop(0)))
        for due, stroke in [each for each in again if each[0] <= now]:
            again.remove((due, stroke))
            if not fury.strike(stroke):
                again.append((now + AGAIN.total_seconds(), stroke))
        if now - told_at > 5:
            told_at = now
            _say(f"{now:.0f} s of {length.seconds}: {fury.count()}, {_spoken(ground)}")
        time.sleep(TURN)


def _goes_on(now: float, fury: Fury, length: timedelta) -> bool:
    if now < length.total_seconds():
        return True
    return now < LONGEST * length.total_seconds() and bool(fury.count().short_of(least(length)))


def _settle(ground: Ground, fury: Fury) -> float:
    """Seconds from the last fault until nothing is under way in any school; more than may be when it never comes."""
    fury.rest()
    began, told_at = time.monotonic(), 0.0
    for school in ground.schools:
        school.speaker.hush()
    left = -1
    while (now := time.monotonic() - began) < GIVE_UP.total_seconds():
        ground.tend()
        spoken = all(school.speaker.join(timedelta(0)) for school in ground.schools)
        left = sum(unsettled(school.house.ledger) for school in ground.schools)
        if spoken and not left:
            return time.monotonic() - began
        if now - told_at > 5:
            told_at = now
            _say(f"{now:.0f} s after the last fault: {left} under way")
        time.sleep(TURN * 5)
    return GIVE_UP.total_seconds()


def _spoken(ground: Ground) -> str:
    return f"{sum(len(school.speaker.said) for school in ground.schools)} announcements"


def _is_well(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/healthz", timeout=3).status_code == 200
    except httpx2.HTTPError:
        return False


def _feed(port: int) -> bytes:
    return httpx2.get(f"http://127.0.0.1:{port}/feeds/school.rss", timeout=10).content


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
