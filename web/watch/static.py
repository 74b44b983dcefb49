"""The style sheet and the script, served by us: named by what they hold, so that a browser keeps them for ever."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fastapi import APIRouter, HTTPException, Response

router = APIRouter()
FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
FILES = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.suffix in TYPES}
EDITION = hashlib.sha256(b"".join(FILES[name] for name in sorted(FILES))).hexdigest()[:12]
KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}


@router.get("/watch/static/{edition}/{name}")
async def static(edition: str, name: str) -> Response:
    """One file."""
    if edition != EDITION or name not in FILES:
        raise HTTPException(404)
    return Response(FILES[name], media_type=TYPES[Path(name).suffix], headers=KEPT)
