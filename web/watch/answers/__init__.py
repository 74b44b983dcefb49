"""What people wrote back: what nobody has read stands first; one at a time is opened, on purpose, and dealt with."""

from __future__ import annotations

from fastapi import APIRouter

from web.routers import join
from web.watch.answers import forms, pages

router = APIRouter()
join(router, pages.router, forms.router)
