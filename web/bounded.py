"""Bodies, given up as soon as they are too long or too slow, whatever Content-Length promised."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from fastapi import HTTPException, Request

SLOWEST_BODY = timedelta(seconds=10)


async def body_of(request: Request, most: int, within: timedelta = SLOWEST_BODY) -> bytes:
    """The body, at most so many bytes, and no slower than that. Raises HTTPException 413 or 408."""
    body = bytearray()
    try:
        async with asyncio.timeout(within.total_seconds()):
            async for piece in request.stream():
                body += piece
                if len(body) > most:
                    raise HTTPException(413)
    except TimeoutError:
        raise HTTPException(408) from None
    return bytes(body)
