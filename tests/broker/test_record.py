"""The record: whoever changes it afterwards is found, and the place is named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.actor import Actor, ActorKind
from broker.record import (
    GENESIS,
    Entry,
    Seal,
    StoredEntry,
    body_of,
    commitment,
    leaf,
    merkle_root,
    seal_over,
    verify_seals,
)

AT = datetime(2026, 11, 30, 8, tzinfo=UTC)
KEY = b"k" * 32
OFFICE = Actor(ActorKind.PERSON, "office", department="music", on_behalf_of="head")
Sealed = list[tuple[Seal, list[StoredEntry]]]


def by_rfc_9162(leaves: Sequence[bytes]) -> bytes:
    """Merkle Tree Hash as RFC 9162 §2.1.1 writes it: split at the largest power of two below n."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + by_rfc_9162(leaves[:k]) + by_rfc_9162(leaves[k:])).digest()


# The reference data of Certificate Transparency's own test suites: eight inputs, and the roots of the first 1 to 8.
INPUTS = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(1, 9))
def test_the_root_is_the_one_that_certificate_transparency_knows(size: int) -> None:
    leaves = [hashlib.sha256(b"\x00" + bytes.fromhex(data)).digest() for data in INPUTS[:size]]
    assert merkle_root(leaves).hex() == ROOTS[size - 1]


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert merkle_root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70))
def test_the_root_is_what_the_recursion_of_the_rfc_gives(leaves: list[bytes]) -> None:
    assert merkle_root(leaves) == by_rfc_9162(leaves)


# --- entries ----------------------------------------------------------------------------------------------------


def test_an_entry_is_canonical_json_that_tells_when_who_and_what() -> None:
    entry = Entry("account.paused", OFFICE, {"why": "côr – 合唱", "account": "texts"}, 7)
    assert body_of(entry, AT).decode() == (
        '{"actor":{"department":"music","id":"office","kind":"person","on_behalf_of":"head"},"announcement":7,'
        '"at":"2026-11-30T08:00:00+00:00","facts":{"account":"texts","why":"côr – 合唱"},"kind":"account.paused"}'
    )


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), st.integers() | st.booleans() | st.none()))
def test_the_order_in_which_facts_were_told_changes_no_byte(facts: dict[str, object]) -> None:
    turned = dict(reversed(facts.items()))
    assert body_of(Entry("x", OFFICE, facts), AT) == body_of(Entry("x", OFFICE, turned), AT)
    assert json.loads(body_of(Entry("x", OFFICE, facts), AT))["facts"] == facts


@given(st.integers(0, 9_999), st.integers(0, 9_999), st.binary(max_size=9))
def test_id_mark_and_body_are_told_apart_in_the_hash(number: int, mark: int, body: bytes) -> None:
    one = StoredEntry(number, mark, body)
    others = [
        StoredEntry(number + 1, mark, body),
        StoredEntry(number, mark + 1, body),
        StoredEntry(number, mark, body + b"\x00"),
        StoredEntry(number * 10 + 1, mark, body),
    ]
    assert leaf(one) not in {leaf(other) for other in others}


def test_a_commitment_says_nothing_without_its_key_and_keeps_facts_apart() -> None:
    assert commitment(KEY, "+447911123456", "digest") == commitment(KEY, "+447911123456", "digest")
    told = [("ab", "c"), ("a", "bc"), ("abc",), ("abc", "")]
    made = {commitment(KEY, *facts) for facts in told} | {commitment(b"other" * 8, "ab", "c")}
    assert len(made) == len(told) + 1
    assert all(len(each) == 32 and int(each, 16) >= 0 for each in made)


# --- seals ------------------------------------------------------------------------------------------------------


def entries(first: int, count: int) -> list[StoredEntry]:
    return [
        StoredEntry(n, n, body_of(Entry("tried", OFFICE, {"n": n}), AT)) for n in range(first, first + count)
    ]


def sealed(*counts: int) -> Sealed:
    """A record of as many seals, each over so many entries."""
    made: Sealed = []
    first, previous = 0, GENESIS
    for number, count in enumerate(counts, start=1):
        covered = entries(first, count)
        seal = seal_over(covered, number=number, first_mark=first, next_mark=first + count, previous=previous)
        made.append((seal, covered))
        first, previous = first + count, seal.hash
    return made


def fault_of(record: Sealed) -> str | None:
    return verify_seals(record)[3]


@given(st.lists(st.integers(1, 9), max_size=6))
def test_an_honest_record_verifies_to_its_last_seal(counts: list[int]) -> None:
    record = sealed(*counts)
    head = record[-1][0].hash if record else GENESIS
    assert verify_seals(record) == (head, sum(counts), sum(counts), None)


def test_verification_takes_a_stream() -> None:
    assert verify_seals(pair for pair in sealed(3, 4))[1] == 7


def edited(record: Sealed) -> None:
    one = record[1][1][2]
    record[1][1][2] = replace(one, body=one.body.replace(b"tried", b"tired"))


def dropped(record: Sealed) -> None:
    del record[1][1][2]


def swapped(record: Sealed) -> None:
    inside = record[1][1]
    inside[0], inside[1] = inside[1], inside[0]


def bodies_swapped(record: Sealed) -> None:
    inside = record[1][1]
    inside[0], inside[1] = (
        replace(inside[0], body=inside[1].body),
        replace(inside[1], body=inside[0].body),
    )


def inserted(record: Sealed) -> None:
    record[1][1].append(replace(record[1][1][-1], id=999))


def replaced(record: Sealed) -> None:
    record[1][1][0] = replace(record[1][1][0], id=999)


def cut_short(record: Sealed) -> None:
    record[1] = (record[1][0], record[1][1][:1])


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (edited, "an entry under seal 2 was changed"),
        (dropped, "seal 2 covers 4 entries, 3 are there"),
        (swapped, "an entry under seal 2 was changed"),
        (bodies_swapped, "an entry under seal 2 was changed"),
        (inserted, "seal 2 covers 4 entries, 5 are there"),
        (replaced, "an entry under seal 2 was changed"),
        (cut_short, "seal 2 covers 4 entries, 1 are there"),
    ],
)
def test_a_changed_entry_is_found_under_its_seal(tamper: Callable[[Sealed], None], fault: str) -> None:
    record = sealed(3, 4, 5)
    first = record[0][0]
    tamper(record)
    assert verify_seals(record) == (first.hash, 3, 3, fault)


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("number", 7, "seal 2 is missing"),
        ("first_mark", 4, "seal 2 does not follow the one before it"),
        ("previous", GENESIS, "seal 2 does not follow the one before it"),
        ("count", 5, "seal 2 covers 5 entries, 4 are there"),
        ("root", GENESIS, "an entry under seal 2 was changed"),
        ("next_mark", 8, "seal 2 itself was changed"),
        ("hash", GENESIS, "seal 2 itself was changed"),
    ],
)
def test_a_changed_seal_is_found_by_its_number(field: str, value: object, fault: str) -> None:
    record = sealed(3, 4, 5)
    record[1] = (replace(record[1][0], **{field: value}), record[1][1])  # type: ignore[arg-type]
    assert fault_of(record) == fault


@pytest.mark.parametrize(
    ("at", "fault"), [(0, "seal 1 is missing"), (1, "seal 2 is missing")], ids=["first", "middle"]
)
def test_a_seal_that_was_taken_out_is_missed(at: int, fault: str) -> None:
    record = sealed(3, 4, 5)
    del record[at]
    assert fault_of(record) == fault


def test_seals_in_another_order_are_found() -> None:
    record = sealed(3, 4, 5)
    record[1], record[2] = record[2], record[1]
    assert fault_of(record) == "seal 2 is missing"


def test_a_seal_made_anew_over_changed_entries_does_not_fit_the_next() -> None:
    record = sealed(3, 4, 5)
    edited(record)
    old = record[1][0]
    forged = seal_over(
        record[1][1],
        number=2,
        first_mark=old.first_mark,
        next_mark=old.next_mark,
        previous=old.previous,
    )
    record[1] = (forged, record[1][1])
    assert fault_of(record) == "seal 3 does not follow the one before it"


def test_a_record_cut_off_at_its_end_shows_only_against_a_head_that_was_kept() -> None:
    record = sealed(3, 4, 5)
    kept_elsewhere = verify_seals(record)[0]
    del record[-1]
    head, covered, _, fault = verify_seals(record)
    assert (covered, fault) == (7, None)
    assert head != kept_elsewhere


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.data())
def test_no_byte_of_a_sealed_entry_can_be_flipped(counts: list[int], data: st.DataObject) -> None:
    record = sealed(*counts)
    number = data.draw(st.integers(0, len(record) - 1))
    inside = record[number][1]
    place = data.draw(st.integers(0, len(inside) - 1))
    body = bytearray(inside[place].body)
    body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    inside[place] = replace(inside[place], body=bytes(body))
    assert fault_of(record) == f"an entry under seal {number + 1} was changed"
