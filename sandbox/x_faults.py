"""What X can be ordered to get wrong, at which of its doors, and what it answers then."""

from __future__ import annotations

from sandbox import x_shapes as shapes
from sandbox.faults import Kind
from sandbox.x_shapes import Answer

_STAGES = ("create", "delete", "me", "posts", "following", "read", "any")
_CREATE = ("create",)
KINDS: dict[str, Kind] = {
    "429": Kind(
        "Too many requests until `reset` seconds from now; not accepted", "answer", _STAGES, {"reset": 1}
    ),
    "401": Kind("Credentials not accepted", "answer", _STAGES),
    "402": Kind("No credits left; not accepted", "answer", _STAGES),
    "duplicate": Kind("403, the same was posted before; not accepted", "answer", _CREATE),
    "not-permitted": Kind("403, not permitted; not accepted", "answer", _STAGES),
    "read-only": Kind("403, the app may not write; not accepted", "answer", _STAGES),
    "suspended": Kind("403, the account is suspended; not accepted", "answer", _STAGES),
    "locked": Kind("403, the account is locked; not accepted", "answer", _STAGES),
    "invalid": Kind("400, the request cannot be taken; not accepted", "answer", _STAGES),
    "503": Kind("Service unavailable; not accepted", "answer", _STAGES),
    "500-before-accept": Kind("Internal error; not accepted", "answer", _STAGES),
    "500-after-accept": Kind("Internal error, and yet accepted", "answer", _STAGES),
    "503-after-accept": Kind("Service unavailable, and yet accepted", "answer", _STAGES),
    "reset-before-accept": Kind("TCP reset; not accepted", "answer", _STAGES),
    "reset-after-accept": Kind("TCP reset, and yet accepted", "answer", _STAGES),
    "hang-before-accept": Kind(
        "Silent for `ms`, then reset; not accepted", "answer", _STAGES, {"ms": 30_000}
    ),
    "hang-after-accept": Kind("Silent for `ms`, then reset; accepted", "answer", _STAGES, {"ms": 30_000}),
    "slow": Kind("Accepts at once, answers after `ms`", "answer", _STAGES, {"ms": 2000}),
    "slow-accept": Kind(
        "Accepts and answers after `ms`, even if hung up on", "answer", _CREATE, {"ms": 2000}
    ),
    "bad-json": Kind("Accepts, and answers 201 with what is no JSON", "answer", _STAGES),
    "truncated": Kind("Accepts, and hangs up in the middle of the answer", "answer", _STAGES),
    "latency": Kind("Every fair answer takes `ms` longer", "latency", ("any", *_STAGES[:-1]), {"ms": 50}),
}
REFUSALS: dict[str, Answer] = {
    "429": shapes.TOO_MANY,
    "401": shapes.UNAUTHORIZED,
    "402": shapes.NO_CREDITS,
    "duplicate": shapes.DUPLICATE,
    "not-permitted": shapes.NOT_PERMITTED,
    "read-only": shapes.READ_ONLY,
    "suspended": shapes.SUSPENDED,
    "locked": shapes.LOCKED,
    "invalid": shapes.invalid("One or more parameters to your request was invalid."),
    "503": shapes.AWAY,
    "503-after-accept": shapes.AWAY,
    "500-before-accept": shapes.BROKEN,
    "500-after-accept": shapes.BROKEN,
}
AFTER_ACCEPT = {"500-after-accept", "503-after-accept"}
NO_JSON = b'{"data": {"id": "'
