"""The staff who use Carillon: who they are, what they may do, what they sign in by."""

from __future__ import annotations

from fastapi import APIRouter

from web.watch.staff import access, forms, pages

router = APIRouter()
router.include_router(pages.router)
router.include_router(forms.router)
router.include_router(access.router)
