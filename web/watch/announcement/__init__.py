"""One announcement: how it stands, who was told and who was not, what happened, and what can be done about it."""

from __future__ import annotations

from fastapi import APIRouter

from web.routers import join
from web.watch.announcement import knowing, pages, printing, saying, stopping, trying, words
from web.watch.paint import templates as painted

painted.filters["stage_kind"] = words.stage_kind
router = APIRouter()
for part in (pages, knowing, printing, saying, stopping, trying):
    join(router, part.router)
