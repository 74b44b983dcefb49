"""Intake: what somebody wants announced is checked whole, then accepted once; and taken back on request.

Nothing is written until everything holds. The same key with the same words is the same announcement; with other
words it is a conflict.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from broker import audience as audiences
from broker import judging
from broker.actor import SYSTEM, Actor
from broker.announcement import Announcement, Attachment, Content, Draft, Part, Purpose, Urgency
from broker.authority import operators
from broker.channel import Traits, Verifies
from broker.errors import BrokerError, InvalidAnnouncement, KeyConflict, NotFound, Problem, UnknownChannel
from broker.licences import company
from broker.naming import CHANGES
from broker.office.groups import resolve
from broker.policy import Hold
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.reckoning import reckon
from broker.record import Entry
from broker.scrutiny.audit import kept_digest, wording_digest
from broker.values import FanOutHint, StopKind
from broker.wording import check_parts

LIFETIME = timedelta(hours=24)  # of an announcement whose author named no expiry
FURTHEST = timedelta(days=400)  # a school year and its summer
TOLERANCE = timedelta(minutes=2)  # a time this little past means now: forms take a while to fill in
LONGEST_KEY = 200
MOST_BYTES = 15_000_000  # of attachments, together
CHUNK = 2_000
_LANGUAGE = re.compile(
    r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,3}", re.ASCII
)  # BCP 47, as far as schools need it


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted announcement; `created` is False when the key had been used for the same words before.

    `hold`: what the rules keep it waiting for, as a whole.
    """

    announcement: Announcement
    created: bool
    hold: Hold | None = None


def accept(ports: Ports, draft: Draft, *, actor: Actor) -> Accepted:
    """Check a draft, store it, and hint that there is something to plan.

    Raises InvalidAnnouncement, UnknownAudience, UnknownChannel or KeyConflict; then nothing has been written but, where
    a rule refused it, that it did.
    """
    checked, tree = _checked(ports, draft)
    digest = digest_of(checked)
    _verify(ports, checked, tree, digest)
    try:
        accepted = ports.ledger.transact(lambda tx: _store(ports, tx, checked, tree, digest, actor))
    except judging.RefusedByRule as refused:
        told = judging.refusal_told(refused, checked.department, digest, actor)
        ports.ledger.transact(lambda tx: tx.record.add([told]))
        raise
    tell(ports, accepted)
    return accepted


def accept_within(ports: Ports, tx: Transaction, draft: Draft, *, actor: Actor) -> Accepted:
    """As `accept`, in a transaction that keeps more with it; whoever began that one calls `tell` after its commit.

    Its wording may have `{changes}`, which is kept beside it. It quotes nothing: no provider is asked meanwhile.
    Raises what `accept` raises.
    """
    checked, tree = _checked(ports, draft, changes=True)
    if Part.QUOTE in checked.parts:
        raise _bad("quote_unused", "quote", "what is announced by itself quotes no post", "leave it out")
    return _store(ports, tx, checked, tree, digest_of(checked), actor)


def tell(ports: Ports, accepted: Accepted) -> None:
    """Hint that there is something to plan, once it is committed."""
    if accepted.created and accepted.hold is None:
        ports.hints.publish(FanOutHint(accepted.announcement.public_id))


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What accepting a draft would store: the draft as checked, its times, at what moment; its audience as resolved.

    `rulings` are what the rules would say, `counted` how many people it would tell.
    """

    draft: Draft
    audience: audiences.Audience
    now: datetime
    due_at: datetime
    expires_at: datetime
    rulings: Sequence[judging.Ruling] = ()
    counted: int = 0


class _NotKept(BrokerError):
    """Raised by a rehearsal so that its transaction is taken back; it carries what was found."""

    def __init__(self, rehearsed: Rehearsed) -> None:
        self.rehearsed = rehearsed


def rehearse(ports: Ports, draft: Draft, *, actor: Actor = SYSTEM) -> Rehearsed:
    """Everything that `accept` checks, with nothing stored. Raises what it raises, but for what rules refuse."""
    checked, tree = _checked(ports, draft)
    digest = digest_of(checked)
    _verify(ports, checked, tree, digest)

    def work(tx: Transaction) -> Rehearsed:
        _known_key(tx, checked, digest)
        said, counted, found = _put(ports, tx, replace(checked, key=None), tree, digest, actor)
        audience = resolve(tx, tree)
        raise _NotKept(Rehearsed(checked, audience, tx.now, said.due_at, said.expires_at, found, counted))

    try:
        return ports.ledger.transact(work)
    except _NotKept as done:
        return done.rehearsed


def withdraw(ports: Ports, public_id: UUID, *, actor: Actor) -> int:
    """Take an announcement back: nothing of it starts more than a second after this commits (design §6.5).

    Returns how many deliveries became withdrawn at once; those in hand follow by the brake, and what the public has
    seen is taken back by `broker.retract`. Safe to repeat.
    Raises NotFound.
    """

    def work(tx: Transaction) -> Announcement:
        announcement = _the(tx, public_id)
        forbid(tx, announcement, actor=actor)
        return announcement

    announcement = ports.ledger.transact(work)
    withdrawn = 0
    while count := ports.ledger.transact(lambda tx: _withdraw_queued(tx, announcement.id, actor)):
        withdrawn += count
    return withdrawn


def forbid(tx: Transaction, announcement: Announcement, *, actor: Actor) -> None:
    """Take a locked announcement back: nothing more of it may start. Safe to repeat."""
    if announcement.withdrawn_at is None:
        tx.announcements.mark_withdrawn(announcement.id)
        tx.stops.add(StopKind.ANNOUNCEMENT, announcement.id)
        tx.retractions.want(announcement.id)
        facts = {"id": str(announcement.public_id)}
        tx.record.add([Entry("announcement.withdrawn", actor, facts, announcement.id)])


def _withdraw_queued(tx: Transaction, announcement: int, actor: Actor) -> int:
    withdrawn = tx.moves.withdraw_queued(announcement, limit=CHUNK)
    if withdrawn:
        tx.record.add([Entry("deliveries.withdrawn", actor, {"deliveries": withdrawn}, announcement)])
    return len(withdrawn)


def digest_of(draft: Draft) -> str:
    """What makes two drafts the same: everything but the key, as canonical JSON, hashed."""
    said: dict[str, object] = {
        "department": draft.department,
        "audience": draft.audience,
        "people": draft.people,
        "ways": [list(step.channels) for step in draft.ways],
        "parts": {part.value: text for part, text in draft.parts.items()},
        "purpose": draft.purpose,
        "urgency": draft.urgency,
        "language": draft.language,
        "send_at": draft.send_at.isoformat() if draft.send_at else None,
        "expires_at": draft.expires_at.isoformat() if draft.expires_at else None,
        "attachments": [[a.name, a.sha256] for a in draft.attachments],
    }
    if draft.copies:
        said["copies"] = list(draft.copies)
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _checked(ports: Ports, draft: Draft, *, changes: bool = False) -> tuple[Draft, audiences.Audience]:
    """What can be checked without the ledger; the wording comes back normalised."""
    checked = replace(draft, parts=check_parts(draft.parts))
    if not changes and any(CHANGES in text for text in checked.parts.values()):
        hint = "such a template is for `carillon timetable`; write here what changes"
        raise _bad("changes_unknown", "text", f"nobody says what {CHANGES} are", hint)
    _check_shape(checked)
    tree = audiences.parse(checked.audience)
    _check_channels(ports, checked, tree)
    return checked, tree


def _verify(ports: Ports, draft: Draft, tree: audiences.Audience, digest: str) -> None:
    """Ask whether there is the post that is quoted. Raises InvalidAnnouncement, and what judging raises.

    Judged first, so that nobody is asked about what is refused anyway, or was accepted before; and no transaction is
    open while a provider takes its time.
    """
    if Part.QUOTE not in draft.parts:
        return
    with ports.ledger.look() as tx:
        if _known_key(tx, draft, digest) is not None:
            return
        _judged(ports, tx, draft, tree)
        chosen = [tx.accounts.for_channel(name, draft.department) for name in _channels(draft)]
        quotable = tx.rules.current().words("social.quotable")
    opened = [ports.channels.open(account.name) for account in chosen if account is not None]
    quoting = [channel for channel in opened if isinstance(channel, Verifies)]
    if not quoting:
        raise _bad("quote_unused", "quote", "none of these ways can quote a post", "add one, or leave it out")
    for problem in (problem for channel in quoting for problem in channel.verify(_wording(draft), quotable)):
        raise InvalidAnnouncement(problem)


def _store(
    ports: Ports, tx: Transaction, draft: Draft, tree: audiences.Audience, digest: str, actor: Actor
) -> Accepted:
    known = _known_key(tx, draft, digest)
    if known is not None:
        return known
    operators.must(tx, actor, OperatorRole.AUTHOR, draft.department)
    announcement, _, found = _put(ports, tx, draft, tree, digest, actor)
    if refused := judging.refusal_in(found):
        raise refused
    facts = {
        "id": str(announcement.public_id),
        "digest": digest,
        "content_version": 1,
        "kept": kept_digest(announcement),
        "wording": wording_digest(
            [(draft.language, part.value, words) for part, words in draft.parts.items() if words],
            [(file.name, file.sha256) for file in draft.attachments],
        ),
    }
    tx.record.add([Entry("announcement.accepted", actor, facts, announcement.id)])
    judging.keep(tx, announcement.id, found, actor=actor)
    hold = judging.hold_of(found)
    if hold is not None:
        judging.hold_back(tx, announcement, hold)
    return Accepted(announcement, created=True, hold=hold)


def _put(
    ports: Ports, tx: Transaction, draft: Draft, tree: audiences.Audience, digest: str, actor: Actor
) -> tuple[Announcement, int, Sequence[judging.Ruling]]:
    """Store it, count whom it would tell, and ask the rules; what they refuse is for the caller to take back."""
    due_at, expires_at = _judged(ports, tx, draft, tree)
    announcement = tx.announcements.add(
        draft, digest=digest, actor=actor, due_at=due_at, expires_at=expires_at
    )
    today = tx.now.astimezone(ZoneInfo(tx.school.zone)).date()
    audience = resolve(tx, tree)
    counted = tx.reaches.count(audience, draft.people, today)
    tx.cases.count(announcement.id, counted, draft.expected)
    reckon(ports, tx, announcement, audience)
    return announcement, counted, judging.rulings(ports, tx, announcement, asked=True)


def _known_key(tx: Transaction, draft: Draft, digest: str) -> Accepted | None:
    known = tx.announcements.by_key(draft.department, draft.key) if draft.key is not None else None
    return _same(known, digest) if known is not None else None


def _judged(
    ports: Ports, tx: Transaction, draft: Draft, tree: audiences.Audience
) -> tuple[datetime, datetime]:
    """What only the ledger can tell of a draft; returns when it is due and when it expires."""
    if not tx.announcements.department_exists(draft.department):
        raise _unknown_department()
    resolve(tx, tree)
    _check_copies(tx, draft)
    _check_accounts(tx, draft)
    _check_files(ports, tx, draft)
    for problem in check_wording(ports, tx, draft):
        raise InvalidAnnouncement(problem)
    return times(draft, tx.now)


def _same(known: tuple[Announcement, str], digest: str) -> Accepted:
    announcement, earlier = known
    if earlier != digest:
        raise KeyConflict(
            Problem(
                "key_conflict",
                "key",
                "this key was used before for another announcement",
                "use a new key, or send exactly the same announcement again",
            )
        )
    return Accepted(announcement, created=False)


def times(draft: Draft, now: datetime) -> tuple[datetime, datetime]:
    """(due_at, expires_at) at `now`. Raises InvalidAnnouncement for what is past, too far, or the wrong way round."""
    due = draft.send_at or now
    if due < now - TOLERANCE:
        raise _bad("past", "at", "this time is past", "leave it out to send now")
    if due > now + FURTHEST:
        raise _bad("too_far", "at", "this is more than a school year away", "check the year")
    due = max(due, now)
    expires = draft.expires_at or due + LIFETIME
    if expires <= due:
        raise _bad("expires_first", "expires", "it would expire before it is sent", "choose a later expiry")
    if expires > due + FURTHEST:
        raise _bad("too_far", "expires", "this is more than a school year away", "check the year")
    return due, expires


def _check_shape(draft: Draft) -> None:
    if not draft.department.isprintable():  # a half character or a NUL would break the look-up itself
        raise _unknown_department()
    if draft.key is not None and not (0 < len(draft.key) <= LONGEST_KEY and draft.key.isprintable()):
        raise _bad("bad_key", "key", f"a key is 1 to {LONGEST_KEY} printable characters", "use a UUID")
    if draft.language and not _LANGUAGE.fullmatch(draft.language):
        raise _bad("bad_language", "language", "this is no language", "write it as en, cy or pt-BR")
    if draft.urgency is Urgency.URGENT and draft.purpose is Purpose.PROMOTIONAL:
        raise _bad("urgent_promotion", "urgency", "promotional is never urgent", "send it as routine")
    if not draft.ways or not all(step.channels for step in draft.ways):
        raise _bad("no_way", "via", "no way to send it is named", "name one, such as sms,email")
    if len(draft.ways) > 1:
        raise _bad("one_step", "via", "ways one after the other are not there yet", "name them in one step")
    named = _channels(draft)
    if len(set(named)) != len(named):
        raise _bad("way_twice", "via", "a way is named twice", "name each once")


def _check_channels(ports: Ports, draft: Draft, tree: audiences.Audience) -> None:
    """Every chosen channel is one there is, not alone where it may not be, and the files are not too much."""
    traits: dict[str, Traits] = {}
    for name in _channels(draft):
        try:
            traits[name] = ports.channels.traits(name)
        except UnknownChannel as error:
            raise InvalidAnnouncement(replace(error.problems[0], field="via")) from None
    for problem in company.alone(tree, traits):
        raise InvalidAnnouncement(problem)
    if draft.attachments:
        _must_take_files(traits.values())
    check_files(draft.attachments)


def check_files(files: Sequence[Attachment]) -> None:
    """Names that differ, and no more than a mail can carry. Raises InvalidAnnouncement."""
    if len({file.name for file in files}) < len(files):
        raise _bad("same_name", "attachments", "two attachments have the same name", "rename one of them")
    if sum(len(file.data) for file in files) > MOST_BYTES:
        raise _bad("too_large", "attachments", "the attachments are too large for a mail", "send a link")


def _check_copies(tx: Transaction, draft: Draft) -> None:
    if draft.copies and tx.people.staff_unknown(draft.copies):
        hint = "give the roster's id of a member of staff, as `carillon people show` tells it"
        raise _bad("unknown_copy", "copy", "who should read it too is nobody on the staff", hint)


def _check_accounts(tx: Transaction, draft: Draft) -> None:
    for name in _channels(draft):
        if tx.accounts.for_channel(name, draft.department) is None:
            raise _bad(
                "no_account",
                "via",
                f"no {name} account is set up for this department",
                "`carillon channels` says what one needs, `carillon doctor` checks it",
            )


def _check_files(ports: Ports, tx: Transaction, draft: Draft) -> None:
    """An account links to a file only where the school has a public address."""
    if draft.attachments:
        accounts = [tx.accounts.for_channel(name, draft.department) for name in _channels(draft)]
        opened = [ports.channels.open(account.name) for account in accounts if account is not None]
        _must_take_files([channel.traits for channel in opened])


def _must_take_files(ways: Iterable[Traits]) -> None:
    if not any(each.carries_files or each.links_files for each in ways):
        hint = "add one that does, such as email, or give a link"
        raise _bad("no_way_for_files", "attachments", "none of these ways can carry a file", hint)


def check_wording(ports: Ports, tx: Transaction, draft: Draft) -> Sequence[Problem]:
    """What each chosen channel, as set up for this department, has against the wording."""
    found: list[Problem] = []
    for name in _channels(draft):
        account = tx.accounts.for_channel(name, draft.department)
        if account is not None:
            found += ports.channels.open(account.name).check(_wording(draft), draft.attachments)
    return found


def _wording(draft: Draft) -> Content:
    return Content(1, draft.language, draft.parts, draft.attachments)


def _channels(draft: Draft) -> Sequence[str]:
    return [channel for step in draft.ways for channel in step.channels]


def _the(tx: Transaction, public_id: UUID) -> Announcement:
    announcement = tx.announcements.by_public_id(public_id, lock=True)
    if announcement is None:
        raise NotFound(
            Problem("not_found", "id", "there is no such announcement", "copy its id from `carillon status`")
        )
    return announcement


def _unknown_department() -> InvalidAnnouncement:
    return _bad("unknown_department", "department", "this department is not known", "see `carillon doctor`")


def _bad(code: str, field: str, message: str, hint: str) -> InvalidAnnouncement:
    return InvalidAnnouncement(Problem(code, field, message, hint))
