"""Accounts: whether each may speak, what is settled about it, what it sent lately, and how to stop it."""

from __future__ import annotations

from fastapi import APIRouter

from web.routers import join
from web.watch.accounts import angles, forms, letters, links, pages, renewing

router = APIRouter()
for each in (letters, pages, forms, angles, renewing, links):
    join(router, each.router)
