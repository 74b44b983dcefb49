"""Nothing is sent in the clear, to a stranger, or out of the sandbox; and settings say what is wrong with them."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from broker.channel import Receipt, Surroundings
from broker.errors import AccountRejected, SetupError, Unreachable
from channels.email import Email, kit
from channels.email.settings import Settings
from sandbox.client import RunningSandbox, start_sandbox
from tests.channels.mail_support import HOUSE, PASSWORD, account, letter, settings
from tests.channels.odd_mail_server import odd


def authority(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for localhost that vouches for itself, and its key."""
    pair = folder / f"{name}.pem", folder / f"{name}.key"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", *curve, *names, "-out", str(pair[0]), "-keyout", str(pair[1])]
    subprocess.run(command, check=True, capture_output=True)
    return pair


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return authority(tmp_path_factory.mktemp("ours"), "ours")


@pytest.fixture(scope="module", params=["starttls", "tls"])
def secured(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, ours: tuple[Path, Path]
) -> Iterator[tuple[str, RunningSandbox]]:
    flags = ["--smtp-user", "office", "--smtp-password", PASSWORD, "--certificate", str(ours[0])]
    flags += [
        "--certificate-key",
        str(ours[1]),
        "--smtp-tls",
        "implicit" if request.param == "tls" else "starttls",
    ]
    with start_sandbox(tmp_path_factory.mktemp("tls") / "truth.jsonl", flags=flags) as sandbox:
        yield request.param, sandbox


def attempt(channel: Email) -> Receipt:
    one = letter(channel)
    try:
        return channel.send(one.message, one.to, key=one.key)
    finally:
        channel.close()


def test_a_mail_goes_protected_and_signed_in(
    secured: tuple[str, RunningSandbox], ours: tuple[Path, Path]
) -> None:
    security, sandbox = secured
    attempt(
        account(
            sandbox,
            host="localhost",
            security=security,
            ca_file=ours[0],
            username="office",
            password=PASSWORD,
        )
    )
    assert sandbox.truth()[-1]["tls"] is True


def test_a_certificate_nobody_vouches_for_is_refused(
    secured: tuple[str, RunningSandbox], tmp_path: Path
) -> None:
    security, sandbox = secured
    before = len(sandbox.truth())
    trusts: tuple[dict[str, Any], ...] = ({}, {"ca_file": authority(tmp_path, "theirs")[0]})
    for trusted in trusts:
        channel = account(
            sandbox, host="localhost", security=security, username="office", password=PASSWORD, **trusted
        )
        with pytest.raises(Unreachable) as caught:
            attempt(channel)
        assert caught.value.code == "certificate"
    assert len(sandbox.truth()) == before


def test_a_certificate_for_another_name_is_refused(
    secured: tuple[str, RunningSandbox], ours: tuple[Path, Path]
) -> None:
    security, sandbox = secured
    with pytest.raises(Unreachable) as caught:
        attempt(account(sandbox, host="127.0.0.1", security=security, ca_file=ours[0]))
    assert caught.value.code == "certificate"


@pytest.mark.parametrize(
    "answers",
    [{}, {"STAR": b"454 4.7.0 TLS not available"}, {"STAR": b"502 5.5.1 Unknown"}, {"STAR": b"220 Go"}],
)
def test_a_server_that_offers_no_tls_gets_neither_password_nor_mail(answers: dict[str, bytes]) -> None:
    offers = [b"AUTH PLAIN LOGIN", *([b"STARTTLS"] if answers else [])]
    with odd(answers, offers) as server:
        channel = account(
            port=server.port, host="localhost", security="starttls", username="office", password=PASSWORD
        )
        with pytest.raises((Unreachable, AccountRejected)):
            attempt(channel)
        assert (server.seen["AUTH"], server.seen["MAIL"]) == (0, 0)
        assert PASSWORD not in "".join(server.commands)


def test_what_was_offered_before_tls_counts_for_nothing_after_it(ours: tuple[Path, Path]) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*ours)
    with odd({"STAR": b"220 Go"}, [b"STARTTLS"], tls=context) as server:
        channel = account(port=server.port, host="localhost", security="starttls", ca_file=ours[0])
        attempt(channel)
        assert (server.seen["EHLO"], len(server.mails)) == (2, 1)


def test_a_server_without_a_sign_in_we_know_is_told_of() -> None:
    with odd({}, [b"AUTH GSSAPI"]) as server, pytest.raises(AccountRejected, match="no way to sign in"):
        attempt(account(port=server.port, username="office", password=PASSWORD))
    with odd({}) as server, pytest.raises(AccountRejected, match="no way to sign in"):
        attempt(account(port=server.port, username="office", password=PASSWORD))


def test_the_sandbox_sends_to_this_machine_alone() -> None:
    there = settings(host="smtp.example.org", security="starttls")
    with pytest.raises(SetupError, match="this machine alone"):
        kit.open("office", there, Surroundings("school", "GB", sandbox=True))
    kit.open("office", there, Surroundings("school", "GB")).close()


def test_a_file_of_no_certificates_is_told_of(tmp_path: Path) -> None:
    nonsense = tmp_path / "ca.pem"
    nonsense.write_text("nonsense")
    with pytest.raises(SetupError, match="certificates"):
        kit.open(
            "office",
            settings(host="localhost", security="tls", ca_file=nonsense),
            Surroundings("school", "GB"),
        )


@pytest.mark.parametrize(
    ("more", "field", "words"),
    [
        ({"host": "smtp.example.org"}, "security", "on this machine"),
        ({"host": "128.0.0.1"}, "security", "on this machine"),
        ({"host": "localhost.example.org"}, "security", "on this machine"),
        ({"username": "office"}, "password", "belong together"),
        ({"password": "x"}, "password", "belong together"),
        ({"sender": "office@school.example, head@school.example"}, "sender", "more than one email"),
        ({"sender": "nobody"}, "sender", "not an email"),
        ({"reply_to": None}, "reply_to", "valid string"),
        ({"sender_name": "Office\r\nBcc: head@other.example"}, "sender_name", "one line"),
        ({"host": "smtp example"}, "host", "host name"),
        ({"security": "maybe"}, "security", "starttls"),
        ({"port": 0}, "port", "greater than"),
        ({"connections": 0}, "connections", "greater than"),
        ({"timeout": timedelta(0)}, "timeout", "greater than"),
        ({"passwort": "x"}, "passwort", "not permitted"),
    ],
)
def test_a_setting_that_cannot_work_is_told_in_plain_words(
    more: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**more)
    (fault,) = caught.value.errors()
    assert ".".join(map(str, fault["loc"])) == field
    assert words in fault["msg"]


def test_somebody_reads_the_answers() -> None:
    with pytest.raises(ValidationError, match="reply_to"):
        Settings.model_validate({"host": "localhost", "sender": HOUSE.sender})


def test_settings_never_show_their_secrets() -> None:
    told = settings(username="the-user", password=PASSWORD)
    assert PASSWORD not in repr(told) + str(told.model_dump())
    assert "the-user" not in repr(told)
