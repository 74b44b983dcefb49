"""The calendar: what goes out and when, what takes place, and the terms; schedules, events and reminders kept there."""

from __future__ import annotations

from fastapi import APIRouter

from web.watch.calendar import (
    bringing,
    events,
    outside,
    paint,
    reminders,
    schedule_forms,
    schedules,
    terms,
    views,
)

router = APIRouter()
paint.add_words()
router.include_router(views.router)
router.include_router(schedule_forms.router)  # before the one schedule, whose address takes any word
router.include_router(schedules.router)
router.include_router(bringing.router)  # before the one event, whose address takes any word
router.include_router(events.router)
router.include_router(reminders.router)
router.include_router(terms.router)
router.include_router(outside.router)
