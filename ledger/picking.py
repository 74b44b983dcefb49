"""What a claim asks of each due delivery: one statement for every fact, and how its row is read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, Integer, LargeBinary, Row, String, Uuid, bindparam, text

from broker.announcement import Purpose, Urgency
from broker.policy import Case, Cover
from broker.values import AccountRow, Lane, Picked
from ledger.hand import Hand
from ledger.tables import Id, Moment
from ledger.walks import Place

_PURPOSES = {each.value: each for each in Purpose}  # a look-up, where Purpose(…) is a call for every row
_URGENCIES = {each.value: each for each in Urgency}
_FACTS = 14  # from here on a row of `due` has the facts of its Case

OPTED_OUT = "EXISTS (SELECT 1 FROM suppression s WHERE s.hash = ad.hash AND s.channel = d.channel)"
# 0 taken back by one of its holders, 1 given by all who were asked, 2 by a guardian for every one of them.
CONSENT = (
    "(SELECT min(CASE WHEN co.given THEN 1 WHEN co.person_id IS NOT NULL THEN 0 END)"
    " * (1 + min(CASE WHEN co.guardian_given THEN 1 ELSE 0 END))"
    " FROM person_address pa LEFT JOIN consent co ON co.person_id = pa.person_id"
    " AND co.channel = d.channel AND co.purpose = a.purpose WHERE pa.address_id = d.address_id)"
)
# By a link that was not taken back since, of a group that is there.
SUBSCRIBED = (
    "EXISTS (SELECT 1 FROM subscriber su JOIN private_link pl ON pl.id = su.link_id AND pl.revoked_at IS NULL"
    " JOIN people_group g ON g.id = pl.group_id AND g.active WHERE su.address_id = d.address_id)"
)


def due(hand: Hand, account: AccountRow, lane: Lane, limit: int, after: Place | None) -> Sequence[Row[Any]]:
    """Lock the rows of what is due beyond a place, with every fact; see `picked`."""
    dialect = hand.dialect
    beyond = "" if after is None else " AND (due_at, id) > (:after_due, :after_id)"
    statement = text(
        # What changes with a try is taken from the row as it was locked: outside, a row that was claimed and given
        # back since the statement began would still show the fence before.
        "WITH picked AS MATERIALIZED (SELECT id, fence, burned, code FROM delivery WHERE state = 'queued'"
        f" AND account_id = :account AND lane = :lane AND due_at <= {dialect.now}{beyond}"
        f" ORDER BY due_at, id LIMIT :limit {dialect.skip_locked})"
        " SELECT d.id, picked.fence, picked.burned, d.announcement_id, a.public_id, a.department_id,"
        " d.content_version, picked.code, d.address_id, ad.value AS address, ad.doubtful, ad.commitment_key,"
        " ad.hash AS address_hash, CASE WHEN d.address_id IS NULL THEN a.audience END AS audience,"
        # The facts of its Case, from `_FACTS` on.
        f" {dialect.now} AS now, a.purpose, a.urgency, d.due_at, d.expires_at, a.withdrawn_at IS NOT NULL AS withdrawn,"
        " a.corrected_at IS NOT NULL AS corrected, a.corrected_by IS NOT NULL AS being_corrected,"
        f" acc.paused_at IS NOT NULL AS paused, {OPTED_OUT} AS opted_out, {CONSENT} AS consent,"
        " EXISTS (SELECT 1 FROM bounced b WHERE b.hash = ad.hash AND b.channel = d.channel) AS bounced,"
        " a.urgency = 'urgent' AND EXISTS (SELECT 1 FROM note n WHERE n.announcement_id = a.id) AS note,"
        f" CASE WHEN ad.kind = 'push' THEN {SUBSCRIBED} END AS subscribed,"
        " EXISTS (SELECT 1 FROM person_address pa JOIN person p ON p.id = pa.person_id AND p.active"
        "  WHERE pa.address_id = d.address_id) AS person_active,"
        " acc.posture, acc.posture_at"
        " FROM picked JOIN delivery d ON d.id = picked.id"
        " JOIN announcement a ON a.id = d.announcement_id"
        " JOIN account acc ON acc.id = d.account_id"
        " LEFT JOIN address ad ON ad.id = d.address_id"
    ).columns(
        id=Id,
        public_id=Uuid,
        due_at=Moment,
        expires_at=Moment,
        now=Moment,
        posture_at=Moment,
        withdrawn=Boolean,
        corrected=Boolean,
        being_corrected=Boolean,
        paused=Boolean,
        doubtful=Boolean,
        opted_out=Boolean,
        person_active=Boolean,
        subscribed=Boolean,
        commitment_key=LargeBinary,
        address_hash=LargeBinary,
        consent=Integer,
        address=String,
    )
    own = dialect.parameters(hand.connection)
    values = {"account": account.id, "lane": lane.value, "limit": limit, **own}
    if after is not None:
        statement = statement.bindparams(bindparam("after_due", type_=Moment))
        values.update(after_due=after[0], after_id=after[1])
    return hand.connection.execute(statement, values).all()


def picked(row: Row[Any], account: AccountRow, covers: Sequence[Cover]) -> Picked:
    """A row of `due` as it is judged."""
    cells: Sequence[Any] = row  # in the order of the SELECT
    (delivery, fence, burned, announcement, public_id, department_id, content_version, code,
     address_id, address, doubtful, commitment_key, address_hash, audience) = cells[:_FACTS]  # fmt: skip
    return Picked(
        delivery=delivery,
        fence=fence + 1,
        burned=burned,
        announcement=announcement,
        public_id=public_id,
        content_version=content_version,
        state_reason=code,
        address_id=address_id,
        address=address or "",
        doubtful=bool(doubtful),
        commitment_key=commitment_key,
        case=_case(cells[_FACTS:], account, covers, address_id is None),
        department_id=department_id,
        address_hash=address_hash or b"",
        audience=audience or "",
    )


def _case(facts: Sequence[Any], account: AccountRow, covers: Sequence[Cover], broadcast: bool) -> Case:
    (now, purpose, urgency, due_at, expires_at, withdrawn, corrected, being_corrected, paused,
     opted_out, consent, bounced, note, subscribed, person_active, posture, posture_at) = facts  # fmt: skip
    return Case(
        now=now,
        channel=account.channel,
        account=account.name,
        purpose=_PURPOSES[purpose],
        urgency=_URGENCIES[urgency],
        due_at=due_at,
        expires_at=expires_at,
        withdrawn=withdrawn,
        corrected=corrected,
        being_corrected=being_corrected,
        account_paused=paused,
        broadcast=broadcast,
        opted_out=opted_out,
        consent=None if consent is None else bool(consent),
        guardian_consent=consent == 2,
        bounced=bool(bounced),
        note=bool(note),
        subscribed=subscribed,
        person_active=person_active,
        covers=tuple(covers),
        posture=json.loads(posture) if posture else None,
        posture_age=now - posture_at if posture_at else None,
    )
