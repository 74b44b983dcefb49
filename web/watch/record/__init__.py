"""The record of what was done: read, checked, handed out, and who outside holds what shows that nobody changed it."""

from __future__ import annotations

from fastapi import APIRouter

from web.watch.record import check, keeping, pages

router = APIRouter()
router.include_router(check.router)
router.include_router(keeping.router)
router.include_router(pages.router)
