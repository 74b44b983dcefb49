"""What the bench makes of what it measured: the windows of a pace, the tenths of a run, the gates, and the JSON."""

from __future__ import annotations

import json

import pytest

from bench.compare import Comparison, Played, Series, Spread
from bench.findings import RATIOS, Findings
from bench.million import Moment, Run
from bench.pace import judged
from bench.tell import bar
from bench.urgent import Firsts

CONDITIONS = {"date": "", "run": "quick", "cores": 2, "load_before": [0.0]}


def played(rate: float, *, cpu: float = 0.1, stand_in: float = 0.0, statements: int = 0) -> Played:
    return Played(1_000, 1_000 / rate, cpu, stand_in_cpu=stand_in * 1_000 / rate, statements=statements)


def test_turns_that_come_evenly_keep_a_pace_to_the_last_one() -> None:
    kept = judged(10, [n / 10 for n in range(700)])
    assert kept.most == 101
    assert kept.mean == pytest.approx(10, abs=0.05)
    assert kept.holds


def test_one_more_than_a_window_allows_is_found_wherever_it_begins() -> None:
    times = sorted([*(n / 10 for n in range(700)), 33.333])
    assert judged(10, times).most == 102
    assert not judged(10, times).holds


def test_a_pace_that_is_not_used_is_broken_too() -> None:
    assert not judged(10, [n / 9 for n in range(700)]).holds


def test_tenths_are_cut_where_the_deliveries_were_not_where_somebody_looked() -> None:
    def cpu(sent: float) -> float:
        return sent * 0.001 if sent <= 900 else 0.9 + (sent - 900) * 0.002

    moments = [
        Moment(n * 0.7, sent, cpu(sent), 100.0 + n) for n, sent in enumerate((0, 150, 420, 900, 1_000))
    ]
    run = Run(1_000, 50, 20.0, moments)
    assert run.tenth(2)[1] == pytest.approx(1_000)
    assert run.tenth(10)[1] == pytest.approx(2_000)
    assert run.slower == pytest.approx(2.0)
    assert not run.holds
    assert run.grown_mb == pytest.approx(104 - run.at(100).rss_mb)


def test_every_turn_plays_every_side_once_and_who_begins_changes() -> None:
    order: list[str] = []

    def side(name: str) -> Played:
        order.append(name)
        return played(100)

    series = Series({name: lambda name=name: side(name) for name in ("a", "b", "c")}).play(4)  # type: ignore[misc]
    assert [sorted(order[n : n + 3]) for n in range(0, 12, 3)] == [["a", "b", "c"]] * 4
    assert len({order[n] for n in range(0, 12, 3)}) > 1
    assert [sorted(turn) for turn in series.turns] == [["a", "b", "c"]] * 4


def test_a_ratio_is_taken_turn_by_turn_and_its_spread_told() -> None:
    one = Comparison(
        "texts", 0.85, [played(80), played(90), played(50)], [played(100), played(100), played(100)]
    )
    assert one.ratio == Spread.of([0.8, 0.9, 0.5])
    assert (one.ratio.median, one.ratio.lowest, one.ratio.highest) == pytest.approx((0.8, 0.5, 0.9))


def test_a_stand_in_that_was_the_limit_voids_the_bare_side_alone() -> None:
    busy = [played(100, stand_in=0.8)]
    assert Comparison("mails", 0.6, [played(50)], busy, limit=True).void
    assert not Comparison("mails, Apprise", 5, [played(50)], busy).void


def test_the_json_is_what_others_read() -> None:
    found = Findings(CONDITIONS)
    found.comparisons = {name: Comparison(name, 1.0, [played(50)], [played(100)]) for name in RATIOS}
    found.ours = {"sms": [played(50, statements=40)], "email": [played(50, statements=200)]}
    found.memory = {1_000: 110.0, 20_000: 112.5}
    found.urgent = {"compose": Firsts([0.1] * 9 + [0.4], 2_000.0)}
    told = json.loads(found.as_json())
    assert list(told) == [
        "ratios", "cpu_ratio", "per_delivery", "worker_rss_growth_mb", "urgent_first_send_s", "void",
    ]  # fmt: skip
    assert list(told["ratios"]) == list(RATIOS)
    assert told["cpu_ratio"] == {"sms": 1.0, "email": 1.0}
    assert told["per_delivery"] == {"sql_sms": 0.04, "sql_email": 0.2, "messages": 0.0}
    assert told["worker_rss_growth_mb"] == 2.5
    assert told["urgent_first_send_s"] == {"p50": 0.1, "p99": 0.4}
    assert told["void"] is False


def test_gates_are_counts_and_memory_and_never_a_ratio() -> None:
    found = Findings(CONDITIONS)
    found.comparisons = {"sms_vs_bare": Comparison("texts", 0.85, [played(1)], [played(100)])}
    found.ours = {"sms": [played(50, statements=40)]}
    assert list(found.broken()) == []
    found.ours = {"sms": [played(50, statements=60)]}
    found.memory = {1_000: 100.0, 20_000: 151.0}
    assert list(found.broken()) == [
        "sql_sms is 0.06, and may be 0.05 at most",
        "worker_rss_growth_mb is 51.0, and may be 50.0 at most",
    ]


def test_a_bar_stands_beside_its_aim_and_is_cut_where_it_is_far_beyond() -> None:
    assert bar(0.5, 1.0) == "█████"
    assert bar(0.55, 1.0) == "█████▌"
    assert bar(9, 1.0) == "█" * 15 + "›"
