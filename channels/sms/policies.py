"""The channel's own rules. None beyond the house's yet: length is judged at intake, opt-out and consent everywhere.

To come: a promotional text needs a sender that can receive STOP, which a name as sender cannot.
"""

from __future__ import annotations

from broker.policy import Policy

POLICIES: tuple[Policy, ...] = ()
