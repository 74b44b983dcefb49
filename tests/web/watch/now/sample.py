"""A house with something of everything on its first page: a fortnight of figures, money, a live send, and concerns."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import insert

from broker import accounts
from broker.actor import SYSTEM
from broker.announcement import Announcement
from broker.delivery import State
from broker.figures import FAILED, span_of
from broker.money import month_of
from ledger import tables as t
from tests.support.watching import Watched
from web.watch.now.topic import months_until


def fill(watched: Watched) -> Announcement:
    """Everything; the announcement that is going out."""
    done = watched.plan(watched.announce("Sports day is on Friday"))
    watched.move(done, State.SENT, 6)
    live = watched.plan(watched.announce("Year 7: bring a coat tomorrow"))
    watched.move(live, State.SENT, 3)
    watched.move(live, State.REJECTED, 1, "21211", "the number is not in use")
    watched.move(live, State.UNCERTAIN, 1, "timeout", "the answer did not come")
    watched.announce("Choir rehearsal moves to the hall")
    ports = watched.tower.house.ports
    accounts.pause(ports, "tower", "the bill is too high", actor=SYSTEM)
    with watched.ledger.begin() as tx:
        now = tx.now
        tx.sweeps.raise_alarm(
            "licence_lapsing", "tower", "it lapses on 1 December: carillon licence renew tower"
        )
        tx.sweeps.raise_alarm("timetable_silent", "gpu", "the timetable gpu tells nothing new since Thursday")
    figures_of(watched, now)
    return live


def figures_of(watched: Watched, now: datetime) -> None:
    """What a fortnight and half a year come to."""
    with watched.ledger.begin() as tx:
        run = tx.hand.connection.execute
        office = run(t.department.select()).first()
        account = run(t.account.select()).first()
        assert office is not None
        assert account is not None
        for day in range(14):
            for hour in range(8, 18):
                when = f"{(now - timedelta(days=13 - day)):%Y-%m-%d} {hour:02}"
                for place, channel in enumerate(("sms", "email", "bell")):
                    for took in (span_of(2), span_of(40), FAILED):
                        n = (
                            (day * 7 + hour * 3 + place * 5 + took) % 23
                            if took != FAILED
                            else (day + hour) % 3
                        )
                        if n:
                            row = {
                                "hour": when,
                                "department_id": office.id,
                                "channel": channel,
                                "took": took,
                                "n": n,
                            }
                            run(insert(t.figure).values(**row))
        for place, month in enumerate(months_until(month_of(now, "Europe/London"), 8)):
            spent = {"department_id": office.id, "account_id": account.id, "month": month}
            run(insert(t.spend).values(**spent, cost=(40 + place * 9) * 1_000_000))
        tx.money.set_budget(office.slug, "", 100_000_000, by="Mrs Bell")
