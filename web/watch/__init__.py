"""The page to watch: announcements and their deliveries, live, for the staff who answer for them; and what came back.

It changes nothing, save that an answer is called dealt with, and that a second person says yes or no.

Server-rendered HTML that works by itself; with JavaScript, the server sends the parts that changed. See
docs/watching.md and docs/decisions/ for why the ledger is polled.
"""

from __future__ import annotations

from fastapi import FastAPI

from web.routers import join
from web.watch import (
    accounts,
    announcement,
    answers,
    approvals,
    calendar,
    compose,
    imports,
    now,
    nowhere,
    people,
    record,
    rules,
    school,
    search,
    signing_in,
    staff,
    static,
    trouble,
)
from web.watch.hub import Hub


def install(app: FastAPI) -> None:
    """Add the pages to an application whose ports and settings are set."""
    app.state.hub = Hub(signing_in.ledger_of(app.state.ports))
    app.state.let_go = app.state.hub.close
    join(app, static.router, signing_in.router, accounts.router, announcement.router)
    join(app, answers.router)  # before the pages, which take any word for an announcement
    join(
        app,
        approvals.router,
        record.router,
        rules.router,
        school.router,
        search.router,
        staff.router,
        calendar.router,
        compose.router,
    )
    imports.install(app)
    join(app, people.router, now.router)
    join(app, nowhere.router)  # the last: it takes what is left
    app.add_exception_handler(signing_in.NotSignedIn, signing_in.not_signed_in)
    app.add_exception_handler(signing_in.NoPage, trouble.no_page)
