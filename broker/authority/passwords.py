"""Passwords and second factors: checked with the same work for everybody, and slowed down without locking anybody out.

Tries are counted by where they come from and by whom they are for; a browser on which this operator has signed in
before is counted by itself, so whoever tries their name from elsewhere does not stop them (OWASP: device cookies).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from broker.actor import Actor, ActorKind
from broker.audience import fold
from broker.authority.good_passwords import as_typed, fit
from broker.authority.operators import must, same, the
from broker.authority.shown_once import SECRET, digest
from broker.authority.signin import Came, SignedIn, begin, must_be_fresh, session_of
from broker.errors import NotProved, Problem, TooManyTries
from broker.ports import Ports, Proof, Session, Stage, Transaction, Vault
from broker.ports.approvals import OperatorRole
from broker.record import Entry

NEED_SECOND = frozenset({OperatorRole.APPROVER, OperatorRole.ADMIN})
LONGEST_NAME = 80
DEVICE_LASTS = timedelta(days=180)
CODES = 10
CODE_LENGTH = 12  # characters of 32: 60 bits, kept as keyed digests
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that looks like something else
# At once, then one every: of a place a school's whole staff room shares, of one account, of one known browser.
SOURCE = (timedelta(seconds=20), 30)
ACCOUNT = (timedelta(seconds=60), 10)
DEVICE = (timedelta(seconds=30), 10)
# Whoever types codes on a new browser has the password; three of a million codes hold at once: 1 in 1,000 a day.
OF_CODES = (timedelta(minutes=5), 10)


def by_password(ports: Ports, vault: Vault, name: str, password: str, *, came: Came) -> SignedIn:
    """Begin a session, whole or waiting for a code. Raises TooManyTries, NotProved; it takes as long for any name."""
    asked = name if len(name) <= LONGEST_NAME and name.isprintable() else ""
    pace(ports, vault, asked, came, "password")
    with ports.ledger.look() as tx:
        proof = tx.proofs.of(asked)
    typed = as_typed(password)
    right = vault.holds(proof.password if proof else None, typed)
    if proof is None or not right:
        _refused(ports, proof)
        raise not_proved()
    anew = vault.hash_password(typed) if proof.password and vault.is_dated(proof.password) else None

    def work(tx: Transaction) -> SignedIn:
        now = tx.proofs.of(proof.operator)
        if now is None or now.password != proof.password:  # it was changed, or they were removed, just now
            raise not_proved()
        if anew is not None:
            tx.proofs.set_password(proof.operator, anew)
        return begin(tx, proof.operator, "password", came, stage=_after_password(tx, now))

    begun = ports.ledger.transact(work)
    forgive(ports, vault, asked, came, "password")
    return begun


def by_code(ports: Ports, vault: Vault, secret: str, code: str, *, came: Came) -> SignedIn:
    """The second factor of a sign-in that waits for it, or a recovery code. Raises TooManyTries, NotProved."""
    session, proof = _waiting(ports, secret, Stage.SECOND)
    pace(ports, vault, session.operator, came, "code")

    def work(tx: Transaction) -> SignedIn:
        _use_code(tx, vault, proof, code)
        return begin(tx, session.operator, session.how, replace(came, instead_of=secret))

    begun = _or_record(ports, proof, work)
    forgive(ports, vault, session.operator, came, "code")
    return begun


def prove_again(
    ports: Ports, vault: Vault, secret: str, password: str | None, code: str, *, came: Came
) -> SignedIn:
    """Prove once more who one is, by all of password and code that one has; a new session takes over.

    `password` None: the school has none. Raises as `by_code`.
    """
    session, proof = _waiting(ports, secret, Stage.WHOLE, Stage.ENROL)
    # Whoever signs in by a provider may have a telephone and no password: then its code is the proof.
    by_word = password is not None and proof.password is not None
    what = "password" if by_word else "code"
    pace(ports, vault, session.operator, came, what)
    right = vault.holds(proof.password, as_typed(password or "")) if by_word else proof.second is not None

    def work(tx: Transaction) -> SignedIn:
        now = tx.proofs.of(proof.operator)
        if not right or now is None or (now.password, now.second) != (proof.password, proof.second):
            raise not_proved()
        if now.second is not None:
            _use_code(tx, vault, proof, code)
        tx.record.add([Entry("session.proved", _self(session), {})])
        return begin(tx, session.operator, session.how, replace(came, instead_of=secret))

    begun = _or_record(ports, proof, work)
    forgive(ports, vault, session.operator, came, what)
    return begun


def choose_password(ports: Ports, vault: Vault, secret: str, password: str, *, came: Came) -> SignedIn:
    """A new password, by an invitation or with a fresh proof; every other session ends.

    Raises NotToBeChanged for one that is too weak, ProofWanted, NotProved.
    """
    session, _ = _waiting(ports, secret, Stage.PASSWORD, Stage.WHOLE)
    with ports.ledger.look() as tx:
        fit(password, (session.operator, tx.school.name))
    hashed = vault.hash_password(as_typed(password))

    def work(tx: Transaction) -> SignedIn:
        _still(tx, secret, session)
        tx.proofs.set_password(session.operator, hashed)
        tx.sessions.end_all(session.operator)
        tx.record.add([Entry("password.set", _self(session), {})])
        proof = tx.proofs.of(session.operator)
        stage = Stage.WHOLE if session.stage is Stage.WHOLE else _after_password(tx, proof)
        how = session.how if stage is Stage.WHOLE and session.stage is Stage.WHOLE else "password"
        return begin(tx, session.operator, how, replace(came, instead_of=None), stage=stage)

    return ports.ledger.transact(work)


def enrol(
    ports: Ports, vault: Vault, secret: str, second: str, code: str, *, came: Came
) -> tuple[SignedIn, Sequence[str]]:
    """A second factor, confirmed by a code of it, and new recovery codes to be shown this once.

    Raises ProofWanted, TooManyTries, NotProved.
    """
    session, proof = _waiting(ports, secret, Stage.ENROL, Stage.WHOLE)
    pace(ports, vault, session.operator, came, "code")
    sealed = vault.seal(_sealed_for(session.operator), second)
    codes = new_codes()

    def work(tx: Transaction) -> SignedIn:
        _still(tx, secret, session)
        step = vault.step_of(second, code, tx.now, after=0)
        if step is None:
            raise not_proved()
        tx.proofs.set_second(session.operator, sealed, step)
        tx.proofs.set_codes(session.operator, [_code_digest(vault, session.operator, one) for one in codes])
        tx.sessions.end_all(session.operator)
        tx.record.add([Entry("second_factor.set", _self(session), {})])
        return begin(tx, session.operator, session.how, replace(came, instead_of=None))

    begun = _or_record(ports, proof, work)
    forgive(ports, vault, session.operator, came, "code")
    return begun, codes


def renew_codes(ports: Ports, vault: Vault, secret: str) -> Sequence[str]:
    """New recovery codes in place of all before, shown this once. Raises ProofWanted, NotProved."""
    session, proof = _waiting(ports, secret, Stage.WHOLE)
    if proof.second is None:
        raise not_proved()
    codes = new_codes()

    def work(tx: Transaction) -> None:
        _still(tx, secret, session)
        tx.proofs.set_codes(session.operator, [_code_digest(vault, session.operator, one) for one in codes])
        tx.record.add([Entry("recovery_codes.renewed", _self(session), {})])

    ports.ledger.transact(work)
    return codes


def remember_device(ports: Ports, operator: str, before: str | None) -> str | None:
    """The secret of a browser that somebody has signed in on; None where it is known as theirs already, or they are
    no operator.
    """
    secret = secrets.token_urlsafe(32)

    def work(tx: Transaction) -> str | None:
        if tx.proofs.of(operator) is None or _knows(tx, operator, before):
            return None
        tx.proofs.add_device(digest(secret), operator, lasts=DEVICE_LASTS)
        return secret

    return ports.ledger.transact(work)


def reset(ports: Ports, name: str, *, actor: Actor) -> int:
    """Everything that an operator signs in by goes, and every session: for a lost telephone, or a lost laptop.

    How many sessions ended. Raises NotFound, NotAllowed.
    """

    def work(tx: Transaction) -> int:
        must(tx, actor, OperatorRole.ADMIN)
        found = the(tx, name)
        tx.proofs.forget(found.name)
        ended = tx.sessions.end_all(found.name)
        tx.record.add([Entry("sign_in.reset", actor, {"operator": found.name, "sessions": ended})])
        return ended

    return ports.ledger.transact(work)


def pace(ports: Ports, vault: Vault, name: str, came: Came, what: str) -> None:
    """Count a try before it is looked at, so that many at once are counted too. Raises TooManyTries."""

    def work(tx: Transaction) -> bool:
        keys = _keys(tx, vault, name, came, what)
        return all(tx.proofs.charge(key, every=every, at_once=many) for key, (every, many) in keys)

    if not ports.ledger.transact(work):
        message = "too many tries just now"
        raise TooManyTries(Problem("too_many_tries", "", message, "wait a minute, then try again"))


def forgive(ports: Ports, vault: Vault, name: str, came: Came, what: str) -> None:
    """What was right counts for nothing."""

    def work(tx: Transaction) -> None:
        for key, (every, _) in _keys(tx, vault, name, came, what):
            tx.proofs.give_back(key, every=every)

    ports.ledger.transact(work)


def pace_of_source(ports: Ports, vault: Vault, came: Came, what: str) -> None:
    """Count a try that is for nobody by name: a link that does not hold, a way back from a provider.

    Neither is ever guessed, though each costs. Raises TooManyTries.
    """
    pace(ports, vault, "", replace(came, device=None), what)


def new_codes() -> Sequence[str]:
    """Ten codes as they are shown: ABCD-EFGH-JKLM."""
    made = ["".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH)) for _ in range(CODES)]
    return ["-".join(code[n : n + 4] for n in range(0, CODE_LENGTH, 4)) for code in made]


def not_proved() -> NotProved:
    """One sentence for whatever was wrong: a guess must not tell a name that is known from one that is not."""
    hint = "look at capitals and spaces; if it goes on, ask an admin for a new invitation"
    return NotProved(Problem("not_proved", "", "this does not sign you in", hint))


def _keys(
    tx: Transaction, vault: Vault, name: str, came: Came, what: str
) -> Sequence[tuple[bytes, tuple[timedelta, int]]]:
    if name and came.device is not None and _knows(tx, name, came.device):
        return [
            (vault.digest("pace", f"{what}:device:{came.device}"), OF_CODES if what == "code" else DEVICE)
        ]
    keys = [(vault.digest("pace", f"{what}:source:{came.source}"), SOURCE)]
    if name:
        keys.append(
            (vault.digest("pace", f"{what}:account:{fold(name)}"), OF_CODES if what == "code" else ACCOUNT)
        )
    return keys


def _knows(tx: Transaction, name: str, device: str | None) -> bool:
    whose = tx.proofs.device(digest(device)) if device is not None and SECRET.fullmatch(device) else None
    return whose is not None and same(whose, name)


def _after_password(tx: Transaction, proof: Proof | None) -> Stage:
    if proof is None:
        raise not_proved()
    if proof.second is not None:
        return Stage.SECOND
    found = tx.operators.named(fold(proof.operator))
    return Stage.ENROL if found is not None and found.roles & NEED_SECOND else Stage.WHOLE


def _use_code(tx: Transaction, vault: Vault, proof: Proof, code: str) -> None:
    """Raises NotProved. A code counts once, whoever saw it; so does a recovery code."""
    typed = "".join(code.split()).replace("-", "").upper()
    now = tx.proofs.of(proof.operator)
    if now is None or now.second is None:
        raise not_proved()
    if len(typed) == CODE_LENGTH:
        if not tx.proofs.use_code(now.operator, _code_digest(vault, now.operator, typed)):
            raise not_proved()
        tx.record.add([Entry("recovery_code.used", Actor(ActorKind.PERSON, now.operator), {})])
        return
    second = vault.unseal(_sealed_for(now.operator), now.second)
    step = vault.step_of(second, typed, tx.now, after=now.last_step) if second else None
    if step is None or not tx.proofs.use_step(now.operator, step):
        raise not_proved()


def _code_digest(vault: Vault, operator: str, code: str) -> bytes:
    return vault.digest("recovery", f"{fold(operator)}:{code.replace('-', '')}")


def _sealed_for(operator: str) -> str:
    return f"second:{fold(operator)}"


def _waiting(ports: Ports, secret: str, *stages: Stage) -> tuple[Session, Proof]:
    with ports.ledger.look() as tx:
        session = session_of(tx, secret)
        proof = tx.proofs.of(session.operator) if session is not None else None
    if session is None or proof is None or session.stage not in stages:
        raise not_proved()
    return session, proof


def _still(tx: Transaction, secret: str, session: Session) -> None:
    """In the transaction that changes something: it holds still, and is fresh. Raises NotProved, ProofWanted.

    Whoever was invited a moment ago has nothing yet to prove it by.
    """
    now = session_of(tx, secret)
    if now is None or now.stage is not session.stage:
        raise not_proved()
    if now.stage is not Stage.PASSWORD:
        must_be_fresh(tx, now)


def _or_record(ports: Ports, proof: Proof, work: object) -> SignedIn:
    try:
        return ports.ledger.transact(work)  # type: ignore[arg-type]
    except NotProved:
        _refused(ports, proof)
        raise


def _refused(ports: Ports, proof: Proof | None) -> None:
    """Written for a name that nobody has as well, which takes as long; what was typed is not kept, for it may be a
    password.
    """
    actor = Actor(ActorKind.PERSON, proof.operator if proof else "nobody")
    ports.ledger.transact(lambda tx: tx.record.add([Entry("sign_in.refused", actor, {})]))


def _self(session: Session) -> Actor:
    return Actor(ActorKind.PERSON, session.operator)
