"""The exported bundle is checked by somebody who has its README and no Carillon."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from broker.errors import RuleBroken
from ledger.scrutiny.bundle import export
from tests.record.conftest import Within

GENESIS = "00" * 32


def openssl(data: bytes) -> bytes:
    """SHA-256 by a program that is not Python."""
    ran = subprocess.run(
        ["openssl", "dgst", "-sha256", "-binary"], input=data, capture_output=True, check=True, timeout=10
    )
    return ran.stdout


def lines(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").split("\n") if line]


def merkle(leaves: list[bytes]) -> bytes:
    """Step 3, as RFC 9162 writes it: split at the largest power of two below n. Not the way the script goes."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return openssl(b"\x01" + merkle(leaves[:half]) + merkle(leaves[half:]))


def by_the_readme(folder: Path, head: str) -> None:
    """The seven steps of README.txt, one after the other; an AssertionError is a fault."""
    about = json.loads((folder / "about.json").read_text())
    entries, seals = lines(folder, "entries.jsonl"), lines(folder, "seals.jsonl")
    number, mark, previous = about["first_seal"], about["first_mark"], about["previous"]
    if number == 1:
        assert (mark, previous) == (0, GENESIS)
    taken = 0
    for seal in seals:
        under = [e for e in entries if seal["first_mark"] <= e["mark"] < seal["next_mark"]]
        taken += len(under)
        leaves = [
            openssl(
                b"\x00"
                + str(e["id"]).encode()
                + b"\x1f"
                + str(e["mark"]).encode()
                + b"\x1f"
                + e["body"].encode()
            )
            for e in sorted(under, key=lambda entry: entry["id"])
        ]
        if not (seal["number"] <= about["pruned_through"] and not leaves):
            assert len(leaves) == seal["count"]
            assert merkle(leaves).hex() == seal["root"]
        counted = "\x1f".join(str(seal[name]) for name in ("number", "first_mark", "next_mark", "count"))
        whole = f"carillon-seal-1\x1f{counted}\x1f".encode()
        assert (
            openssl(whole + bytes.fromhex(seal["root"]) + bytes.fromhex(seal["previous"])).hex()
            == seal["hash"]
        )
        assert (seal["number"], seal["first_mark"], seal["previous"]) == (number, mark, previous)
        number, mark, previous = number + 1, seal["next_mark"], seal["hash"]
    assert taken == len(entries)
    assert head in {seal["hash"] for seal in seals}


def by_the_script(folder: Path, *heads: str) -> tuple[int, str]:
    """The script of the bundle, by a Python that sees nothing of ours."""
    ran = subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "verify.py"), *heads],
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
        timeout=20,
    )
    return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture
def exported(past: Within, tmp_path: Path) -> tuple[Path, str]:
    bundle = export(past.as_ledger, tmp_path / "record.zip", now=past.hand.now)
    return unpacked(tmp_path / "record.zip"), bundle.last.hash.hex()


def unpacked(archive: Path) -> Path:
    folder = archive.with_suffix("")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    return folder


def test_a_third_party_checks_the_bundle_by_its_readme_alone(exported: tuple[Path, str]) -> None:
    by_the_readme(*exported)


def test_the_script_of_the_bundle_says_the_same(exported: tuple[Path, str]) -> None:
    folder, head = exported
    code, said = by_the_script(folder, head)
    assert code == 0, said
    assert said.startswith("OK: ")
    code, said = by_the_script(folder)
    assert code == 0
    assert "No head was given" in said


def test_a_head_in_groups_as_it_is_printed_is_taken_too(exported: tuple[Path, str]) -> None:
    folder, head = exported
    groups = [head[place : place + 8] for place in range(0, 64, 8)]
    assert by_the_script(folder, " ".join(groups))[0] == 0
    assert by_the_script(folder, "st-brides", "2026-11-22T19:00Z", "seal", "5", *groups)[0] == 0
    assert by_the_script(folder, "heads.txt") == (
        1,
        "FAULT: there is no head in what was given: 64 hexadecimal digits, in groups or not\n",
    )
    code, said = by_the_script(folder, "ab" * 32)
    assert code == 1
    assert "cut off before it, or written anew" in said


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("entries.jsonl", lambda text: text.replace("Mrs Bell", "Mr Hook", 1)),
        ("entries.jsonl", lambda text: "\n".join(text.split("\n")[1:])),
        ("entries.jsonl", lambda text: text + text.split("\n")[0] + "\n"),
        ("entries.jsonl", lambda text: re.sub(r'"mark": \d+', '"mark": 1', text)),
        ("seals.jsonl", lambda text: "\n".join(text.split("\n")[:-2]) + "\n"),
        ("seals.jsonl", lambda text: "\n".join(text.split("\n")[1:])),
        ("seals.jsonl", lambda text: re.sub(r'"count": (\d+)', r'"count": 1\1', text, count=1)),
        ("seals.jsonl", lambda text: re.sub(r'"hash": "..', '"hash": "zz'.replace("z", "a"), text, count=1)),
        ("about.json", lambda text: text.replace('"entries": ', '"entries": 1')),
    ],
)
def test_a_changed_bundle_does_not_verify(exported: tuple[Path, str], file: str, change: Any) -> None:
    folder, head = exported
    before = (folder / file).read_text(encoding="utf-8")
    after = change(before)
    assert after != before
    (folder / file).write_text(after, encoding="utf-8")
    code, said = by_the_script(folder, head)
    assert code == 1, said
    assert said.startswith("FAULT: ")


def test_a_bundle_may_begin_later(past: Within, tmp_path: Path) -> None:
    bundle = export(past.as_ledger, tmp_path / "later.zip", first=3, now=past.hand.now)
    folder = unpacked(tmp_path / "later.zip")
    by_the_readme(folder, bundle.last.hash.hex())
    assert by_the_script(folder, bundle.last.hash.hex())[0] == 0
    assert json.loads((folder / "about.json").read_text())["first_seal"] == 3


def test_a_bundle_holds_no_address_and_is_its_owners_alone(past: Within, tmp_path: Path) -> None:
    export(past.as_ledger, tmp_path / "record.zip", now=past.hand.now)
    assert (tmp_path / "record.zip").stat().st_mode & 0o077 == 0
    folder = unpacked(tmp_path / "record.zip")
    everything = "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())
    assert "+4479111234" not in everything
    assert "example.org" not in everything
    assert "Pupil3" not in everything


def test_nothing_is_written_over_and_nothing_half_is_left(past: Within, tmp_path: Path) -> None:
    target = tmp_path / "record.zip"
    target.write_text("mine")
    with pytest.raises(RuleBroken, match="already"):
        export(past.as_ledger, target, now=past.hand.now)
    assert target.read_text() == "mine"
    with pytest.raises(RuleBroken, match="no such seal"):
        export(past.as_ledger, tmp_path / "other.zip", first=99, now=past.hand.now)
    with pytest.raises(RuleBroken, match="cannot be written"):
        export(past.as_ledger, tmp_path / "nowhere" / "other.zip", now=past.hand.now)
    assert [path.name for path in tmp_path.iterdir()] == ["record.zip"]
