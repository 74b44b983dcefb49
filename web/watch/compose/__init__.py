"""Writing an announcement, from a template or blank; looking at it as it would be sent, sending it; and templates."""

from __future__ import annotations

from fastapi import APIRouter

from web.watch.compose import pages, templates, words, writing
from web.watch.paint import templates as painted

painted.filters["dear"] = words.marked
router = APIRouter()
router.include_router(pages.router)
router.include_router(writing.router)
router.include_router(templates.router)
