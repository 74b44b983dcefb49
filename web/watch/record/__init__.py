"""The record of what was done: read, checked, handed out, and who outside holds what shows that nobody changed it."""

from __future__ import annotations

from fastapi import APIRouter

from web.routers import join
from web.watch.record import check, keeping, pages

router = APIRouter()
join(router, check.router, keeping.router, pages.router)
