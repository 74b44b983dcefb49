"""What needs action first, what is going out, how each way stands; all announcements; and the figures."""

from __future__ import annotations

from fastapi import APIRouter

from web.watch.now import charts, listing, pages

router = APIRouter()
router.include_router(pages.router)
router.include_router(listing.router)
router.include_router(charts.router)
