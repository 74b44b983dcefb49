"""The house rules, the hours for sending, budgets, and what is held for the law."""

from __future__ import annotations

from fastapi import APIRouter

from web.watch.rules import forms, holds, money, pages

router = APIRouter()
router.include_router(holds.router)  # fixed words before the name of a rule
router.include_router(pages.router)
router.include_router(forms.router)
router.include_router(money.router)
