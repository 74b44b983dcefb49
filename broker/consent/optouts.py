"""Opt-outs: an address that asks for no more on a channel gets no more, for ever, until it asks to hear again.

Kept by a keyed hash, so that neither an erasure nor a roster that brings the number back undoes it. Every way in ends
here: a text that says STOP, a provider's code, the page behind a link, a mail program's button, the office.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from broker.actor import Actor
from broker.address import AddressKind, BadAddress, fold_email, parse_email, parse_mobile
from broker.authority.operators import must
from broker.errors import NotFound, Problem, RuleBroken
from broker.ports import Ports, Signer, Transaction
from broker.ports.approvals import OperatorRole
from broker.ports.consents import OptOutRow
from broker.record import Entry
from broker.values import StopKind

PREFIX = 9  # bytes of a hash in a link: enough to find it, of no use to whoever sees it
MAC = 16  # characters of the signature in a link: 96 bits
TOKEN = PREFIX * 4 // 3 + MAC
PURPOSE = "unsubscribe"
LINK = "unsubscribe"  # its name among a recipient's links
_REF = re.compile(r"(?:[0-9a-f]{2}){6,32}")


def stop(tx: Transaction, hashes: Sequence[bytes], channel: str, *, source: str, actor: Actor) -> int:
    """Opt addresses out of a channel, and brake what is in hand for them; safe to repeat. How many are on file."""
    concerned = tx.opt_outs.add(hashes, channel, source=source)
    tx.stops.add_all(StopKind.ADDRESS, concerned)
    facts = {"channel": channel, "source": _by(source), "count": len(hashes), "addresses": list(concerned)}
    tx.record.add([Entry("optout.kept", actor, facts)])
    return len(concerned)


def start(tx: Transaction, hashes: Sequence[bytes], channel: str, *, source: str, actor: Actor) -> int:
    """Lift opt-outs, because whoever holds the address says so; returns how many there were."""
    lifted = tx.opt_outs.lift(hashes, channel)
    if lifted:
        facts = {"channel": channel, "source": _by(source), "count": len(lifted)}
        tx.record.add([Entry("optout.lifted", actor, facts)])
    return len(lifted)


def _by(source: str) -> str:
    """Without what somebody typed to it: that stands with the opt-out, from where it can go."""
    return source.partition(":")[0]


# --- by the office ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one address: whether it changed anything, and whether the address is on file."""

    changed: bool
    on_file: bool


def add(ports: Ports, address: str, channel: str, *, why: str, actor: Actor) -> Settled:
    """Opt one address out, because somebody asked the office. Raises RuleBroken for what is no address of its kind."""
    kind = _kind(ports, channel)

    def work(tx: Transaction) -> Settled:
        parsed = _parsed(kind, address, tx.school.region)
        known = tx.opt_outs.of(_hash(ports.signer, kind, parsed), channel) is not None
        hashes = hashes_of(ports.signer, tx, kind, [parsed])
        return Settled(not known, stop(tx, hashes, channel, source=f"the office: {why}", actor=actor) > 0)

    return ports.ledger.transact(work)


def lift(ports: Ports, address_or_ref: str, channel: str, *, why: str, actor: Actor) -> Settled:
    """Let an address hear again, because whoever holds it asked the office. Raises NotFound, NotAllowed, RuleBroken."""
    kind = _kind(ports, channel)

    def work(tx: Transaction) -> Settled:
        must(tx, actor, OperatorRole.AUTHOR)
        keyed = _named(ports, tx, kind, address_or_ref, channel)
        row = tx.opt_outs.of(keyed, channel)
        if row is None:
            return Settled(changed=False, on_file=False)
        start(tx, [keyed], channel, source=f"the office: {why}", actor=actor)
        return Settled(changed=True, on_file=bool(row.shown))

    return ports.ledger.transact(work)


def _named(ports: Ports, tx: Transaction, kind: AddressKind, word: str, channel: str) -> bytes:
    """The hash that a word means: the beginning of one, as the list shows it, or an address.

    A number without its + looks like the beginning of a hash: what has opted out is meant, and both is neither.
    """
    if _REF.fullmatch(word) is None:
        return _hash(ports.signer, kind, _parsed(kind, word, tx.school.region))
    theirs = {h for h, _ in tx.opt_outs.beginning(bytes.fromhex(word)) if tx.opt_outs.of(h, channel)}
    number = hash_of(ports.signer, kind, word, tx.school.region)
    if number is not None and (not theirs or tx.opt_outs.of(number, channel) is not None):
        theirs.add(number)
    if len(theirs) == 1:
        return theirs.pop()
    if theirs:
        hint = "write a number with its +, or more of what `carillon optouts list` calls it"
        raise NotFound(Problem("ambiguous", "address", "this may mean several opt-outs", hint))
    hint = "list them with: carillon optouts list; a number may be written +44 7911 123456"
    raise NotFound(Problem("unknown_opt_out", "address", "no opt-out is called this", hint))


def _kind(ports: Ports, channel: str) -> AddressKind:
    kind = ports.channels.traits(channel).address_kind
    if kind is None or not kind.of_people:
        message = "nobody is written to by this way, so nobody can be taken out of it"
        raise RuleBroken(Problem("not_personal", "via", message, "name sms or email"))
    return kind


def _parsed(kind: AddressKind, word: str, region: str) -> str:
    try:
        return parse_mobile(word, region) if kind is AddressKind.MOBILE else parse_email(word)
    except BadAddress as bad:
        problem = Problem(bad.problem.code, "address", bad.problem.message, bad.problem.hint)
        raise RuleBroken(problem) from None


def _hash(signer: Signer, kind: AddressKind, value: str) -> bytes:
    return signer.hash_address(kind, fold_email(value) if kind is AddressKind.EMAIL else value)


def hashes_of(signer: Signer, tx: Transaction, kind: AddressKind, spelt: Iterable[str]) -> Sequence[bytes]:
    """The keyed hashes of addresses as strangers spell them, without what is no address.

    By both keys where the school's was changed: until the next import those on file are known by the old one.
    """
    region = tx.school.region  # asked for once: a thousand stops come in a chunk
    parsed = [one for word in spelt if (one := _read(kind, word, region)) is not None]
    hashes = [_hash(signer, kind, one) for one in parsed]
    return list(dict.fromkeys([*hashes, *tx.opt_outs.on_file(kind, parsed)]))


def hash_of(signer: Signer, kind: AddressKind, value: str, region: str) -> bytes | None:
    """The keyed hash of an address as a stranger spells it; None for what is no address."""
    parsed = _read(kind, value, region)
    return None if parsed is None else _hash(signer, kind, parsed)


def _read(kind: AddressKind, value: str, region: str) -> str | None:
    try:
        return parse_mobile(value, region) if kind is AddressKind.MOBILE else parse_email(value)
    except BadAddress:
        return None


# --- links ------------------------------------------------------------------------------------------------------------


class Links(Mapping[str, str]):
    """A recipient's links, each signed when somebody looks: most texts never do."""

    __slots__ = ("_base", "_channel", "_hash", "_signer")

    def __init__(self, signer: Signer, base: str, channel: str, address_hash: bytes) -> None:
        self._signer, self._base, self._channel, self._hash = signer, base, channel, address_hash

    def __getitem__(self, name: str) -> str:
        if name != LINK:
            raise KeyError(name)
        return f"{self._base}/u/{token_of(self._signer, self._channel, self._hash)}"

    def __iter__(self) -> Iterator[str]:
        return iter((LINK,))

    def __len__(self) -> int:
        return 1

    def __repr__(self) -> str:
        return "<links>"


def token_of(signer: Signer, channel: str, address_hash: bytes) -> str:
    """What stands in a link: short enough for a text, of no use on another channel, and nobody else can make it."""
    return urlsafe_b64encode(address_hash[:PREFIX]).decode() + _mac(signer, channel, address_hash)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose link it is: the address's hash, the channel it came by, and what may be shown of it."""

    hash: bytes = field(repr=False)
    channel: str
    shown: str


def holder_of(ports: Ports, tx: Transaction, token: str) -> Holder | None:
    """Whose link this is; None when it was never made here, or when nothing is known of its address any more.

    In the same time whether or not the beginning is somebody's: every candidate is compared to its end.
    """
    prefix = _prefix(token)
    if prefix is None:
        return None
    channels = [
        name for name in ports.channels.names() if ports.channels.traits(name).address_kind is not None
    ]
    found: Holder | None = None
    for keyed, shown in tx.opt_outs.beginning(prefix) or [(bytes(32), "")]:
        for channel in channels:
            held = hmac.compare_digest(_mac(ports.signer, channel, keyed).encode(), token[-MAC:].encode())
            if held and keyed != bytes(32):
                found = Holder(keyed, channel, shown)
    return found


def _prefix(token: str) -> bytes | None:
    if len(token) != TOKEN or not token.isascii():
        return None
    try:
        return urlsafe_b64decode(token[:-MAC])
    except ValueError:
        return None


def _mac(signer: Signer, channel: str, address_hash: bytes) -> str:
    return signer.sign(PURPOSE, f"{channel}:{address_hash.hex()}").rpartition(".")[2][:MAC]


def by_link(
    ports: Ports, tx: Transaction, token: str, *, stop_it: bool, actor: Actor
) -> tuple[Holder, bool] | None:
    """Stop, or begin again, for whoever holds a link; whose it is, and whether it is opted out now. Safe to repeat."""
    holder = holder_of(ports, tx, token)
    if holder is None:
        return None
    opted_out = is_opted_out(tx, holder) is not None
    if stop_it and not opted_out:
        stop(tx, [holder.hash], holder.channel, source="the link in a message", actor=actor)
    elif not stop_it and opted_out:
        start(tx, [holder.hash], holder.channel, source="the link in a message", actor=actor)
    return holder, stop_it


def is_opted_out(tx: Transaction, holder: Holder) -> OptOutRow | None:
    """The opt-out of a link's address, if it asked for no more."""
    return tx.opt_outs.of(holder.hash, holder.channel)
