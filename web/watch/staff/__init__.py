"""The staff who use Carillon: who they are, what they may do, what they sign in by."""

from __future__ import annotations

from fastapi import APIRouter

from web.routers import join
from web.watch.staff import access, forms, pages

router = APIRouter()
join(router, pages.router, forms.router, access.router)
