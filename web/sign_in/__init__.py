"""Signing in and one's own account: passwords, codes, providers, sessions. See docs/sign-in.md.

Sessions, cookies and forms are those of every page (`web.watch.signing_in`).
"""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from config.settings import Settings
from config.vault import vault_of
from web.routers import join
from web.sign_in import account, entry, outside
from web.watch.signing_in import HEADERS


def install(app: FastAPI) -> None:
    """Add the pages to an application whose ports and settings are set."""
    settings: Settings = app.state.settings
    app.state.vault = vault_of(app.state.ports)
    app.state.providers = outside.providers_of(settings)
    join(app, entry.router, outside.router, account.router)
    app.add_exception_handler(entry.ElsewhereNext, _elsewhere)


async def _elsewhere(request: Request, error: Exception) -> Response:
    assert isinstance(error, entry.ElsewhereNext)  # noqa: S101 - registered for it alone
    return RedirectResponse(error.where, status_code=303, headers=HEADERS)
