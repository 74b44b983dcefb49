"""Hearing: what people text to an account. A keyword is acted on at once, the rest is brought to a person.

By the provider's id each text is heard once: whoever plays one again, however well signed, opts nobody in or out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from broker.actor import Actor
from broker.address import AddressKind
from broker.capabilities import Heard
from broker.consent import optouts
from broker.incoming import answers
from broker.incoming.answering import Inbound
from broker.incoming.keywords import Asked, Keyword, keyword_of
from broker.ports import Ports, Transaction

SOURCES = {Asked.STOP: "a text that said STOP", Asked.START: "a text that said START"}


def hear(ports: Ports, tx: Transaction, account: int, texts: Sequence[Heard], *, actor: Actor) -> None:
    """Act on what was sent to an account, in the order in which it came, in the caller's transaction."""
    if not texts:
        return
    channel = next(row.channel for row in tx.accounts.all() if row.id == account)
    new = tx.opt_outs.new_to_us({(account, text.provider_id) for text in texts})
    fresh: list[tuple[Heard, Keyword | None]] = []
    for text in texts:
        if (account, text.provider_id) in new:
            new.discard((account, text.provider_id))  # twice in one chunk is once, too
            fresh.append((text, keyword_of(text.text, text.asked)))
    _act(ports, tx, channel, fresh, actor)
    told = [_inbound(text, keyword, channel, account) for text, keyword in fresh]
    answers.record_settled(ports, tx, [one for one in told if one.settled], actor=actor)
    for one in told:
        if not one.settled:
            answers.record_inbound(ports, tx, one, actor=actor)


def _inbound(text: Heard, keyword: Keyword | None, channel: str, account: int) -> Inbound:
    settled = keyword is not None and keyword.alone and keyword.asked in SOURCES
    return Inbound(channel, text.sender, text.text, text.provider_id, account=account, settled=settled)


def _act(
    ports: Ports, tx: Transaction, channel: str, texts: Sequence[tuple[Heard, Keyword | None]], actor: Actor
) -> None:
    """Runs of one kind go together: a thousand stops are a few statements, and a start after a stop still counts."""
    kind = ports.channels.traits(channel).address_kind or AddressKind.MOBILE
    asked = (
        (keyword.asked, text.sender)
        for text, keyword in texts
        if keyword is not None and keyword.asked in SOURCES
    )
    for what, run in groupby(asked, key=itemgetter(0)):
        verb = optouts.stop if what is Asked.STOP else optouts.start
        hashes = optouts.hashes_of(ports.signer, tx, kind, [sender for _, sender in run])
        if hashes:
            verb(tx, hashes, channel, source=SOURCES[what], actor=actor)
