"""The channel's own rules: none per delivery beyond the house's; what a card must be, `render` says."""

from __future__ import annotations

from broker.policy import Policy

POLICIES: tuple[Policy, ...] = ()
