"""The calendar: what goes out and when, what takes place, and the terms; schedules, events and reminders kept there."""

from __future__ import annotations

from fastapi import APIRouter

from web.routers import join
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
join(router, views.router)
join(router, schedule_forms.router)  # before the one schedule, whose address takes any word
join(router, schedules.router)
join(router, bringing.router)  # before the one event, whose address takes any word
join(router, events.router, reminders.router, terms.router, outside.router)
