"""Search: one box over announcements and people.

The box sends a form, so that no name stands in an address: those are kept by proxies, browsers and logs.
"""

from __future__ import annotations

from fastapi import APIRouter

from web.routers import join
from web.watch.search import pages

router = APIRouter()
join(router, pages.router)
