"""What every page of the calendar knows: who may change what is kept in it."""

from __future__ import annotations

from broker.authority import operators

WRITES = operators.ACTS
