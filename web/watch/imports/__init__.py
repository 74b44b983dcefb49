"""Importing: choose a file, see what it would change, take it in or throw it away; how own columns are read."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from config.importing import Importing
from web.routers import join
from web.watch.imports import forms, mapping, pages
from web.watch.signing_in import ledger_of

router = APIRouter()
join(router, mapping.router)  # before the pages, which take any word for a staged import
join(router, pages.router, forms.router)


def install(app: FastAPI) -> None:
    """Add the pages, and the one worker that reads for them."""
    ports = app.state.ports
    app.state.importing = Importing(ports, ledger_of(ports), app.state.settings.school.region)
    join(app, router)
