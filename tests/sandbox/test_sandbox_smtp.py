"""The mail stand-in, through the standard library's smtplib and over a bare socket."""

from __future__ import annotations

import hashlib
import smtplib
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from sandbox.client import RunningSandbox, start_sandbox
from sandbox.truth import Entry

SENDER = "music@school.example"
Accepted = Callable[[str], list[Entry]]


def message(to: str, number: int = 1) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = f"Music <{SENDER}>"
    mail["To"] = to
    mail["Reply-To"] = "office@school.example"
    mail["Subject"] = "Rehearsal – moved to Thursday"
    mail["Message-ID"] = f"<{number}@school.example>"
    mail["List-Unsubscribe"] = "<https://school.example/u/1>"
    mail.set_content("Thursday at 4.\n.starts with a dot\n..and with two\n")
    return mail


@pytest.fixture
def smtp(sandbox: RunningSandbox) -> Iterator[smtplib.SMTP]:
    client = smtplib.SMTP(sandbox.smtp_host, sandbox.smtp_port, timeout=2)
    yield client
    client.close()


def test_a_mail_is_accepted_and_in_the_truth_log(
    smtp: smtplib.SMTP, address: str, accepted: Accepted
) -> None:
    mail = message(address)
    assert smtp.send_message(mail) == {}
    (entry,) = accepted(address)
    assert (entry["channel"], entry["from"], entry["key"]) == ("email", SENDER, "<1@school.example>")
    assert entry["subject"] == "Rehearsal – moved to Thursday"
    assert entry["headers"]["reply-to"] == "office@school.example"
    assert entry["headers"]["list-unsubscribe"] == "<https://school.example/u/1>"


def test_the_hash_is_that_of_the_content_without_its_stuffing(
    smtp: smtplib.SMTP, address: str, accepted: Accepted
) -> None:
    content = b"Message-ID: <1@x>\r\n\r\n.one dot\r\n..two dots\r\n.\r\n \r\nend\r\n"
    smtp.sendmail(SENDER, [address], content)
    (entry,) = accepted(address)
    assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert entry["size"] == len(content)
    assert entry["content"] == content.decode()


def test_a_kept_connection_takes_mail_after_mail(
    smtp: smtplib.SMTP, address: str, accepted: Accepted
) -> None:
    for number in range(50):
        smtp.send_message(message(address, number))
    assert [entry["key"] for entry in accepted(address)] == [f"<{n}@school.example>" for n in range(50)]


def test_a_mail_to_two_is_two_entries(smtp: smtplib.SMTP, address: str, accepted: Accepted) -> None:
    other = "other." + address
    smtp.sendmail(SENDER, [address, other], b"Message-ID: <1@x>\r\n\r\nHello\r\n")
    assert accepted(address)[0]["id"] == accepted(other)[0]["id"]


def test_an_empty_and_a_big_mail_are_taken(smtp: smtplib.SMTP, address: str, accepted: Accepted) -> None:
    smtp.sendmail(SENDER, [address], b"")
    smtp.sendmail(SENDER, [address], b"Subject: big\r\n\r\n" + b"x" * 70 * 20_000)
    assert [entry["size"] > 1_000_000 for entry in accepted(address)] == [False, True]


def test_an_address_beyond_ascii_needs_smtputf8(smtp: smtplib.SMTP, address: str, accepted: Accepted) -> None:
    smtp.ehlo()
    assert smtp.has_extn("smtputf8")
    smtp.sendmail(SENDER, [f"jürgen.{address}"], b"Hello\r\n", mail_options=["SMTPUTF8"])
    assert len(accepted(f"jürgen.{address}")) == 1
    smtp.mail(SENDER)
    smtp.send(f"RCPT TO:<jürgen.{address}>\r\n".encode())
    assert smtp.getreply()[0] == 553


def test_size_is_announced_and_held(smtp: smtplib.SMTP) -> None:
    smtp.ehlo()
    most = int(smtp.esmtp_features["size"])
    assert smtp.docmd(f"MAIL FROM:<{SENDER}> SIZE={most + 1}")[0] == 552
    assert smtp.docmd(f"MAIL FROM:<{SENDER}> SIZE={most}")[0] == 250


@pytest.mark.parametrize(
    ("commands", "code"),
    [
        (["MAIL FROM:<a@b.example>"], 503),
        (["EHLO x", "RCPT TO:<a@b.example>"], 503),
        (["EHLO x", "DATA"], 503),
        (["EHLO x", "MAIL FROM:<a@b.example>", "DATA"], 554),
        (["EHLO x", "MAIL FROM:a@b.example"], 501),
        (["EHLO x", "MAIL FROM:<a@b.example>", "MAIL FROM:<a@b.example>"], 503),
        (["EHLO x", "MAIL FROM:<a@b.example>", "RCPT TO:<>"], 501),
        (["EHLO x", "MAIL FROM:<a@b.example>", "RCPT TO:<" + "a" * 400 + "@b.example>"], 501),
        (["FLY"], 500),
        (["x" * 3000], 500),
        (["STARTTLS"], 502),
        (["EHLO x", "AUTH PLAIN AAAA"], 502),
        (["NOOP"], 250),
        (["RSET"], 250),
        (["VRFY a"], 252),
        (["QUIT"], 221),
    ],
)
def test_a_command_is_answered_as_it_should_be(smtp: smtplib.SMTP, commands: list[str], code: int) -> None:
    answers = [smtp.docmd(command)[0] for command in commands]
    assert answers[-1] == code


def test_a_pipelined_batch_is_answered_in_order(
    sandbox: RunningSandbox, address: str, accepted: Accepted
) -> None:
    one = f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{address}>\r\nDATA\r\n".encode()
    with socket.create_connection((sandbox.smtp_host, sandbox.smtp_port), timeout=2) as line:
        file = line.makefile("rb")
        assert file.readline().startswith(b"220")
        line.sendall(b"EHLO x\r\n")
        while not file.readline().startswith(b"250 "):
            pass
        for _ in range(3):
            line.sendall(one)
            assert [file.readline()[:3] for _ in range(3)] == [b"250", b"250", b"354"]
            # The next mail's commands may ride with the end of this one's content.
            line.sendall(b"Hello\r\n.\r\nNOOP\r\n")
            assert [file.readline()[:3] for _ in range(2)] == [b"250", b"250"]
        file.close()
    assert len(accepted(address)) == 3


def test_only_a_dot_between_crlfs_ends_a_mail(
    sandbox: RunningSandbox, address: str, accepted: Accepted
) -> None:
    """Otherwise a second mail could be smuggled in a first one's body."""
    smuggled = b"Hello\n.\nMAIL FROM:<evil@x.example>\r\nstill the first\r\n"
    with smtplib.SMTP(sandbox.smtp_host, sandbox.smtp_port, timeout=2) as client:
        client.ehlo()
        client.mail(SENDER)
        client.rcpt(address)
        client.docmd("DATA")
        client.send(smuggled + b".\r\n")
        assert client.getreply()[0] == 250
    (entry,) = accepted(address)
    assert entry["content"] == smuggled.decode()


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize(("code", "text"), [(451, "4.7.1 Greylisted"), (550, "5.1.1 No such user")])
def test_an_ordered_reply_comes_at_its_stage(
    sandbox: RunningSandbox, smtp: smtplib.SMTP, address: str, accepted: Accepted, stage: str, code: int, text: str
) -> None:  # fmt: skip
    sandbox.control.order(f"smtp:reply:stage={stage},code={code},text={text},next=1")
    with pytest.raises((smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused)) as refused:
        smtp.send_message(message(address))
    told = refused.value
    if isinstance(told, smtplib.SMTPRecipientsRefused):
        assert told.recipients == {address: (code, text.encode())}
    else:
        assert isinstance(told, smtplib.SMTPResponseException)
        assert (told.smtp_code, told.smtp_error) == (code, text.encode())
    assert accepted(address) == []
    # smtplib does not do it of itself when DATA is refused, and the transaction is still open then.
    smtp.rset()
    smtp.send_message(message(address))
    assert len(accepted(address)) == 1


def test_an_ordered_reply_comes_at_connect_and_at_ehlo(sandbox: RunningSandbox) -> None:
    sandbox.control.order("smtp:reply:stage=connect,code=554,text=5.3.2 Not today,next=1")
    with pytest.raises(smtplib.SMTPConnectError) as refused:
        smtplib.SMTP(sandbox.smtp_host, sandbox.smtp_port, timeout=2)
    assert refused.value.smtp_code == 554
    sandbox.control.order("smtp:reply:stage=ehlo,code=550,text=5.7.1 Go away")
    with smtplib.SMTP(sandbox.smtp_host, sandbox.smtp_port, timeout=2) as client:
        assert client.ehlo() == (550, b"5.7.1 Go away")


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize("kind", ["lost", "421", "hang:ms=50"])
def test_a_connection_is_lost_at_its_stage_and_nothing_accepted(
    sandbox: RunningSandbox, smtp: smtplib.SMTP, address: str, accepted: Accepted, stage: str, kind: str
) -> None:
    sandbox.control.order(f"smtp:{kind}{',' if ':' in kind else ':'}stage={stage}")
    with pytest.raises((smtplib.SMTPException, OSError)):
        smtp.send_message(message(address))
    with pytest.raises((smtplib.SMTPServerDisconnected, OSError)):
        smtp.noop()
    assert accepted(address) == []


def test_a_connection_is_lost_at_connect(sandbox: RunningSandbox) -> None:
    sandbox.control.order("smtp:lost:stage=connect")
    with pytest.raises(OSError):  # noqa: PT011 (reset or closed: both are the network's way of saying it)
        smtplib.SMTP(sandbox.smtp_host, sandbox.smtp_port, timeout=2)


@pytest.mark.parametrize("kind", ["lost-after-dot", "hang-after-dot:ms=50", "hang-after-dot", "slow:ms=5000"])
def test_a_mail_may_be_accepted_and_nobody_told(
    sandbox: RunningSandbox, address: str, accepted: Accepted, kind: str
) -> None:
    sandbox.control.order(f"smtp:{kind}")
    client = smtplib.SMTP(sandbox.smtp_host, sandbox.smtp_port, timeout=0.4)
    with pytest.raises((smtplib.SMTPServerDisconnected, OSError)):
        client.send_message(message(address))
    client.close()
    assert len(accepted(address)) == 1


def test_a_slow_accept_outlives_the_client(sandbox: RunningSandbox, address: str, accepted: Accepted) -> None:
    sandbox.control.order("smtp:slow-accept:ms=400")
    client = smtplib.SMTP(sandbox.smtp_host, sandbox.smtp_port, timeout=0.1)
    with pytest.raises((smtplib.SMTPServerDisconnected, OSError)):
        client.send_message(message(address))
    client.close()
    assert accepted(address) == []
    sandbox.wait_for(len(sandbox.truth()) + 1)
    (entry,) = accepted(address)
    assert entry["asked"] < entry["at"]


def test_a_fault_strikes_by_mail_address(
    sandbox: RunningSandbox, smtp: smtplib.SMTP, address: str, accepted: Accepted
) -> None:
    sandbox.control.order("smtp:reply:stage=rcpt,code=550,text=5.1.1 No such user,to_ends=@gone.example")
    smtp.send_message(message(address))
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        smtp.send_message(message("parent@gone.example"))
    assert (len(accepted(address)), accepted("parent@gone.example")) == (1, [])


def test_slow_stages_and_latency_take_their_time(
    sandbox: RunningSandbox, smtp: smtplib.SMTP, address: str, accepted: Accepted
) -> None:
    for fault in ("smtp:slow:stage=rcpt,ms=150", "smtp:latency:ms=50"):
        sandbox.control.clear()
        sandbox.control.order(fault)
        start = time.monotonic()
        smtp.send_message(message(address))
        assert time.monotonic() - start >= 0.15
    assert len(accepted(address)) == 2


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("certificate")
    pair = folder / "certificate.pem", folder / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += [
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
    ]
    subprocess.run([*command, "-out", pair[0], "-keyout", pair[1]], check=True, capture_output=True)
    return pair


def tls_flags(mode: str, certificate: tuple[Path, Path]) -> list[str]:
    return [
        "--smtp-tls",
        mode,
        "--certificate",
        str(certificate[0]),
        "--certificate-key",
        str(certificate[1]),
    ]


def test_starttls_is_offered_and_kept(truth_path: Path, address: str, certificate: tuple[Path, Path]) -> None:
    context = ssl.create_default_context(cafile=certificate[0])
    with start_sandbox(truth_path, flags=tls_flags("starttls", certificate)) as running:
        with smtplib.SMTP("localhost", running.smtp_port, timeout=2) as client:
            client.send_message(message(address))
            client.starttls(context=context)
            client.ehlo()
            assert not client.has_extn("starttls")
            client.send_message(message(address, 2))
        assert [entry["tls"] for entry in running.truth()] == [False, True]


def test_what_follows_starttls_unprotected_is_not_taken(
    truth_path: Path, certificate: tuple[Path, Path]
) -> None:
    with start_sandbox(truth_path, flags=tls_flags("starttls", certificate)) as running:
        client = smtplib.SMTP("127.0.0.1", running.smtp_port, timeout=2)
        client.ehlo()
        client.send(b"STARTTLS\r\nEHLO smuggled\r\n")
        assert client.getreply()[0] == 501
        client.close()


def test_tls_can_be_there_from_the_start(
    truth_path: Path, address: str, certificate: tuple[Path, Path]
) -> None:
    context = ssl.create_default_context(cafile=certificate[0])
    with start_sandbox(truth_path, flags=tls_flags("implicit", certificate)) as running:
        with smtplib.SMTP_SSL("localhost", running.smtp_port, timeout=2, context=context) as client:
            client.send_message(message(address))
        assert running.truth()[0]["tls"] is True


def test_a_user_has_to_sign_in(truth_path: Path, address: str) -> None:
    with start_sandbox(truth_path, flags=["--smtp-user", "carillon", "--smtp-password", "bells"]) as running:
        for method in ("plain", "login"):
            with smtplib.SMTP(running.smtp_host, running.smtp_port, timeout=2) as client:
                with pytest.raises(smtplib.SMTPSenderRefused) as refused:
                    client.send_message(message(address))
                assert refused.value.smtp_code == 530
                client.user, client.password = "carillon", "wrong"
                sign_in = client.auth_plain if method == "plain" else client.auth_login
                with pytest.raises(smtplib.SMTPAuthenticationError):
                    client.auth(method, sign_in, initial_response_ok=method == "plain")
                client.password = "bells"
                client.auth(method, sign_in, initial_response_ok=method == "login")
                client.send_message(message(address))
        assert len(running.truth()) == 2


def test_a_silent_connection_is_closed(truth_path: Path) -> None:
    with (
        start_sandbox(truth_path, flags=["--idle-s", "1"]) as running,
        smtplib.SMTP(running.smtp_host, running.smtp_port, timeout=5) as client,
    ):
        assert client.getreply() == (421, b"4.4.2 Idle for too long")


def test_too_many_connections_are_turned_away(truth_path: Path) -> None:
    with start_sandbox(truth_path, flags=["--max-connections", "1"]) as running:
        first = smtplib.SMTP(running.smtp_host, running.smtp_port, timeout=2)
        with pytest.raises(smtplib.SMTPConnectError) as refused:
            smtplib.SMTP(running.smtp_host, running.smtp_port, timeout=2)
        assert refused.value.smtp_code == 421
        first.quit()
        smtplib.SMTP(running.smtp_host, running.smtp_port, timeout=2).quit()
