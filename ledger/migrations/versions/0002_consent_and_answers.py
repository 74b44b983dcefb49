"""Consent, answers, and personal data

Revision: 0002, after 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add consent by source and evidence, what was answered, and what keeping and erasing needs."""
    answers()
    consents()

    _keeping_and_erasing()


def _keeping_and_erasing() -> None:
    op.create_table('night',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('done', sa.Text(), server_default='{}', nullable=False),
    sa.PrimaryKeyConstraint('day', name=op.f('pk_night'))
    )
    op.create_table('erased',
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_erased_person_id')),
    sa.PrimaryKeyConstraint('hash', name=op.f('pk_erased'))
    )
    op.create_index('ix_erased_person_id', 'erased', ['person_id'], unique=False)
    op.create_table('remark',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('commitment', sa.String(length=32), nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_remark_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_remark'))
    )
    op.create_index('ix_remark_commitment', 'remark', ['commitment'], unique=False)
    op.create_index('ix_remark_person_id', 'remark', ['person_id'], unique=False)
    op.create_table('legal_hold',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('announcement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('held_by', sa.Text(), nullable=False),
    sa.Column('held_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('lifted_by', sa.Text(), nullable=True),
    sa.Column('lifted_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('(person_id IS NULL) <> (announcement_id IS NULL)', name=op.f('ck_legal_hold_one_subject')),
    sa.ForeignKeyConstraint(['announcement_id'], ['announcement.id'], name=op.f('fk_legal_hold_announcement_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_legal_hold_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_legal_hold'))
    )
    op.create_index('ix_legal_hold_standing', 'legal_hold', ['id'], unique=False, sqlite_where=sa.text('lifted_at IS NULL'), postgresql_where=sa.text('lifted_at IS NULL'))
    op.create_table('redaction',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('provider_id', sa.Text(), nullable=False),
    sa.Column('wanted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('failures', sa.SmallInteger(), server_default='0', nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_redaction_account_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_redaction'))
    )
    op.create_index('ix_redaction_due_at', 'redaction', ['due_at'], unique=False)


def downgrade() -> None:
    """None: a school goes back by restoring its backup, never by throwing what it sent away."""


def answers() -> None:
    """What comes back: answers, notes, bounces, and how far mailboxes are read."""
    op.create_table('answer',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('public_id', sa.Uuid(), nullable=False),
    sa.Column('channel', sa.String(length=63), nullable=False),
    sa.Column('key', sa.String(length=200), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('inbox', sa.String(length=63), nullable=False),
    sa.Column('sender', sa.Text(), nullable=False),
    sa.Column('sender_hash', sa.LargeBinary(), nullable=False),
    sa.Column('subject', sa.Text(), server_default='', nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('announcement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('delivery_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('automatic', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('concern', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('released_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('released_by', sa.Text(), server_default='', nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('done_by', sa.Text(), server_default='', nullable=False),
    sa.Column('reply', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_answer')),
    sa.UniqueConstraint('channel', 'key', name=op.f('uq_answer_channel_key')),
    sa.UniqueConstraint('public_id', name=op.f('uq_answer_public_id'))
    )
    op.create_index('ix_answer_open', 'answer', ['inbox', 'received_at'], unique=False, sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))
    op.create_index('ix_answer_sender_hash', 'answer', ['sender_hash'], unique=False)
    op.create_table('note',
    sa.Column('announcement_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['announcement_id'], ['announcement.id'], name=op.f('fk_note_announcement_id')),
    sa.PrimaryKeyConstraint('announcement_id', name=op.f('pk_note'))
    )
    op.create_table('bounce',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('attempt_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('delivery_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('address_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('channel', sa.String(length=63), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('code', sa.String(length=16), server_default='', nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('hard', 'soft', 'delayed')", name=op.f('ck_bounce_kind')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bounce')),
    sa.UniqueConstraint('key', 'attempt_id', name=op.f('uq_bounce_key_attempt_id'))
    )
    op.create_index('ix_bounce_address_id', 'bounce', ['address_id', 'channel'], unique=False)
    op.create_table('bounced',
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.Column('channel', sa.String(length=63), nullable=False),
    sa.Column('code', sa.String(length=16), server_default='', nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('hash', 'channel', name=op.f('pk_bounced'))
    )
    op.create_table('mailbox',
    sa.Column('name', sa.String(length=63), nullable=False),
    sa.Column('position', sa.Text(), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_mailbox'))
    )


def consents() -> None:
    """Consent as a history, and texts that were heard already."""
    bigint = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.add_column('consent', sa.Column('guardian_given', sa.Boolean(), nullable=True))
    op.create_table('consent_entry',
    sa.Column('id', bigint, autoincrement=True, nullable=False),
    sa.Column('person_id', bigint, nullable=False),
    sa.Column('channel', sa.String(length=63), nullable=False),
    sa.Column('purpose', sa.String(length=16), nullable=False),
    sa.Column('given', sa.Boolean(), nullable=False),
    sa.Column('guardian_id', bigint, nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('evidence', sa.Text(), server_default='', nullable=False),
    sa.Column('said_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor_kind', sa.String(length=16), nullable=False),
    sa.Column('actor_id', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("purpose IN ('service', 'promotional')", name=op.f('ck_consent_entry_purpose')),
    sa.ForeignKeyConstraint(['guardian_id'], ['person.id'], name=op.f('fk_consent_entry_guardian_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_consent_entry_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_consent_entry'))
    )
    op.create_index('ix_consent_entry_person_id', 'consent_entry', ['person_id', 'channel'], unique=False)
    op.create_table('heard',
    sa.Column('account_id', bigint, nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_heard_account_id')),
    sa.PrimaryKeyConstraint('account_id', 'key', name=op.f('pk_heard'))
    )
    op.add_column('receipt', sa.Column('digest', sa.LargeBinary(), nullable=True))
    op.create_index('ux_receipt_digest', 'receipt', ['digest'], unique=True)
