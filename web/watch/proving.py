"""Somebody who has been here for a while proves once more who they are, before what a browser left open must not do."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Response
from fastapi.responses import RedirectResponse

from broker.authority.signin import is_fresh
from web.watch.desk import At
from web.watch.signing_in import HEADERS, depth_of


def to_proof(at: At, to: str) -> Response:
    """To the page that asks for a proof, and back to this address afterwards."""
    where = f"{'../' * depth_of(at.request)}account/prove?to={quote(to, safe='/')}"
    return RedirectResponse(where, status_code=303, headers=HEADERS)


def proof_first(at: At, to: str) -> Response | None:
    """Where a proof is wanted: the way to it, before and not after somebody has filled in a form. None: it holds."""
    with at.ports.ledger.look() as tx:
        fresh = is_fresh(tx, at.session)
    return None if fresh else to_proof(at, to)
