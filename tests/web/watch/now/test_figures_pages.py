"""The figures: each chart has its table, and every number of it is there to be read."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from sqlalchemy import insert

from broker.figures import FAILED, span_of
from ledger import tables as t
from ledger.reads.figures import Figures, Sent
from tests.support.watching import Watched
from web.watch.now.charted import (
    MOST_CHANNELS,
    a_second,
    days_until,
    lasting,
    of_days,
    of_hours,
    of_spend,
    of_times,
)
from web.watch.now.topic import months_until


class Table(HTMLParser):
    """The rows of a chart's table, as they are read."""

    def __init__(self, html: str, chart: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.cell = False
        self.feed(html.split(f'id="{chart}"')[1].split("</table>", maxsplit=1)[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in {"th", "td"}:
            self.rows[-1].append("")
            self.cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"th", "td"}:
            self.cell = False

    def handle_data(self, data: str) -> None:
        if self.cell:
            self.rows[-1][-1] += data


@pytest.fixture
def counted(watched: Watched) -> Watched:
    """Two texts and a failure of this morning, a mail of yesterday."""
    with watched.ledger.begin() as tx:
        run, today = tx.hand.connection.execute, tx.now
        office = run(t.department.select()).first()
        account = run(t.account.select()).first()
        assert office is not None
        assert account is not None
        before = today - timedelta(days=1)
        for hour, channel, took, n in (
            (f"{today:%Y-%m-%d} 08", "sms", span_of(3), 2),
            (f"{today:%Y-%m-%d} 09", "sms", FAILED, 1),
            (f"{before:%Y-%m-%d} 17", "email", span_of(3), 1_200),
        ):
            run(insert(t.figure).values(hour=hour, department_id=office.id, channel=channel, took=took, n=n))
        month = f"{today:%Y-%m}"
        run(
            insert(t.spend).values(
                department_id=office.id, account_id=account.id, month=month, cost=12_400_000
            )
        )
        tx.money.set_budget(office.slug, "", 100_000_000, by="Mrs Bell")
    return watched


def test_a_fortnight_by_its_days_each_leading_to_its_hours(counted: Watched) -> None:
    html = counted.get("/watch/figures")
    table = Table(html, "chart-1").rows
    assert table[0] == ["Day", "Emails", "Text messages", "Did not go"]
    assert len(table) == 15
    assert table[-1][1:] == ["Emails: 0", "Text messages: 2", "Did not go: 1"]
    assert table[-2][1:] == ["Emails: 1,200", "Text messages: 0", "Did not go: 0"]
    assert 'data-value="1200"' in html
    day = re.findall(r'href="\.\./watch/figures\?day=([0-9-]+)"', html)[-1]
    hours = Table(counted.get(f"/watch/figures?day={day}"), "chart-1").rows
    assert len(hours) == 25
    assert hours[9][0] == "08:00 to 08:59"
    assert [row[1] for row in hours[9:11]] == ["Text messages: 2", "Text messages: 0"]
    assert [row[2] for row in hours[9:11]] == ["Did not go: 0", "Did not go: 1"]


def test_how_long_it_took_and_what_was_spent_stand_in_words_and_in_money(counted: Watched) -> None:
    html = counted.get("/watch/figures")
    times = Table(html, "chart-2").rows
    assert times[-1][1].startswith("Half had gone within: ")
    assert "second" in times[-1][1]
    assert times[1][1].endswith("–")
    money = Table(html, "chart-money").rows
    assert len(money) == 13
    assert money[-1][1:] == ["Spent: £12.40", "Budget: £100.00"]
    assert "£12.40</b> spent this month of £100.00, 12%" in counted.get("/watch")


def test_one_goes_back_and_comes_no_further_than_today(counted: Watched) -> None:
    html = counted.get("/watch/figures")
    assert "Later" not in html
    earlier = re.search(r'href="(\?until=[^"&]+)"', html)
    assert earlier
    back = counted.get(f"/watch/figures{earlier[1]}")
    assert "Nothing was sent in this time." in back
    assert f"?until={datetime.now(UTC):%Y-%m-%d}" in back


def test_a_department_that_is_not_there_has_no_figures(counted: Watched) -> None:
    assert counted.client.get("/watch/figures?department=chess").status_code == 404


def test_more_channels_than_anybody_tells_apart_are_one() -> None:
    sent = Sent()
    for n in range(MOST_CHANNELS + 3):
        sent.went[f"way{n}"] = 100 - n
    chart = of_days(Figures({"2026-11-23": sent}, {}, {}), [date(2026, 11, 23)])
    assert [one.name for one in chart.series][-2:] == ["Others", "Did not go"]
    assert len(chart.series) == MOST_CHANNELS + 2
    assert chart.rows[0].cells[-2].value == (100 - 5) + (100 - 6) + (100 - 7)


def test_a_chart_without_anything_says_so() -> None:
    nothing = Figures({}, {}, {})
    days = days_until(datetime(2026, 11, 23, 23, 30, tzinfo=UTC), "Europe/Paris")
    assert days[-1] == date(2026, 11, 24)
    charts = [
        of_days(nothing, days),
        of_times(nothing, days),
        of_hours(nothing, days[0]),
        of_spend(nothing, ["2026-11"], "GBP"),
    ]
    assert all(chart.empty for chart in charts)


def test_money_is_written_beside_a_chart_as_the_school_writes_it() -> None:
    found = Figures({}, {"2026-11": Decimal("3.5")}, {})
    assert of_spend(found, ["2026-11"], "GBP").unit == "£"
    assert of_spend(found, ["2026-11"], "CHF").unit == "CHF"
    assert of_spend(found, ["2026-11"], "CHF").rows[0].cells[0].text == "3.50 CHF"


def test_lengths_and_speeds_in_words() -> None:
    lengths = {
        0.4: "less than a second",
        1: "1 second",
        90: "90 seconds",
        150: "2 minutes",
        7300: "2 hours",
        200_000: "2 days",
    }
    assert {seconds: lasting(timedelta(seconds=seconds)) for seconds in lengths} == lengths
    assert [a_second(count) for count in (0.5, 1, 2.5, 1000)] == [
        "30 a minute", "1 a second", "2.5 a second", "1,000 a second",
    ]  # fmt: skip


def test_months_go_back_over_the_new_year() -> None:
    assert months_until("2026-02", 4) == ["2025-11", "2025-12", "2026-01", "2026-02"]
