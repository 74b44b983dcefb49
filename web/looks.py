"""How the public pages look: their templates, and their styles with the hash by which a policy lets each of them in."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

from config.settings import Settings
from web.templating import templates_in

templates = templates_in()


def _day(moment: datetime) -> str:
    return f"{moment:%a} {moment.day} {moment:%b}"


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M}"


templates.filters |= {"day": _day, "clock": _clock}
STATIC = Path(__file__).parent / "static"
SCREEN_SCRIPT = (STATIC / "screen.js").read_bytes()
PUSH_SCRIPTS = {
    "page.js": (STATIC / "push.js").read_bytes(),
    "worker.js": (STATIC / "push_worker.js").read_bytes(),
}


def _style(name: str) -> str:
    return templates.get_template(name).render().strip()


STYLES: Mapping[str, str] = {name: _style(f"{name}.css") for name in ("public", "widget", "screen")}


def source_of(style: str) -> str:
    """A style as a policy names it: by what it holds, so that no other passes for it."""
    digest = hashlib.sha256(STYLES[style].encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def page(settings: Settings, template: str, *, style: str = "public", **values: Any) -> str:
    """A page in one of the styles, everything in it escaped."""
    shown = {
        "language": settings.school.locale,
        "school": settings.school.name,
        "style": Markup(STYLES[style]),  # noqa: S704 - ours
        **values,
    }
    return templates.get_template(template).render(shown)
