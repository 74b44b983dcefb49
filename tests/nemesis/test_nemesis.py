"""The nemesis' own parts: what it plans, what weather it makes, what it calls enough, and that it hears what leaks."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.faults import FaultBook
from sandbox.server import CATALOGUE
from tests.nemesis import long, weather
from tests.nemesis.eavesdrop import Eavesdropper, said
from tests.nemesis.plan import DATABASE, GONE_BEFORE, KILLS, REDIS, Act, Faults, least, strokes
from tests.nemesis.town import EVERYBODY, WORDS, build
from tests.nemesis.verdict import Verdict
from tests.support.installed import wait_until
from tests.support.redis import RedisServer

THREE = timedelta(minutes=3)


@pytest.mark.parametrize("length", [timedelta(minutes=1), THREE])
@pytest.mark.parametrize("seed", range(5))
def test_a_plan_has_more_of_every_fault_than_a_run_must_come_to(seed: int, length: timedelta) -> None:
    drawn = Counter(stroke.act for stroke in strokes(seed, length))
    wanted = least(length)
    for acts, n in ((KILLS, wanted.sigkill), (DATABASE, wanted.database), (REDIS, wanted.redis)):
        assert sum(drawn[act] for act in acts) > n


def test_a_plan_is_its_seeds_and_has_every_act() -> None:
    assert strokes(7, THREE) == strokes(7, THREE) != strokes(8, THREE)
    assert {stroke.act for stroke in strokes(7, THREE)} == set(Act)


def test_a_machine_goes_early_enough_for_its_leases_to_end_in_time() -> None:
    gone = [stroke.at for stroke in strokes(7, THREE) if stroke.act is Act.KILL_HOST]
    assert gone
    assert max(gone) < THREE * GONE_BEFORE + timedelta(seconds=3)


def test_a_short_run_must_come_to_its_share_and_says_what_it_lacks() -> None:
    assert least(THREE) == Faults(40, 5, 3, 300)
    assert least(timedelta(minutes=1)) == Faults(14, 2, 1, 100)
    assert Faults(40, 4, 3, 300).short_of(least(THREE)) == ["only 4 database faults, at least 5 are wanted"]


@pytest.mark.parametrize("draw", [0.0, 0.3, 0.7, 0.99])
def test_the_sandbox_knows_every_fault_of_any_weather(draw: float) -> None:
    FaultBook(CATALOGUE).order(weather.orders(draw, beyond=True))


def test_fair_answers_that_take_a_moment_are_no_faults() -> None:
    assert weather.given({"twilio:latency:any": 900, "twilio:429:create": 2, "smtp:lost:data": 1}) == 3


def test_only_a_mail_handed_over_whole_has_a_reply_to_lose() -> None:
    struck = {"smtp:lost:dot": 1, "smtp:lost-after-dot:dot": 2, "smtp:lost:data": 4, "smtp:reply:dot": 8}
    assert weather.lost_replies(struck) == 3


def test_a_town_tells_who_is_reached_through_which_group() -> None:
    town = build(1, 400, 30)
    assert town.expected("rss", "Choir") == {""}
    assert town.expected("sms", "Snow") <= town.expected("sms", EVERYBODY)
    assert all(number.startswith("+447400") for number in town.expected("sms", EVERYBODY))
    assert build(1, 400, 30) == town != build(2, 400, 30)


def test_seeds_are_added_up_until_there_are_enough_of_every_fault() -> None:
    one = {
        "seed": 1, "deliveries": 6_000, "lost": 0, "doubled": 0, "seconds_to_settled": 40.0,
        "faults": {"sigkill": 500, "database": 50, "redis": 15, "provider": 1_500},
        "uncertain_left": {"sms": 0, "twitter": 0, "email": 9},
    }  # fmt: skip
    assert not long.enough(long.totals({"1": one}))
    both = long.totals({"1": one, "2": one})
    assert (both["deliveries"], both["sigkill"], both["uncertain_email"]) == (12_000, 1_000, 18)
    assert long.enough(both)


@pytest.mark.runs_on("redis")
def test_what_goes_through_redis_is_overheard_even_when_it_was_killed(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    heard = tmp_path / "heard"
    listening = Eavesdropper(redis_server, heard)
    listening.start()
    try:
        for word in ("before", "after"):
            _until_heard(redis_server, heard, word)
            if word == "before":
                redis_server.kill()
                redis_server.restart()
    finally:
        listening.stop()


def test_a_wording_in_a_log_or_inside_a_message_is_found(tmp_path: Path) -> None:
    clean, leaky, heard = tmp_path / "clean.log", tmp_path / "leaky.log", tmp_path / "heard"
    clean.write_text("deliver texts failed: OperationalError\n")
    leaky.write_text(f"sending {WORDS} to +447400000100\n")
    heard.write_bytes(b'"LPUSH" "sms" "{\\"body\\": \\"W1siVEVYVFMiLCAidG9rZW4tMSJdXQ==\\"}"\n')
    verdict = Verdict()
    verdict.listen(
        [clean, leaky], heard, [{"channel": "sms", "key": "http://127.0.0.1:1/callbacks/texts/token-1"}]
    )
    assert len(verdict.broken) == 3
    assert not any("clean.log" in fault for fault in verdict.broken)
    assert "TEXTS" in said(heard)


def _until_heard(server: RedisServer, heard: Path, word: str) -> None:
    def spoken() -> bool:
        with server.client() as client:
            client.set("word", word)
        return heard.exists() and word in said(heard)

    wait_until(spoken, within=timedelta(seconds=30), what=f"{word} is overheard")
