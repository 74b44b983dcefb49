"""What the doctor finds in the ledger: its schema and clock, alarms, and what nobody has settled yet."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from broker.accounts import CANNOT_OPEN
from broker.authority.approvals import OVERRIDDEN, VOID
from broker.authority.operators import same
from broker.authority.switching import STOPPED
from broker.corrections.law import OVER
from broker.errors import RulesUnreadable
from broker.incoming.inboxes import ALARM_CONCERN, ALARM_WAITING
from broker.incoming.mails import ALARM_ASIDE
from broker.licences.licensing import LAPSED, LAPSING, silent
from broker.licences.oversight import ALARM as FOUND_POST
from broker.ports.approvals import OperatorRole
from broker.privacy.redact import ALARM as ALARM_REDACTION
from broker.retract import ALARM as RETRACTION
from broker.rules.approval import NEEDED
from broker.rules.record import MAIL_EVERY
from broker.scrutiny.heads import Left
from broker.sweep import UNREADABLE
from broker.webhooks import ALARM as ALARM_WEBHOOK
from config.answering import answering_of
from config.findings import Finding, Health
from config.mailroom import ALARM as ALARM_AWAY
from config.settings import Settings
from ledger import migrate
from ledger.connect import Ledger
from ledger.reads.health import health
from ledger.rosters.people import of_another_key

LONGEST_HELD = timedelta(days=92)  # a head for each term, where none is mailed
MOST_SKEW = timedelta(seconds=2)


def in_the_ledger(opened: Ledger, settings: Settings) -> list[Finding]:
    """Everything that an opened ledger tells; without this version's schema that alone, and its clock."""
    schema, clock = _schema(opened), _clock(opened, settings)
    if schema[0].health is not Health.WELL:
        return [*schema, *clock]
    return [
        *schema,
        *clock,
        *_alarms(opened),
        *_second_person(opened),
        *_watchers(opened, settings),
        *_licences(opened),
        *_heads(opened, settings),
        *_old_key(opened),
    ]


def _old_key(opened: Ledger) -> list[Finding]:
    """Whether the secret key was changed since the addresses were imported."""
    with opened.reading() as hand:
        old = of_another_key(hand)
    if not old:
        return []
    says = (
        f"{old:,} addresses are known by another key than this one, and so is who was erased: a roster may bring"
        " them back, and earlier links do not work"
    )
    hint = "put the old key back; if it is lost, import the roster again, so that stops follow to the new one"
    return [Finding("secret key", Health.WRONG, says, hint)]


def _schema(opened: Ledger) -> list[Finding]:
    found, wanted = migrate.current(opened.engine), migrate.newest()
    if found == wanted:
        return [Finding("ledger", Health.WELL, f"{opened.dialect.name}, schema {found}")]
    says = "has no tables yet" if found is None else f"has schema {found}, this Carillon needs {wanted}"
    return [Finding("ledger", Health.WRONG, says, "run: carillon db upgrade")]


def _alarms(opened: Ledger) -> list[Finding]:
    """What Carillon itself could not mend and nobody has cleared since; and accounts that somebody paused."""
    with opened.reading() as hand:
        stands = health(hand)
    found = stands.alarms
    told = {a.subject for a in found}
    paused = [a for a in stands.accounts if a.paused_why is not None and a.account not in told]
    hints = {
        RETRACTION: "nothing needs resuming: it is cleared when the post is gone",
        LAPSING: "renew it in time: carillon licence renew NAME",
        LAPSED: "renew it: carillon licence renew NAME",
        UNREADABLE: "look: carillon rules history; to begin anew: carillon rules reset --all",
        OVERRIDDEN: "look at it, then: carillon approvals review ID",
        CANNOT_OPEN: "its settings, or its package: carillon doctor names them; nothing needs resuming",
        OVER: "announce what is right anew, then: carillon withdraw ID",
        VOID: "look at it again: carillon approvals",
        FOUND_POST: "see it: carillon accounts posts NAME",
        ALARM_ASIDE: "read them where they lie, then: carillon bounces done NUMBER",
        ALARM_AWAY: "it is read again by itself as soon as that is mended",
        ALARM_CONCERN: "the safeguarding lead opens it, and says so: carillon answers done ID",
        ALARM_WAITING: "read them, then: carillon answers done ID",
        ALARM_WEBHOOK: "when it answers: POST /v1/webhooks/ID/resume; or DELETE /v1/webhooks/ID",
        ALARM_REDACTION: "it is tried on; delete them at the provider by hand",
    }
    usual = "when it is mended: carillon accounts resume NAME"
    return [
        Finding(f"alarm {a.kind}", Health.DOUBTFUL, f"{a.subject}: {a.message}",
                f"to let it go on: carillon go {a.subject}" if a.kind == STOPPED else hints.get(a.kind, usual))
        for a in found
    ] + [
        Finding(f"account {a.account}", Health.DOUBTFUL, f"paused: {a.paused_why}; {a.due} wait",
                f"when it may go on: carillon accounts resume {a.account}")
        for a in paused
    ]  # fmt: skip


def _second_person(opened: Ledger) -> list[Finding]:
    """Where the rules want two people and nobody is named who may be the second."""
    with opened.look() as tx:
        named = any(OperatorRole.APPROVER in each.roles for each in tx.operators.all())
        try:
            wanted = tx.rules.current().words(NEEDED)
        except RulesUnreadable:  # an alarm stands for it
            return []
    if named or not wanted:
        return []
    says = "some announcements wait for a second person, and nobody is named who may approve"
    hint = (
        "carillon operators add NAME --role approver; which they are: carillon rules explain approval.needed"
    )
    return [Finding("approval", Health.DOUBTFUL, says, hint)]


def _watchers(opened: Ledger, settings: Settings) -> list[Finding]:
    """Who is to watch an inbox and is none of the operators that the school has named: gone, or misspelt."""
    with opened.look() as tx:
        known = [each.name for each in tx.operators.all()]
    told = answering_of(settings)
    strangers = {
        name: inbox.name
        for inbox in (*told.inboxes, told.lead)
        for name in inbox.watchers
        if known and not any(same(name, each) for each in known)
    }
    return [
        Finding("answers", Health.DOUBTFUL, f"{name} watches the inbox {inbox} and is no operator",
                "carillon operators add NAME --role auditor, or take the name out of the settings")
        for name, inbox in strangers.items()
    ]  # fmt: skip


def _licences(opened: Ledger) -> list[Finding]:
    """Accounts that may not speak, for something about them is not settled, or has lapsed."""
    with opened.look() as tx:
        lacking = silent(tx)
    return [
        Finding(f"licence {name}", Health.DOUBTFUL, why,
                f"settle it: carillon licence start {name}")
        for name, why in lacking.items()
    ]  # fmt: skip


def _heads(opened: Ledger, settings: Settings) -> list[Finding]:
    """Whether anybody outside could show that the record's end was cut off, or all of it made anew."""
    if settings.sandbox:
        return []
    with opened.look() as tx:
        if tx.record.newest() is None:
            return []
        try:
            every = tx.rules.current().duration(MAIL_EVERY)
        except RulesUnreadable:  # an alarm stands for it
            return []
        unmailed = bool(every) and not tx.record.holders()
        last, now = tx.record.last_given(Left.MAILED if every else None), tx.now
    if unmailed:
        says = "nobody outside is mailed a head of the record, so that an end cut off would never show"
        hint = "carillon audit governors --add NAME EMAIL; two are better than one: docs/record.md"
        return [Finding("record", Health.DOUBTFUL, says, hint)]
    if last is not None and now - last <= (2 * every or LONGEST_HELD):
        return [Finding("record", Health.WELL, f"its head left the house on {last:%-d %B %Y}")]
    since = "ever" if last is None else f"since {last:%-d %B %Y}"
    hint = (
        "does a worker run, and does an account for mails? Or take one yourself: carillon audit export PATH"
    )
    return [Finding("record", Health.DOUBTFUL, f"no head of it has left the house {since}", hint)]


def _clock(opened: Ledger, settings: Settings) -> list[Finding]:
    if settings.sqlite:
        return [Finding("clock", Health.WELL, f"the process's own; SQLite {sqlite3.sqlite_version}")]
    with opened.engine.connect() as connection:
        before = datetime.now(UTC)
        theirs = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        skew = abs(theirs - (before + (datetime.now(UTC) - before) / 2))
    if skew <= MOST_SKEW:
        return [Finding("clock", Health.WELL, f"{skew.total_seconds():.1f} s from the database's")]
    says = f"this machine's clock is {skew.total_seconds():.0f} s from the database's, whose time decides"
    return [Finding("clock", Health.DOUBTFUL, says, "let both keep time by NTP")]
