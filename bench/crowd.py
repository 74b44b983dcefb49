"""A crowd: a million families, made by the database itself in less than a minute, where a roster would take many."""

from __future__ import annotations

from bench.ground import group_of
from bench.words import DOMAIN
from broker.address import AddressKind
from ledger.connect import Ledger

# A pupil, a guardian, a number or an address: the ids tell which belong together.
_VALUES = {
    AddressKind.MOBILE: "'+4479' || (11000000 + n)",
    AddressKind.EMAIL: f"'parent' || n || '@families.{DOMAIN}'",
}
_PEOPLE = """
    INSERT INTO person
        (public_id, source_id, is_pupil, is_guardian, given_name, family_name, commitment_key, changed_at)
    SELECT gen_random_uuid(), {kind} || n, {pupil}, NOT {pupil}, {name} || n, 'Bell', sha256(({kind} || n)::bytea),
        now()
    FROM generate_series(1, :size) n
"""


def fill(ledger: Ledger, size: int, kinds: tuple[AddressKind, ...] = (AddressKind.EMAIL,)) -> str:
    """Put `size` families into an empty PostgreSQL ledger; returns the name of the group of all their pupils."""
    group = group_of(size)
    with ledger.begin() as tx:
        run = tx.hand.run
        # Nothing here can be an orphan, and each foreign key would ask for its parent a million times.
        run("SET LOCAL session_replication_role = replica")
        run("SET LOCAL statement_timeout = 0")
        run(_PEOPLE.format(kind="'p'", pupil="true", name="'Pupil'"), size=size)
        run(_PEOPLE.format(kind="'g'", pupil="false", name="'Parent'"), size=size)
        run(
            "INSERT INTO guardianship (guardian_id, pupil_id) SELECT g.id, p.id FROM person p"
            " JOIN person g ON g.source_id = 'g' || substr(p.source_id, 2) WHERE p.is_pupil ORDER BY p.id"
        )
        for kind in kinds:
            run(
                "INSERT INTO address (kind, value, hash, commitment_key)"
                " SELECT :kind, value, sha256(value::bytea), sha256(value::bytea)"
                f" FROM (SELECT {_VALUES[kind]} AS value FROM generate_series(1, :size) n) made",
                kind=kind.value,
                size=size,
            )
            run(
                "INSERT INTO person_address (person_id, address_id) SELECT g.id, a.id FROM"
                " (SELECT id, row_number() OVER (ORDER BY id) FROM person WHERE is_guardian) g"
                " JOIN (SELECT id, row_number() OVER (ORDER BY id) FROM address WHERE kind = :kind) a"
                " USING (row_number)",
                kind=kind.value,
            )
        run(
            "INSERT INTO people_group (name, folded_name, kind) VALUES (:name, :folded, 'club')",
            name=group,
            folded=group.casefold(),
        )
        run(
            "INSERT INTO membership (group_id, person_id, role)"
            " SELECT g.id, p.id, 'pupil' FROM people_group g, person p WHERE g.name = :name AND p.is_pupil",
            name=group,
        )
    with ledger.begin() as tx:
        tx.hand.run("SET LOCAL statement_timeout = 0")
        tx.hand.run("ANALYZE")
    return group
