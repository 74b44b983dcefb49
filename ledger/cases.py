"""Facts for the rules: a set of announcements on one account, in one statement."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from statistics import median
from typing import Any

from sqlalchemy import Row, Select, TextualSelect, exists, insert, select, text, update

from broker.actor import Actor, ActorKind
from broker.announcement import Attachment, Content, Part, People, Purpose, Urgency
from broker.delivery import State
from broker.money import amount_of
from broker.ports.approvals import Decided
from broker.ports.rules import Standing
from broker.rules.approval import SECOND_PERSON
from broker.rules.blast import SIZE_CODES
from broker.rules.case import AnnouncementCase
from broker.rules.licence import NOTHING
from broker.rules.money import USED_UP
from broker.values import AccountRow
from ledger import tables as t
from ledger.announcements import newest_version
from ledger.hand import Hand
from ledger.money import COMMITTED, spent
from ledger.rules import RuleBook, readable, understood
from ledger.tables import Moment

HISTORY = 20  # announcements that make a department's norm
ENOUGH = 5  # fewer say nothing of what is usual

# The latest first, by their index, and only then what is counted: joined at once, all were looked through.
_LATEST = (
    "SELECT hc.counted FROM (SELECT id FROM announcement WHERE department_id = {department}"
    f" AND fanned_out_at IS NOT NULL ORDER BY id DESC LIMIT {HISTORY}) a"
    " JOIN headcount hc ON hc.announcement_id = a.id"
)
_SPENT = spent("dp.id", "{month}")
_STANDING = (
    "SELECT a.id, a.purpose, a.urgency, a.audience, a.people, a.ways, a.accepted_at, a.due_at, a.expires_at,"
    " a.actor_kind, a.actor_id, a.on_behalf_of, a.settled_at, dp.slug AS department, sc.zone, r.version, r.body,"
    " hc.counted, hc.expected, hc.norm, acc.paused_at, acc.posture, acc.posture_at,"
    " lic.stands_until AS licensed_until, lic.lacking AS unlicensed, ap.decision, a.template, a.hold_code,"
    " (SELECT sw.why FROM switch sw WHERE sw.on_at IS NULL AND (sw.kind = 'everything'"
    "  OR (sw.kind = 'channel' AND sw.subject = acc.channel)"
    "  OR (sw.kind = 'department' AND sw.subject = dp.slug)) ORDER BY sw.id LIMIT 1) AS stopped,"
    " rk.unit, rk.messages, bu.amount AS budget,"
    " EXISTS (SELECT 1 FROM fanout_cursor fc WHERE fc.announcement_id = a.id) AS begun,"
    f" CASE WHEN bu.amount IS NOT NULL AND rk.unit > 0 THEN {_SPENT} END AS spent,"
    " CASE WHEN bu.amount IS NOT NULL AND rk.unit > 0 THEN"
    # Of the department's others; within, `a` is one of them.
    f"  (SELECT sum({COMMITTED}) FROM announcement a WHERE a.department_id = dp.id AND a.id <> rk.announcement_id"
    "   AND a.withdrawn_at IS NULL AND a.corrected_by IS NULL AND a.expires_at > {now}"
    # What there is no money for keeps nobody else waiting: whoever is looked at first takes what is left.
    f"   AND coalesce(a.hold_code, '') <> '{USED_UP}') END AS committed,"
    " v.rules_version AS last_version, v.answer AS last_answer, v.code AS last_code, {now} AS now"
    " FROM announcement a JOIN department dp ON dp.id = a.department_id"
    " JOIN school sc ON sc.id = 1 JOIN account acc ON acc.id = :account"
    " LEFT JOIN (SELECT version, body FROM rules ORDER BY version DESC LIMIT 1) r ON true"
    " LEFT JOIN licence lic ON lic.account_id = acc.id"
    " LEFT JOIN approval ap ON ap.announcement_id = a.id AND ap.void_at IS NULL"
    " LEFT JOIN headcount hc ON hc.announcement_id = a.id"
    " LEFT JOIN verdict v ON v.id = (SELECT max(x.id) FROM verdict x"
    "  WHERE x.announcement_id = a.id AND x.account_id = acc.id)"
    " LEFT JOIN reckoning rk ON rk.announcement_id = a.id AND rk.channel = acc.channel"
    " LEFT JOIN budget bu ON bu.department_id = a.department_id AND bu.month = (SELECT max(b.month) FROM budget b"
    "  WHERE b.department_id = a.department_id AND b.month IN ('', {month}))"
    " WHERE {these}"
)


class Cases:
    """See broker.ports.Cases."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def standing(self, announcements: Collection[int], account: AccountRow) -> Mapping[int, Standing]:
        """What may change from one second to the next, without the wordings."""
        return {row.id: _standing(row, account) for row in self._standing_rows(announcements, account)}

    def _standing_rows(self, announcements: Collection[int], account: AccountRow) -> Sequence[Row[Any]]:
        dialect = self._hand.dialect
        sql = _STANDING.format(
            now=dialect.now, month=dialect.month("sc.zone"), these=dialect.any_of("a.id", "these")
        )
        own = dialect.parameters(self._hand.connection)
        values = {name: value for name, value in own.items() if f":{name}" in sql}
        values.update(account=account.id, these=dialect.ids(sorted(announcements)))
        with readable():
            return self._hand.connection.execute(_standing_of(sql), values).all()

    def whole(self, announcements: Collection[int], account: AccountRow) -> Mapping[int, Standing]:
        """Everything, for what is judged once."""
        return self.whole_on([(account, announcements)])[account.id]

    def whole_on(
        self, wanted: Sequence[tuple[AccountRow, Collection[int]]]
    ) -> Mapping[int, Mapping[int, Standing]]:
        """The same by account, of several: what they are worded in is asked once."""
        every = {announcement for _, these in wanted for announcement in these}
        contents, filed = self._contents(every)
        files = self._files(filed) if filed else {}
        return {
            account.id: {
                row.id: _standing(row, account, contents.get(row.id, ()), files.get(row.id, ()))
                for row in self._standing_rows(these, account)
            }
            for account, these in wanted
        }

    def count(self, announcement: int, counted: int, expected: int | None = None) -> None:
        """Keep how many people it tells, and what is usual for its department at this moment."""
        typed = ", expected = excluded.expected" if expected is not None else ""
        self._hand.run(
            "INSERT INTO headcount (announcement_id, counted, expected, norm)"
            " VALUES (:announcement, :counted, :expected, :norm) ON CONFLICT (announcement_id)"
            f" DO UPDATE SET counted = excluded.counted, norm = excluded.norm{typed}",
            announcement=announcement,
            counted=counted,
            expected=expected,
            norm=self._norm_of("(SELECT department_id FROM announcement WHERE id = :whose)", announcement),
        )

    def count_all(self, counts: Sequence[tuple[int, int, int | None, int | None]]) -> None:
        """(announcement, people, typed, norm) of announcements that were never counted."""
        rows = [
            {"announcement_id": one, "counted": counted, "expected": expected, "norm": norm}
            for one, counted, expected, norm in counts
        ]
        self._hand.connection.execute(insert(t.headcount), rows)

    def norm(self, department: str) -> int | None:
        """How many people the department usually tells; None while it has too little history."""
        return self._norm_of("(SELECT id FROM department WHERE slug = :whose)", department)

    def is_planned(self, announcement: int) -> bool:
        """Whether deliveries of it have been planned, so that something may have left."""
        planned = select(t.delivery.c.id).where(t.delivery.c.announcement_id == announcement).limit(1)
        return self._hand.connection.execute(planned).first() is not None

    def has_begun(self, announcement: int) -> bool:
        """Whether it is being planned, or was."""
        begun = select(t.fanout_cursor.c.channel).where(t.fanout_cursor.c.announcement_id == announcement)
        return self._hand.connection.execute(begun.limit(1)).first() is not None

    def look_again(self, announcement: int | None = None) -> None:
        """Whatever waits for a rule is due at once; what still has to wait is held again."""
        run, now = self._hand.connection.execute, self._hand.now
        said, table = t.announcement, t.delivery
        held = update(said).where(said.c.fanned_out_at.is_(None), said.c.held_until > now)
        by_rules = select(t.verdict.c.code).where(t.verdict.c.answer == "hold")
        waiting = update(table).where(table.c.state == State.QUEUED.value, table.c.due_at > now)
        if announcement is not None:
            held = held.where(said.c.id == announcement)
            by_rules = by_rules.where(t.verdict.c.announcement_id == announcement)
            waiting = waiting.where(table.c.announcement_id == announcement)
        run(held.values(held_until=now))
        run(waiting.where(table.c.code.in_(by_rules)).values(due_at=now))

    def readable(self) -> None:
        """Find out whether the facts can be had."""
        RuleBook(self._hand).current()
        self.standing((), AccountRow(0, "", "", None, None, "", None))

    def hold(self, announcement: int, until: datetime | None, code: str = "", why: str = "") -> None:
        """Keep the whole announcement from being planned until then; None lets it go."""
        values = {"held_until": until, "hold_code": code or None, "hold_why": why or None}
        self._hand.connection.execute(
            update(t.announcement).where(t.announcement.c.id == announcement).values(values)
        )

    def _norm_of(self, department: str, whose: int | str) -> int | None:
        counts = self._hand.run(_LATEST.format(department=department), whose=whose).scalars().all()
        return round(median(counts)) if len(counts) >= ENOUGH else None

    def _contents(
        self, announcements: Collection[int]
    ) -> tuple[Mapping[int, tuple[Content, ...]], Collection[int]]:
        """The newest wordings, and which of the announcements have files: most have none."""
        words: dict[tuple[int, str], dict[Part, str]] = defaultdict(dict)
        filed: set[int] = set()
        query = _worded(self._hand.dialect.any_of("content.announcement_id", "these"))
        values = {"these": self._hand.dialect.ids(sorted(announcements))}
        version = 1
        for row in self._hand.connection.execute(query, values):
            words[row.announcement_id, row.language][Part(row.part)] = row.text
            version = row.version
            if row.filed:
                filed.add(row.announcement_id)
        found: dict[int, tuple[Content, ...]] = defaultdict(tuple)
        for (announcement, language), parts in words.items():
            found[announcement] += (Content(version, language, parts),)
        return found, filed

    def _files(self, announcements: Collection[int]) -> Mapping[int, tuple[Attachment, ...]]:
        """The files by name, without what is in them; a new wording takes those of the one before with it."""
        link, file = t.content_attachment, t.attachment.c
        these = text(self._hand.dialect.any_of("content_attachment.announcement_id", "these"))
        query = (
            select(link.c.announcement_id, link.c.name, link.c.sha256, file.media_type)
            .join(t.attachment, file.sha256 == link.c.sha256)
            .where(these)
            .distinct()
            .order_by(link.c.announcement_id, link.c.name)
        )
        found: dict[int, tuple[Attachment, ...]] = defaultdict(tuple)
        for row in self._hand.connection.execute(
            query, {"these": self._hand.dialect.ids(sorted(announcements))}
        ):
            found[row.announcement_id] += (Attachment(row.sha256, row.name, row.media_type, b""),)
        return found


@lru_cache(maxsize=2)  # one for each kind of database: making a statement takes longer than asking it
def _worded(these: str) -> Select[Any]:
    filed = exists().where(t.content_attachment.c.announcement_id == t.content.c.announcement_id)
    newest = t.content.c.version == newest_version()
    return select(t.content, filed.label("filed")).where(text(these), newest)


@lru_cache(maxsize=8)
def _standing_of(sql: str) -> TextualSelect:
    return text(sql).columns(
        accepted_at=Moment,
        due_at=Moment,
        expires_at=Moment,
        paused_at=Moment,
        posture_at=Moment,
        licensed_until=Moment,
        settled_at=Moment,
        now=Moment,
    )


def _standing(
    row: Row[Any],
    account: AccountRow,
    contents: tuple[Content, ...] = (),
    attachments: tuple[Attachment, ...] = (),
) -> Standing:
    case = AnnouncementCase(
        now=row.now,
        rules=understood(row.version, row.body),
        zone=row.zone,
        department=row.department,
        channel=account.channel,
        account=account.name,
        purpose=Purpose(row.purpose),
        urgency=Urgency(row.urgency),
        due_at=row.due_at,
        expires_at=row.expires_at,
        accepted_at=row.accepted_at,
        announcement=row.id,
        author=Actor(ActorKind(row.actor_kind), row.actor_id, on_behalf_of=row.on_behalf_of),
        settled_at=row.settled_at,
        audience=row.audience,
        people=People(row.people),
        ways=tuple(channel for step in json.loads(row.ways) for channel in step),
        counted=row.counted,
        expected=row.expected,
        second_person=row.decision == Decided.APPROVED,
        overridden=row.decision == Decided.OVERRIDDEN,
        template=row.template,
        unapproved=row.hold_code in SECOND_PERSON | SIZE_CODES,
        norm=row.norm,
        stopped=row.stopped or "",
        unit=amount_of(row.unit or 0),
        messages=row.messages or 0,
        begun=bool(row.begun),
        budget=None if row.budget is None else amount_of(row.budget),
        spent=amount_of(int(row.spent or 0)),
        committed=amount_of(int(row.committed or 0)),
        account_paused=row.paused_at is not None,
        posture=json.loads(row.posture) if row.posture else None,
        posture_age=row.now - row.posture_at if row.posture_at else None,
        licence_needed=True,
        licensed_until=row.licensed_until,
        unlicensed=NOTHING if row.unlicensed is None else row.unlicensed,
        contents=contents,
        attachments=attachments,
    )
    last = None if row.last_version is None else (row.last_version, row.last_answer, row.last_code)
    return Standing(case, last)
