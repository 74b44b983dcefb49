"""What waits for a second person: announcements, what is said again and again, and what went out without one."""

from __future__ import annotations

from fastapi import APIRouter

from web.routers import join
from web.watch.approvals import deciding, pages, repeated, wording

router = APIRouter()
join(router, pages.router, repeated.router, deciding.router, wording.router)
