"""Writing an announcement, from a template or blank; looking at it as it would be sent, sending it; and templates."""

from __future__ import annotations

from fastapi import APIRouter

from web.routers import join
from web.watch.compose import pages, templates, words, writing
from web.watch.paint import templates as painted

painted.filters["dear"] = words.marked
router = APIRouter()
join(router, pages.router, writing.router, templates.router)
