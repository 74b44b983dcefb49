"""Rules, licences, approvals and money

Revision: 0003, after 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ledger.scrutiny.record_keeping import guards

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add parameters of the rules, licences, approvals, spend, and heads of the record."""
    _rules()
    _approvals()
    _licences()
    _money()
    _record()


def _rules() -> None:
    id_ = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    moment = sa.DateTime(timezone=True)
    op.create_table('rules',
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('at', moment, nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('version', name=op.f('pk_rules'))
    )
    op.create_table('verdict',
    sa.Column('id', id_, autoincrement=True, nullable=False),
    sa.Column('announcement_id', id_, nullable=False),
    sa.Column('account_id', id_, nullable=False),
    sa.Column('rules_version', sa.Integer(), nullable=False),
    sa.Column('at', moment, nullable=False),
    sa.Column('answer', sa.String(length=16), nullable=False),
    sa.Column('code', sa.String(length=128), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('until', moment, nullable=True),
    sa.Column('evidence', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_verdict_account_id')),
    sa.ForeignKeyConstraint(['announcement_id'], ['announcement.id'], name=op.f('fk_verdict_announcement_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_verdict'))
    )
    op.create_index('ix_verdict_last', 'verdict', ['announcement_id', 'account_id', 'id'], unique=False)
    op.create_table('switch',
    sa.Column('id', id_, autoincrement=True, nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('subject', sa.String(length=63), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('off_at', moment, nullable=False),
    sa.Column('off_by', sa.Text(), nullable=False),
    sa.Column('on_at', moment, nullable=True),
    sa.Column('on_by', sa.Text(), nullable=True),
    sa.CheckConstraint("kind IN ('account', 'channel', 'department', 'everything')", name=op.f('ck_switch_kind')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_switch'))
    )
    op.create_index('ux_switch_off', 'switch', ['kind', 'subject'], unique=True, sqlite_where=sa.text('on_at IS NULL'), postgresql_where=sa.text('on_at IS NULL'))
    op.create_table('headcount',
    sa.Column('announcement_id', id_, nullable=False),
    sa.Column('counted', sa.Integer(), nullable=False),
    sa.Column('expected', sa.Integer(), nullable=True),
    sa.Column('norm', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['announcement_id'], ['announcement.id'], name=op.f('fk_headcount_announcement_id')),
    sa.PrimaryKeyConstraint('announcement_id', name=op.f('pk_headcount'))
    )
    op.add_column('announcement', sa.Column('template', sa.Text(), nullable=True))
    op.add_column('announcement', sa.Column('held_until', moment, nullable=True))
    op.add_column('announcement', sa.Column('hold_code', sa.String(length=63), nullable=True))
    op.add_column('announcement', sa.Column('hold_why', sa.Text(), nullable=True))


def downgrade() -> None:
    """None: a school goes back by restoring its backup, never by throwing what it sent away."""


def _approvals() -> None:
    """Operators, what a second person decided, and who reads a message to few pupils too."""
    id_ = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    moment = sa.DateTime(timezone=True)
    op.create_table('operator',
    sa.Column('id', id_, autoincrement=True, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('folded_name', sa.Text(), nullable=False),
    sa.Column('department_id', id_, nullable=True),
    sa.Column('added_at', moment, nullable=False),
    sa.Column('added_by', sa.Text(), nullable=False),
    sa.Column('removed_at', moment, nullable=True),
    sa.Column('removed_by', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['department_id'], ['department.id'], name=op.f('fk_operator_department_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_operator'))
    )
    op.create_index('ux_operator_name', 'operator', ['folded_name'], unique=True, sqlite_where=sa.text('removed_at IS NULL'), postgresql_where=sa.text('removed_at IS NULL'))
    op.create_table('operator_role',
    sa.Column('operator_id', id_, nullable=False),
    sa.Column('role', sa.String(length=16), nullable=False),
    sa.CheckConstraint("role IN ('author', 'approver', 'admin', 'auditor')", name=op.f('ck_operator_role_role')),
    sa.ForeignKeyConstraint(['operator_id'], ['operator.id'], name=op.f('fk_operator_role_operator_id')),
    sa.PrimaryKeyConstraint('operator_id', 'role', name=op.f('pk_operator_role'))
    )
    op.create_table('approval',
    sa.Column('id', id_, autoincrement=True, nullable=False),
    sa.Column('announcement_id', id_, nullable=False),
    sa.Column('decision', sa.String(length=16), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('at', moment, nullable=False),
    sa.Column('why', sa.Text(), server_default='', nullable=False),
    sa.Column('content_version', sa.Integer(), nullable=False),
    sa.Column('rules_version', sa.Integer(), nullable=False),
    sa.Column('bound', sa.String(length=64), nullable=False),
    sa.Column('counted', sa.Integer(), nullable=True),
    sa.Column('void_at', moment, nullable=True),
    sa.Column('void_why', sa.Text(), server_default='', nullable=False),
    sa.Column('reviewed_at', moment, nullable=True),
    sa.Column('reviewed_by', sa.Text(), nullable=True),
    sa.Column('review', sa.Text(), server_default='', nullable=False),
    sa.CheckConstraint("decision IN ('approved', 'rejected', 'overridden')", name=op.f('ck_approval_decision')),
    sa.ForeignKeyConstraint(['announcement_id'], ['announcement.id'], name=op.f('fk_approval_announcement_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_approval'))
    )
    op.create_index('ux_approval_standing', 'approval', ['announcement_id'], unique=True, sqlite_where=sa.text('void_at IS NULL'), postgresql_where=sa.text('void_at IS NULL'))
    op.create_table('announcement_copy',
    sa.Column('announcement_id', id_, nullable=False),
    sa.Column('person_id', id_, nullable=False),
    sa.ForeignKeyConstraint(['announcement_id'], ['announcement.id'], name=op.f('fk_announcement_copy_announcement_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_announcement_copy_person_id')),
    sa.PrimaryKeyConstraint('announcement_id', 'person_id', name=op.f('pk_announcement_copy'))
    )


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


def _money() -> None:
    """Budgets, what was spent, what a message was reckoned to cost and what a try would be charged for."""
    op.create_table('budget',
    sa.Column('department_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('month', sa.String(length=7), nullable=False),
    sa.Column('amount', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('set_by', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['department_id'], ['department.id'], name=op.f('fk_budget_department_id')),
    sa.PrimaryKeyConstraint('department_id', 'month', name=op.f('pk_budget'))
    )
    op.create_table('spend',
    sa.Column('department_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('month', sa.String(length=7), nullable=False),
    sa.Column('cost', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['department_id'], ['department.id'], name=op.f('fk_spend_department_id')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_spend_account_id')),
    sa.PrimaryKeyConstraint('department_id', 'account_id', 'month', name=op.f('pk_spend'))
    )
    op.create_table('spend_delta',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('department_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('month', sa.String(length=7), nullable=False),
    sa.Column('cost', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_spend_delta'))
    )
    op.create_index('ix_spend_delta_department_id', 'spend_delta', ['department_id'], unique=False)
    op.create_table('reckoning',
    sa.Column('announcement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('channel', sa.String(length=63), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('unit', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('messages', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_reckoning_account_id')),
    sa.PrimaryKeyConstraint('announcement_id', 'channel', name=op.f('pk_reckoning'))
    )
    op.add_column('attempt', sa.Column('cost', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))


def _record() -> None:
    """The heads that left the house, and what keeps the record from being changed."""
    op.create_table('record_opening',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_record_opening'))
    )
    op.create_table('record_head',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('how', sa.String(length=16), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_record_head'))
    )
    op.create_table('head_holder',
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('added_by', sa.Text(), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_head_holder'))
    )
    for statement in guards(op.get_bind().dialect.name):
        op.execute(statement)
