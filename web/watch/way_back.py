"""Where somebody wanted to go who had to sign in first: kept with them, sealed, and for a while."""

from __future__ import annotations

import base64
import binascii
import re
import time

from fastapi import Request

from broker.ports import Vault

PURPOSE = "wanted"
LASTS = 900  # seconds that somebody may take to sign in
MOST = 200  # characters of an address
ANY = "/watch/{rest:path}"  # the route that takes what no page has
# A page's address below the root. A dot begins no part of it, and nothing is written in another way, so that it is what
# it looks like; what is asked of a page stands behind it as forms write it.
PAGE = re.compile(
    r"watch(?!/(?:sign-in|sign-out|events|static)(?:[/?]|\Z))(?:/[A-Za-z0-9][A-Za-z0-9_.-]*){1,5}"
    r"(?:\?(?:[A-Za-z0-9_.=&+-]|%[0-9A-Fa-f]{2})*)?"
)


def is_a_page(to: str) -> bool:
    """Whether this can be nothing but a page of ours that somebody opens: no scheme, no host, no way up or out."""
    return len(to) <= MOST and PAGE.fullmatch(to) is not None


def wanted(request: Request) -> str:
    """The page that a browser was about to show; "" for a part of one, a form, or what only a form is sent to."""
    route = getattr(request.scope.get("route"), "path", ANY)
    shown = request.headers.get("sec-fetch-mode", "navigate") == "navigate"
    if request.method != "GET" or route == ANY or not shown or "hx-request" in request.headers:
        return ""
    asked: str = request.scope["path"].removeprefix("/")
    query = request.scope["query_string"].decode("latin-1")
    whole = f"{asked}?{query}" if query and "done=" not in query else asked  # what was done is not done again
    return next((to for to in (whole, asked) if "?" not in asked and is_a_page(to)), "")


def sealed(vault: Vault, to: str) -> str:
    """For a cookie: another site of the same domain cannot make one."""
    return base64.urlsafe_b64encode(vault.seal(PURPOSE, f"{int(time.time())} {to}")).decode()


def unsealed(vault: Vault, kept: str) -> str:
    """The page that was sealed a short while ago; "" for everything else."""
    try:
        text = vault.unseal(PURPOSE, base64.urlsafe_b64decode(kept.encode("ascii", "replace")))
    except (binascii.Error, ValueError):
        return ""
    since, _, to = (text or "0 ").partition(" ")
    return to if 0 <= time.time() - int(since) <= LASTS and is_a_page(to) else ""
