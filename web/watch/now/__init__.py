"""What needs action first, what is going out, how each way stands; all announcements; and the figures."""

from __future__ import annotations

from fastapi import APIRouter

from web.routers import join
from web.watch.now import charts, listing, pages

router = APIRouter()
join(router, pages.router, listing.router, charts.router)
