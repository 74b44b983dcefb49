"""What waits for a second person: announcements, what is said again and again, and what went out without one."""

from __future__ import annotations

from fastapi import APIRouter

from web.watch.approvals import deciding, pages, repeated, wording

router = APIRouter()
router.include_router(pages.router)
router.include_router(repeated.router)
router.include_router(deciding.router)
router.include_router(wording.router)
