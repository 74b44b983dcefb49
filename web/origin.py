"""Whether a request that changes something comes from a page of our own: a browser says so, and no page forges that."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request


def is_ours(request: Request) -> bool:
    """By Origin, or where a browser sends none, by Sec-Fetch-Site."""
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site") == "same-origin"
    public = urlsplit(request.app.state.settings.public_url or "")
    came = urlsplit(origin)
    ours = {request.headers.get("host", "").lower(), public.netloc.lower()}
    if came.scheme not in {"http", "https"} or came.netloc.lower() not in ours - {""}:
        return False
    in_the_clear = public.scheme == "https" and came.scheme != "https"
    return not (in_the_clear and came.netloc.lower() == public.netloc.lower())
