"""`python -m bench.erasure`: how long does it take to erase one person in a ledger of a million deliveries?

The ledger is made by statements of ours, as years of sending would have left it: families with a number each,
announcements to all of them, every one sent and delivered. Then guardians and pupils are looked at and erased, one
after the other, by the product's own verbs. Both databases; the aim is two seconds each.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import bindparam, insert, text

from bench.ground import ACTOR
from broker.actor import SYSTEM
from broker.ports import Ports
from broker.privacy import erasure
from broker.privacy.erasure import Ground
from config.signer import HmacSigner
from ledger import tables as t
from ledger.connect import Ledger, open_ledger
from ledger.migrate import upgrade
from ledger.record import verify
from ledger.setup import ConfiguredAccount, School, install
from tests.support.postgres import PostgresServer
from tests.support.pretend_ports import NoHints, TraitsOnly

AIM = timedelta(seconds=2)
FAMILIES = 20_000
SIGNER = HmacSigner(b"a secret of the bench, of nobody else's")
WORDING = "{pupil}: the concert of term %d begins at seven. Ask Parent%d Bell%d at the office about seats."

# Everything that the sending of one announcement to `size` families leaves, from the family `first` on.
_PAST = (
    "INSERT INTO duty (announcement_id, person_id) SELECT :id, id FROM person WHERE id > :first AND id <= :last",
    """INSERT INTO delivery (announcement_id, channel, account_id, address_id, lane, state, fence, due_at, expires_at,
    created_at, changed_at) SELECT :id, 'sms', 1, id - :families, 'routine', 'delivered', 1, :at, :at, :at, :at
    FROM person WHERE id > :first_guardian AND id <= :last_guardian""",
    """INSERT INTO delivery_covers (delivery_id, duty_id) SELECT d.id, du.id FROM delivery d
    JOIN duty du ON du.announcement_id = :id AND du.person_id = d.address_id WHERE d.announcement_id = :id""",
    """INSERT INTO attempt (delivery_id, fence, account_id, gateway, digest, started_at, ended_at, outcome, evidence,
    provider_id) SELECT id, 1, 1, 'twilio', 'd' || id, :at, :at, 'accept', 'delivered', 'SM' || id
    FROM delivery WHERE announcement_id = :id""",
)


def build(ledger: Ledger, announcements: int, deliveries: int) -> None:
    """A school of `FAMILIES`, and its past."""
    install(
        ledger,
        School("st-brides", "St Bride's", "Europe/London", "en-GB", "GB"),
        {"office": "School office"},
        [ConfiguredAccount("texts", "sms")],
    )
    with ledger.begin() as tx:
        _long(tx.hand.connection, ledger)
        _people(tx.hand.connection, ledger)
    each = deliveries // announcements
    at = datetime.now(UTC) - timedelta(days=30)
    for n in range(announcements):
        with ledger.begin() as tx:
            _long(tx.hand.connection, ledger)
            run = tx.hand.connection.execute
            number = _announcement(run, n, at)
            first = (n * each) % (FAMILIES - each + 1)
            values = {
                "id": number,
                "first": first,
                "last": first + each,
                "first_guardian": first + FAMILIES,
                "last_guardian": first + each + FAMILIES,
                "families": FAMILIES,
                "at": at,
            }
            for statement in _PAST:
                bound = {name: value for name, value in values.items() if re.search(rf":{name}\b", statement)}
                typed = text(statement)
                run(typed.bindparams(bindparam("at", type_=t.Moment)) if "at" in bound else typed, bound)
    with ledger.begin() as tx:
        _long(tx.hand.connection, ledger)
        tx.record.seal()
        tx.hand.connection.execute(text("ANALYZE"))


def measure(ledger: Ledger, people: int) -> dict[str, list[float]]:
    """Seconds of each look and each erasure, guardians and pupils in turn."""
    ports = Ports(ledger, NoHints(), SIGNER, TraitsOnly())
    found: dict[str, list[float]] = {"look": [], "erase": []}
    for n in range(people):
        who = f"{'gp'[n % 2]}{FAMILIES // (people + 1) * (n + 1)}"
        began = time.monotonic()
        erasure.look(ports, who)
        looked = time.monotonic()
        erasure.erase(ports, who, confirmed=who, ground=Ground.REQUEST, actor=ACTOR)
        found["look"].append(looked - began)
        found["erase"].append(time.monotonic() - looked)
    ledger.transact(lambda tx: tx.record.seal())
    with ledger.reading() as hand:
        if not (verified := verify(hand.connection)).ok:
            raise AssertionError(verified.first_fault)
    return found


def _people(connection: Any, ledger: Ledger) -> None:
    """Pupils are 1 to FAMILIES, their guardians come after them; an address has the number of its pupil."""
    load, now = ledger.dialect.load, datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    columns = (
        "public_id",
        "source_id",
        "is_pupil",
        "is_guardian",
        "given_name",
        "family_name",
        "commitment_key",
        "changed_at",
    )
    for kind, name, pupil in (("p", "Pupil", True), ("g", "Parent", False)):
        rows: Iterator[Sequence[Any]] = (
            (uuid4().hex, f"{kind}{n}", pupil, not pupil, f"{name}{n}", f"Bell{n}", os.urandom(32), now)
            for n in range(1, FAMILIES + 1)
        )
        load(connection, "person", columns, rows)
    numbers = range(1, FAMILIES + 1)
    values = ((n, "mobile", f"+4479{11_000_000 + n}", os.urandom(32), os.urandom(32), now) for n in numbers)
    load(connection, "address", ("id", "kind", "value", "hash", "commitment_key", "confirmed_at"), values)
    load(
        connection,
        "person_address",
        ("person_id", "address_id", "position"),
        ((FAMILIES + n, n, 1) for n in numbers),
    )
    load(
        connection,
        "guardianship",
        ("guardian_id", "pupil_id", "priority"),
        ((FAMILIES + n, n, 1) for n in numbers),
    )


def _announcement(run: Any, n: int, at: datetime) -> int:
    row = {
        "public_id": uuid4(),
        "department_id": 1,
        "digest": "d",
        "actor_kind": SYSTEM.kind.value,
        "actor_id": SYSTEM.id,
        "purpose": "service",
        "urgency": "routine",
        "audience": "everyone",
        "people": "guardians",
        "ways": '[["sms"]]',
        **dict.fromkeys(("accepted_at", "approved_at", "due_at", "expires_at", "fanned_out_at"), at),
    }
    number = int(run(insert(t.announcement).values(row).returning(t.announcement.c.id)).scalar_one())
    said = WORDING % (n, n % FAMILIES, n % FAMILIES)
    run(insert(t.content).values(announcement_id=number, version=1, language="", part="short", text=said))
    return number


def _long(connection: Any, ledger: Ledger) -> None:
    if ledger.dialect.name == "postgresql":
        for setting in (
            "statement_timeout = 0",
            "transaction_timeout = 0",
            "session_replication_role = replica",
        ):
            with contextlib.suppress(Exception), connection.begin_nested():
                connection.execute(text(f"SET LOCAL {setting}"))


@contextlib.contextmanager
def _ledger(database: str) -> Iterator[Ledger]:
    with contextlib.ExitStack() as held:
        if database == "sqlite":
            folder = held.enter_context(tempfile.TemporaryDirectory(prefix="carillon-bench-"))
            url = f"sqlite:///{Path(folder) / 'carillon.sqlite3'}"
        else:
            server = PostgresServer().start()
            held.callback(server.stop)
            url = server.fresh()
        upgrade(url)
        ledger = open_ledger(url, SIGNER)
        held.callback(ledger.close)
        yield ledger


def main() -> int:
    """Measure, say, end; exit 1 where an erasure took longer than the aim."""
    parser = argparse.ArgumentParser(prog="python -m bench.erasure", description=__doc__)
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--deliveries", type=int, default=1_000_000)
    parser.add_argument("--announcements", type=int, default=50, help="among which they are divided")
    parser.add_argument("--people", type=int, default=20, help="to erase, guardians and pupils in turn")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    told = parser.parse_args()
    with _ledger(told.database) as ledger:
        began = time.monotonic()
        build(ledger, told.announcements, told.deliveries)
        made = f"{told.deliveries:,} deliveries of {told.announcements:,} announcements"
        print(f"{made}, made in {time.monotonic() - began:.0f} s")
        found = measure(ledger, told.people)
    worst = max(found["erase"])
    for what, took in found.items():
        print(f"{what}: median {statistics.median(took):.3f} s, at most {max(took):.3f} s, of {len(took)}")
    if told.json:
        print(json.dumps({"database": told.database, **found}))
    return 0 if worst <= AIM.total_seconds() else 1


if __name__ == "__main__":
    sys.exit(main())
