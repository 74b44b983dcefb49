"""Rules, licences, approvals and money

Revision: 0003, after 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add parameters of the rules, licences, approvals, spend, and heads of the record."""
    _licences()


def downgrade() -> None:
    """None: a school goes back by restoring its backup, never by throwing what it sent away."""


def _licences() -> None:
    """What a school has settled about its accounts, and what was found on them."""
    op.create_table('licence',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('stands_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lacking', sa.Text(), server_default='', nullable=False),
    sa.Column('lapsing', sa.Text(), server_default='', nullable=False),
    sa.Column('lapsed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('judged_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_licence_account_id')),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_licence'))
    )
    op.create_table('licence_version',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('specimen', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('made_by', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_licence_version_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_licence_version')),
    sa.UniqueConstraint('account_id', 'version', name=op.f('uq_licence_version_account_id_version'))
    )
    op.create_table('licence_warning',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('lapses_on', sa.Date(), autoincrement=False, nullable=False),
    sa.Column('days', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('mailed', sa.Text(), server_default='', nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_licence_warning_account_id')),
    sa.PrimaryKeyConstraint('account_id', 'lapses_on', 'days', name=op.f('pk_licence_warning'))
    )
    op.create_table('account_watch',
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('failures', sa.Integer(), server_default='0', nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_account_watch_account_id')),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_account_watch'))
    )
    op.create_table('found_post',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('provider_id', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('posted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('found_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('carried', sa.Text(), nullable=True),
    sa.Column('why_not', sa.Text(), server_default='', nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_found_post_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_found_post')),
    sa.UniqueConstraint('account_id', 'provider_id', name=op.f('uq_found_post_account_id_provider_id'))
    )
