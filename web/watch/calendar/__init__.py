"""The calendar: what goes out and when, what takes place, and the terms; schedules, events and reminders kept there."""

from __future__ import annotations

from fastapi import APIRouter

from web.watch.calendar import paint, views

router = APIRouter()
paint.add_words()
router.include_router(views.router)
