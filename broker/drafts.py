"""What a draft must be before it is an announcement: its shape, times, files, and what its channels say of its words.

Two looks, the cheap one first: `checked` needs no ledger, `judged` does. Neither writes anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from broker import audience as audiences
from broker.announcement import Attachment, Content, Draft, Purpose, Urgency
from broker.capabilities import Suits
from broker.channel import Channel, Traits
from broker.errors import ChannelFailed, InvalidAnnouncement, Problem, SetupError, UnknownChannel
from broker.ladders import in_order
from broker.ladders.links import with_any_link
from broker.licences import company
from broker.naming import CHANGES
from broker.office.expressions import resolve
from broker.ports import Ports, Transaction
from broker.wording import check_parts

LIFETIME = timedelta(hours=24)  # of an announcement whose author named no expiry
FURTHEST = timedelta(days=400)  # a school year and its summer
TOLERANCE = timedelta(minutes=2)  # a time this little past means now: forms take a while to fill in
LONGEST_KEY = 200
MOST_BYTES = 15_000_000  # of attachments, together
# BCP 47, as far as schools need it.
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,3}", re.ASCII)


def checked(ports: Ports, draft: Draft, *, changes: bool = False) -> tuple[Draft, audiences.Audience]:
    """What can be checked without the ledger; the wording comes back normalised.

    `changes`: somebody keeps beside it what `{changes}` are. Raises what `judged` raises.
    """
    found = in_order.with_ladder(replace(draft, parts=check_parts(draft.parts)))
    if not changes and any(CHANGES in text for text in found.parts.values()):
        hint = "such a template is for `carillon timetable`; write here what changes"
        raise _bad("changes_unknown", "text", f"nobody says what {CHANGES} are", hint)
    _check_shape(found)
    tree = audiences.parse(found.audience)
    _check_channels(ports, found, tree)
    return found, tree


def judged(
    ports: Ports, tx: Transaction, draft: Draft, tree: audiences.Audience, *, patient: bool = False
) -> tuple[datetime, datetime]:
    """What only the ledger can tell of a draft; returns when it is due and when it expires.

    `patient`: nobody is there to choose another way, so what an account that cannot be opened would say is not asked.
    Raises InvalidAnnouncement, UnknownAudience; SetupError for such an account, or for a channel that fails.
    """
    if draft.department not in tx.school.departments:
        raise _unknown_department()
    if draft.follows is None:  # its thread says whom a follow-up is about, and groups go
        resolve(tx, tree)
    _check_copies(tx, draft)
    _check_accounts(tx, draft)
    opened = _opened(ports, tx, draft, patient=patient)
    if draft.attachments and opened:
        # An account links to a file only where the school has a public address.
        _must_take_files((channel.name, channel.traits) for channel in opened)
    _must_suit(opened, tree)
    _must_be_said(ports, draft, opened)
    return times(draft, tx.now)


def check_wording(ports: Ports, tx: Transaction, draft: Draft) -> None:
    """Have its ways look at a wording alone. Raises InvalidAnnouncement, and SetupError as `judged` does."""
    _must_be_said(ports, draft, _opened(ports, tx, draft, patient=False))


def _must_be_said(ports: Ports, draft: Draft, opened: Sequence[Channel]) -> None:
    wording = with_its_link(ports, wording_of(draft))
    for problem in (each for channel in opened for each in objections(channel, wording)):
        raise InvalidAnnouncement(problem)


def _must_suit(opened: Sequence[Channel], tree: audiences.Audience) -> None:
    """A channel that speaks to classes says whether these people have one there. Raises InvalidAnnouncement."""
    for channel in opened:
        try:
            problems = list(channel.suits(tree)) if isinstance(channel, Suits) else ()
        except Exception as error:
            raise ChannelFailed(channel.name, error) from error
        for problem in problems:
            raise InvalidAnnouncement(problem)


def objections(channel: Channel, content: Content) -> Sequence[Problem]:
    """What a channel says against a wording. Raises ChannelFailed where its own code raises."""
    try:
        return list(channel.check(content, content.attachments))
    except Exception as error:
        # Anybody may write a channel: what one breaks on is said of this announcement, and keeps no other waiting.
        raise ChannelFailed(channel.name, error) from error


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
    named = channels_of(draft)
    if len(set(named)) != len(named):
        raise _bad("way_twice", "via", "a way is named twice", "name each once")


def _check_channels(ports: Ports, draft: Draft, tree: audiences.Audience) -> None:
    """Every chosen channel is one there is, not alone where it may not be, and the files are not too much."""
    traits: dict[str, Traits] = {}
    for name in channels_of(draft):
        try:
            traits[name] = ports.channels.traits(name)
        except UnknownChannel as error:
            raise InvalidAnnouncement(replace(error.problems[0], field="via")) from None
    for problem in in_order.out_of_order(draft, traits):
        raise InvalidAnnouncement(problem)
    for problem in company.alone(tree, traits):
        raise InvalidAnnouncement(problem)
    if draft.attachments:
        _must_take_files(traits.items())
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
    for name in channels_of(draft):
        if tx.accounts.for_channel(name, draft.department) is None:
            raise _bad(
                "no_account",
                "via",
                f"no {name} account is set up for this department",
                "`carillon channels` says what one needs, `carillon doctor` checks it",
            )


def _must_take_files(ways: Iterable[tuple[str, Traits]]) -> None:
    """At least one way takes them, by whichever of its gateways it goes."""
    takes: dict[str, bool] = {}
    for name, each in ways:
        takes[name] = takes.get(name, True) and (each.carries_files or each.links_files)
    if not any(takes.values()):
        hint = "add one that does, such as email, or give a link"
        raise _bad("no_way_for_files", "attachments", "none of these ways can carry a file", hint)


def _opened(ports: Ports, tx: Transaction, draft: Draft, *, patient: bool) -> Sequence[Channel]:
    """Each chosen channel as set up for this department, by each of its gateways: it may go by any.

    Raises SetupError, unless somebody is patient.
    """
    found: list[Channel] = []
    for name in channels_of(draft):
        account = tx.accounts.for_channel(name, draft.department)
        if account is None:
            continue
        try:
            found += gateways_of(ports, account.name)
        except SetupError:
            if not patient:
                raise
    return found


def gateways_of(ports: Ports, account: str) -> Sequence[Channel]:
    """An account as the channel of each of its gateways. Raises SetupError."""
    return [ports.channels.through(account, each.name) for each in ports.channels.gateways(account)]


def with_its_link(ports: Ports, wording: Content) -> Content:
    """The wording as long as it will be. Raises InvalidAnnouncement where a link is wanted and would lead nowhere."""
    if wording.seen and not ports.public_url:
        hint = "set CARILLON_PUBLIC_URL, or leave out what asks whether it was seen"
        raise _bad(
            "no_public_url", "seen", "the school has no public address that a link could lead to", hint
        )
    return with_any_link(wording, ports.public_url)


def wording_of(draft: Draft) -> Content:
    """What a channel is asked about, as it will be stored: without parts in which nothing stands."""
    asks = draft.ladder is not None and draft.ladder.asks
    parts = {part: text for part, text in draft.parts.items() if text}
    return Content(1, draft.language, parts, draft.attachments, seen=asks)


def channels_of(draft: Draft) -> Sequence[str]:
    """Every way that it names."""
    return [channel for step in draft.ways for channel in step.channels]


def _unknown_department() -> InvalidAnnouncement:
    return _bad("unknown_department", "department", "this department is not known", "see `carillon doctor`")


def _bad(code: str, field: str, message: str, hint: str) -> InvalidAnnouncement:
    return InvalidAnnouncement(Problem(code, field, message, hint))
