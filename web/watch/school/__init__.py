"""The school: its settings as they stand, keys for programs, how long things are kept, the doctor, the switches."""

from __future__ import annotations

from fastapi import APIRouter

from web.routers import join
from web.watch.school import doctor, pages, switches, tokens, webhooks

router = APIRouter()
for each in (pages, tokens, webhooks, doctor, switches):
    join(router, each.router)
