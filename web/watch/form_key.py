"""The key by which a form that is sent however often does its work once."""

from __future__ import annotations

import re
import secrets

from web.watch.desk import Form

LENGTH = 24
KEY = re.compile(r"[A-Za-z0-9_-]{1,63}")


def new_key() -> str:
    """For a form that nobody has sent yet."""
    return f"page-{secrets.token_urlsafe(LENGTH)[:LENGTH]}"


def key_of(form: Form) -> str:
    """The one that a form brings back; a new one where it brings none, or nonsense."""
    return form["key"] if KEY.fullmatch(form["key"]) else new_key()
