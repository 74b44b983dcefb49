"""A family whose names, numbers and words stand nowhere else, planted wherever a ledger keeps anything."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import inspect, select, text

from broker import intake
from broker.actor import Actor, ActorKind
from broker.address import AddressKind
from broker.announcement import Announcement, Attachment, Part, Purpose, Step
from broker.channel import Key, Receipt
from broker.consent import consents
from broker.delivery import Evidence
from broker.incoming import answers
from broker.incoming.answering import Inbound
from broker.office import families, groups, templates
from broker.privacy import erasure
from broker.testing.provider import pretend_news
from ledger import tables as t
from ledger.connect import Ledger
from ledger.rosters.people import keyed_hash
from tests.support.broker_world import World
from tests.support.school import SmallSchool

OFFICE = Actor(ActorKind.PERSON, "Mrs Bell")
GUARDIAN, PUPIL, OTHER = "gz-4711-q", "pz-4712-q", "gm-4713-q"
MOBILE, EMAIL, SHARED = "+447911777123", "zephyrine.q@quillfeather.example.org", "the.nest@example.org"
OLD_MOBILE = "+447911777999"  # the number before this one, which nobody holds any more
BOTH_WAYS = (Step(("sms", "email")),)


@dataclass
class Planted:
    """What was planted: `of` each person the traces by what they are; `said` is what was announced."""

    world: World
    school: SmallSchool
    said: Announcement
    of: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def everywhere(self, person: str) -> list[str]:
        """Where any trace of somebody stands: "table.column: what"."""
        return sorted(set(found_in(self.world.ledger, self.of[person])))


def plant(world: World) -> Planted:
    """A guardian, a pupil and the other guardian, with something of theirs in every kind of table."""
    school = _school()
    school.people[GUARDIAN] = replace(school.people[GUARDIAN], mobiles=(OLD_MOBILE,))
    world.bring(school)
    first = world.announce(parts={Part.SHORT: "Bags for {pupil}."}, ways=BOTH_WAYS)
    _send(world, first)
    school.people[GUARDIAN] = replace(school.people[GUARDIAN], mobiles=(MOBILE,))
    world.bring(school)
    said = _say_everything(world)
    _send(world, said)
    return Planted(world, school, said, {GUARDIAN: _of_guardian(world), PUPIL: _of_pupil(world)})


def _school() -> SmallSchool:
    school = SmallSchool()
    for n in range(3):
        pupil = school.pupil(f"Pupil{n}", "Choir")
        school.guardian(f"Parent{n}", pupil, mobiles=(f"+44791111000{n}",), emails=(f"p{n}@example.org",))
    for source_id, name, after in (
        (GUARDIAN, "Zephyrine", "Quillfeather"),
        (PUPIL, "Peregrine", "Quillfeather-Roe"),
        (OTHER, "Ottoline", "Marchbanks"),
    ):
        made = school.pupil(name, "Choir") if source_id == PUPIL else school.guardian(name)
        one = school.people.pop(made)
        school.people[source_id] = replace(one, source_id=source_id, family_name=after)
        school.memberships = [
            replace(m, person=source_id) if m.person == made else m for m in school.memberships
        ]
    school.people[GUARDIAN] = replace(
        school.people[GUARDIAN], preferred_name="Zeffi", emails=(EMAIL, SHARED), language="cy"
    )
    school.people[PUPIL] = replace(
        school.people[PUPIL], form="7Quince", year="Year Quince", born=date(2014, 2, 28)
    )
    school.people[OTHER] = replace(school.people[OTHER], emails=(SHARED,))
    school.guardianships += [
        replace(school.guardianships[0], guardian=guardian, pupil=PUPIL) for guardian in (GUARDIAN, OTHER)
    ]
    return school


def _say_everything(world: World) -> Announcement:
    ports = world.ports
    consents.keep(
        ports,
        [
            consents.Told(
                GUARDIAN,
                "sms",
                True,
                "form",
                Purpose.PROMOTIONAL,
                evidence="signed by Zephyrine Quillfeather",
            ),
            consents.Told(
                GUARDIAN, "email", False, "form", Purpose.SERVICE, evidence="no mails to zeffi quillfeather"
            ),
        ],
        actor=OFFICE,
    )
    groups.keep(ports, "Friends of Zephyrine Quillfeather", department=None, actor=OFFICE)
    groups.keep(ports, "Friends of Peregrine Quillfeather-Roe", department=None, actor=OFFICE)
    groups.add_members(ports, "Friends of Peregrine Quillfeather-Roe", [PUPIL], actor=OFFICE)
    groups.define(ports, "Nest", "Friends of Peregrine Quillfeather-Roe + Choir", actor=OFFICE)
    wording = {Part.SHORT: "Thank you, Zephyrine  Quillfeather and Peregrine Quillfeather-Roe."}
    templates.save(ports, "office", "Thanks to Zephyrine Quillfeather", wording, actor=OFFICE)
    families.block(
        ports,
        OTHER,
        PUPIL,
        why="Zephyrine Quillfeather brought the order for Peregrine Quillfeather-Roe",
        actor=OFFICE,
    )
    letter = b"a letter"
    return intake.accept(
        ports,
        world.draft(
            audience="Choir",
            ways=BOTH_WAYS,
            parts={
                Part.TITLE: "Tea with Zeffi Quillfeather",
                Part.SHORT: "{pupil}: ask Zephyrine Quillfeather, 07911 777123 or Zephyrine.Q@quillfeather.example.org",
                Part.LONG: "Quillfeather, Zephyrine baked; Peregrine Quillfeather-Roe carried.",
            },
            key="tea of Zephyrine Quillfeather",
            attachments=(
                Attachment(
                    hashlib.sha256(letter).hexdigest(), "Zephyrine Quillfeather.txt", "text/plain", letter
                ),
            ),
        ),
        actor=OFFICE,
    ).announcement


def _send(world: World, said: Announcement) -> None:
    world.plan(said)
    world.send("texts")
    world.send("mails")
    attempts = world.rows(
        select(t.attempt.c.id, t.attempt.c.provider_id, t.attempt.c.delivery_id, t.attempt.c.fence)
        .join(t.delivery, t.delivery.c.id == t.attempt.c.delivery_id)
        .where(t.delivery.c.channel == "sms", t.delivery.c.announcement_id == said.id)
    )
    with world.ledger.begin() as tx:
        account = tx.accounts.named("texts")
        assert account is not None
        for row in attempts:
            token = world.ports.signer.sign("attempt", str(row.id))
            news = pretend_news(
                Key(row.delivery_id, row.id, row.fence, token), Receipt(row.provider_id), Evidence.DELIVERED
            )
            tx.receipts.append(account.id, news.url, {**news.headers, "X-To": MOBILE}, news.body)
        answers.record_inbound(
            world.ports,
            tx,
            Inbound(
                "sms",
                MOBILE,
                "This is Zephyrine Quillfeather, Peregrine Quillfeather-Roe is ill",
                f"in-{said.id}",
            ),
            actor=OFFICE,
        )
    world.confirm()
    erasure.reveal(world.ports, GUARDIAN, why="Zephyrine Quillfeather rang about 07911 777 123", actor=OFFICE)


def _of_guardian(world: World) -> Mapping[str, str]:
    return {
        "name": "Quillfeather, Zephyrine",
        "given": "Zephyrine",
        "preferred": "Zeffi",
        "mobile": MOBILE,
        "digits": MOBILE[3:],
        "old mobile": OLD_MOBILE[3:],
        "email": EMAIL,
        "id": GUARDIAN,
        **_numbers(world, GUARDIAN, {AddressKind.MOBILE: [MOBILE, OLD_MOBILE], AddressKind.EMAIL: [EMAIL]}),
    }


def _of_pupil(world: World) -> Mapping[str, str]:
    return {
        "given": "Peregrine",
        "family": "Quillfeather-Roe",
        "id": PUPIL,
        "form": "7Quince",
        "year": "Year Quince",
        "born": "2014-02-28",
        **_numbers(world, PUPIL, {}),
    }


def _numbers(world: World, source_id: str, values: Mapping[AddressKind, Iterable[str]]) -> Mapping[str, str]:
    """Keys, public ids and keyed hashes: as hex, as a walk finds bytes."""
    person = world.rows(select(t.person).where(t.person.c.source_id == source_id))[0]
    hashes = {
        f"hash {kind.value} {n}": keyed_hash(world.ports.signer, kind, value).hex()
        for kind, some in values.items()
        for n, value in enumerate(some)
    }
    keys = {
        f"key of an address {n}": bytes(row.commitment_key).hex()
        for n, row in enumerate(world.rows(select(t.address.c.commitment_key, t.address.c.value)))
        if row.commitment_key and row.value in {value for some in values.values() for value in some}
    }
    return {"key": bytes(person.commitment_key).hex(), "public id": person.public_id.hex, **hashes, **keys}


def found_in(ledger: Ledger, traces: Mapping[str, str]) -> Iterator[str]:
    """Where any of these stands in the database itself, whatever our own metadata says of it."""
    with ledger.reading() as hand:
        for name in inspect(hand.connection).get_table_names():
            for row in hand.connection.execute(text(f'SELECT * FROM "{name}"')):
                for column, value in row._mapping.items():
                    for what, trace in traces.items():
                        if _holds(value, trace):
                            yield f"{name}.{column}: {what}"


def _holds(value: Any, trace: str) -> bool:
    if isinstance(value, bytes | memoryview):
        raw = bytes(value)
        return trace in raw.hex() or trace.casefold() in raw.decode(errors="replace").casefold()
    written = value.isoformat() if isinstance(value, date | datetime) else str(value)
    return trace.casefold() in written.casefold() or trace.casefold() in written.replace("-", "").casefold()


__all__ = [
    "EMAIL",
    "GUARDIAN",
    "MOBILE",
    "OFFICE",
    "OLD_MOBILE",
    "OTHER",
    "PUPIL",
    "SHARED",
    "Planted",
    "found_in",
    "plant",
]
