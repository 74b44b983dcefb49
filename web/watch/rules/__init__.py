"""The house rules, the hours for sending, budgets, and what is held for the law."""

from __future__ import annotations

from fastapi import APIRouter

from web.routers import join
from web.watch.rules import forms, holds, money, pages

router = APIRouter()
join(router, holds.router)  # fixed words before the name of a rule
join(router, pages.router, forms.router, money.router)
