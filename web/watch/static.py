"""The style sheets and the scripts, served by us: named by what they hold, so that a browser keeps them for ever."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

from web.conditional import takes_gzip

router = APIRouter()
FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
FILES = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.suffix in TYPES}
EDITION = hashlib.sha256(b"".join(FILES[name] for name in sorted(FILES))).hexdigest()[:12]
# They are nobody's secret, so packing them tells nothing; a page with a secret in it is never packed.
PACKED = {name: gzip.compress(body, mtime=0) for name, body in FILES.items()}
KEPT = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


@router.get("/watch/static/{edition}/{name}")
async def static(edition: str, name: str, request: Request) -> Response:
    """One file, packed for whoever can unpack it."""
    if edition != EDITION or name not in FILES:
        raise HTTPException(404)
    packed = takes_gzip(request.headers)
    headers = KEPT | ({"Content-Encoding": "gzip"} if packed else {})
    return Response((PACKED if packed else FILES)[name], media_type=TYPES[Path(name).suffix], headers=headers)
