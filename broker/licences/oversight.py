"""Oversight: licences, how accounts look and what stands on them, seen to though nothing is to be sent (R18, R22).

A turn of its own, for providers may take their time. Every look is due at its own pace, whichever worker comes first
takes it, and what cannot be seen now is looked at again later.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from broker import intake
from broker.actor import SYSTEM, Actor
from broker.announcement import Draft, Part, People, Step
from broker.authority import operators
from broker.capabilities import Post, ReadsBack
from broker.channel import Channel
from broker.errors import BrokerError, DeliveryFailure, Problem, RateLimited, RuleBroken
from broker.licences import lapsing, licensing, posture
from broker.ports import Ports, Transaction
from broker.ports.licences import FoundPost
from broker.record import Entry
from broker.values import AccountRow

log = logging.getLogger(__name__)
ALARM = "found_post"
SLOWEST = timedelta(hours=1)  # of looks at an account that fails again and again
LONGEST_KEPT = 5_000  # characters of a found post: X's longest is longer, and nobody reads that in a feed


def oversee(ports: Ports, *, actor: Actor = SYSTEM) -> int:
    """Look at whatever is due; returns how many things there were to tell. Never raises for one account's trouble."""
    told = lapsing.look_after(ports, actor=actor)
    with ports.ledger.look() as tx:
        accounts = tx.accounts.all()
        look_every = tx.rules.current().duration("social.look_every")
    for account in accounts:
        if account.paused_at is not None:
            continue
        try:
            channel = ports.channels.open(account.name)
        except BrokerError:  # the settings of this process do not name it
            continue
        posture.look_if_old(ports, account, channel, actor=actor, after=look_every)
        told += read_back(ports, account, channel, actor=actor)
    return told


def read_back(ports: Ports, account: AccountRow, channel: Channel, *, actor: Actor = SYSTEM) -> int:
    """Read what stands on an account, where that is due; returns how many posts were found that are not ours."""
    if not isinstance(channel, ReadsBack):
        return 0
    with ports.ledger.look() as seen:
        every = seen.rules.current().duration("social.read_every")
    since = ports.ledger.transact(lambda tx: tx.posts.watch_due(account.id, every=every))
    if since is None:
        return 0
    try:
        posts = channel.posts(since)
    except DeliveryFailure as failure:
        _put_off(ports, account, failure, every)
        return 0
    except Exception as error:  # noqa: BLE001 - a channel's own code: what it breaks on leaves its posts unread
        log.error("reading what stands on %s failed: %s", account.name, type(error).__name__)
        return 0
    found = ports.ledger.transact(lambda tx: _keep(tx, account, posts, since, actor))
    _carry_what_waits(ports, account, actor)
    return len(found)


def seen(ports: Ports, name: str, *, actor: Actor) -> None:
    """Somebody has looked at what was found on an account: its alarm is cleared. Raises NotFound, NotAllowed."""

    def work(tx: Transaction) -> None:
        account = licensing.the_account(tx, name)
        operators.must_have(tx, actor, operators.STOPS, account.department)
        tx.sweeps.clear_alarm(ALARM, account.name)
        tx.record.add([Entry("posts.seen", actor, {"account": account.name})])

    ports.ledger.transact(work)


def _put_off(ports: Ports, account: AccountRow, failure: DeliveryFailure, every: timedelta) -> None:
    """Twice as long with each failure, and as long as the provider itself asks for."""

    def work(tx: Transaction) -> int:
        failures = tx.posts.watch_failed(account.id)
        wait = min(every * 2**failures, SLOWEST)
        if isinstance(failure, RateLimited) and failure.retry_after is not None:
            wait = max(wait, failure.retry_after)
        tx.posts.put_off(account.id, by=wait)
        return failures

    if ports.ledger.transact(work) == 1:
        log.warning("what stands on %s cannot be read: %s", account.name, failure.why)


def _keep(
    tx: Transaction, account: AccountRow, posts: Sequence[Post], since: datetime, actor: Actor
) -> Sequence[Post]:
    """Of these posts, those that are not ours and were not found before."""
    tx.posts.watched(account.id)
    ids = [post.provider_id for post in posts]
    digests = {digest for post in posts for digest in post.digests}
    ours, waiting = tx.posts.ours(account.id, ids, digests) if posts else (set(), set())
    found = [
        post
        for post in posts
        if post.posted_at >= since  # asked for in whole seconds
        and post.provider_id not in ours
        and not post.digests & waiting  # one of ours whose answer is still on its way, or was lost
        and tx.posts.keep_found(account.id, post.provider_id, _bounded(post.text), post.posted_at)
    ]
    for post in found:
        digest = sha256(post.text.encode("utf-8", "replace")).hexdigest()
        facts = {"account": account.name, "post": post.provider_id, "digest": digest}
        tx.record.add([Entry("post.found", actor, facts)])
    if found:
        how = f"see: carillon accounts posts {account.name}; and change its password, if nobody knows who it was"
        tx.sweeps.raise_alarm(
            ALARM, account.name, f"something was posted there that did not come from here; {how}"
        )
    return found


def _carry_what_waits(ports: Ports, account: AccountRow, actor: Actor) -> None:
    """What the school wants in its feeds too; also what a worker that died had found and not carried yet."""
    with ports.ledger.look() as tx:
        waiting = tx.posts.to_carry(account.id) if tx.rules.current().yes("social.carry_found") else ()
    for post in waiting:
        _carry(ports, account, post, actor)


def _carry(ports: Ports, account: AccountRow, post: FoundPost, actor: Actor) -> None:
    """Say it in the feeds by the ordinary way, so that every rule judges it; the same post is carried once."""
    into, why_not = None, ""
    try:
        into = str(intake.accept(ports, _draft(ports, account, post), actor=actor).announcement.public_id)
    except RuleBroken as broken:
        why_not = broken.problem.message
    ports.ledger.transact(
        lambda tx: tx.posts.carried(account.id, post.provider_id, into=into, why_not=why_not)
    )


def _draft(ports: Ports, account: AccountRow, post: FoundPost) -> Draft:
    if account.department is None:
        message = "the account belongs to no department, so that nobody's feed is meant"
        raise RuleBroken(Problem("no_department", "department", message, "give the account a department"))
    feeds = [name for name in ports.channels.names() if _is_a_feed(ports, name)]
    return Draft(
        department=account.department,
        audience="everyone",
        people=People.GUARDIANS,
        ways=(Step(tuple(feeds)),),
        parts={Part.SHORT: _bounded(post.text)},
        key=f"found on {account.name}: {post.provider_id}",
    )


def _is_a_feed(ports: Ports, channel: str) -> bool:
    """A broadcast that everybody can read without an account, and that the school has set up."""
    traits = ports.channels.traits(channel)
    with ports.ledger.look() as tx:
        has_account = any(each.channel == channel for each in tx.accounts.all())
    return traits.broadcast and not traits.never_alone and has_account


def _bounded(text: str) -> str:
    """What can be kept: no half characters, and an end."""
    return text.encode("utf-8", "replace").decode()[:LONGEST_KEPT]
