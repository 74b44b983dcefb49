"""Signing in: how long it lasts, and what wants a fresh proof of who somebody is."""

from __future__ import annotations

from broker.rules.case import Family
from broker.rules.parameters import Kind, Parameter

LONGEST = "sign_in.longest"
IDLE = "sign_in.idle"
PROVE_AT = "sign_in.prove_at"
PROOF = "sign_in.proof"

PARAMETERS = (
    Parameter(
        LONGEST,
        Kind.DURATION,
        "12 h",
        "After so long anybody has to sign in again, whatever they do meanwhile.",
        "R20 (technology): a browser in a staff room is many people's",
        least="15 min",
        most="12 h",
    ),
    Parameter(
        IDLE,
        Kind.DURATION,
        "2 h",
        "Who asks for nothing for so long has to sign in again; 0 for never. A page that stands open goes on"
        " showing what it shows until sign_in.longest.",
        "R20 (technology): a browser in a staff room is many people's",
        most="12 h",
    ),
    Parameter(
        PROVE_AT,
        Kind.COUNT,
        "200",
        "To let an announcement go to as many people as this from a page, somebody has to have proved within"
        " sign_in.proof who they are; 0 for never.",
        "R2, R20 (safe use): a browser left open texts nobody's whole school",
        most="1000000",
    ),
    Parameter(
        PROOF,
        Kind.DURATION,
        "10 min",
        "How long such a proof holds.",
        "R20 (safe use)",
        least="1 min",
        most="12 h",
    ),
)

FAMILY = Family("sign_in", PARAMETERS)
