"""The bytes of a mail say exactly what was rendered, whatever the wording, the names and the links hold."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.announcement import Attachment
from broker.channel import Recipient
from channels.email.letter import Rendered
from channels.email.render import Renderer
from channels.email.wire import encoded_subject, quoted_line
from tests.channels.mail_support import HOUSE, body, parent, read, wording

LINK = "https://school.example/u/abc-DEF_123.~?x=1&y=%20"
PLAIN = "https://school.example/u/abc-DEF_123"  # as ours are, whose mails are filled by a shorter way
DATE = "Sun, 22 Nov 2026 09:01:05 +0000"

# What intake lets through and more: every character but lone surrogates, line ends of all kinds, dots, equals signs.
NASTY = st.sampled_from(
    ["\n", ".", "..", "=", "=\n", "=20", "{pupil}", "{pupil}{pupil}", " ", "\t", "\r\n", "--", "=_0_", "\n.\n",
     "\x02names\x02", "From ", "é", "😀", "\x85", "\u2028", "&", "<", '"', "$stop",
     "${body}", "x" * 80, "\x00", "\x0b", "=?utf-8?q?x?="]
)  # fmt: skip
TEXT = st.lists(NASTY | st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=14).map(
    "".join
)
NAMES = st.lists(TEXT.filter(str.strip), max_size=4).map(tuple)
LINKS = st.sampled_from(["", LINK, PLAIN, PLAIN + "x" * 200])
FILES = st.lists(
    st.builds(
        Attachment,
        sha256=st.just("0" * 64),
        name=st.sampled_from(["plan.pdf", "Llythyr at rieni – ŵyl.docx", "a b.txt", "x" * 140 + ".pdf"]),
        media_type=st.sampled_from(
            ["application/pdf", "text/plain", "text/calendar", "message/rfc822", "image/png"]
        ),
        data=st.binary(max_size=300),
    ),
    max_size=3,
    unique_by=lambda file: file.name,
).map(tuple)


def wire(rendered: Rendered, to: Recipient) -> bytes:
    own, common = rendered.letter.wire.fill(
        rendered.personal, to=to.address, message_id="carillon.1.abc@school.example", date=DATE
    )
    return own + common


def as_sent(text: str) -> str:
    """Mail has one kind of line end, and ends its last line."""
    return re.sub(r"\r\n|\r", "\n", text).removesuffix("\n") + "\n"


@settings(max_examples=150)
@given(title=TEXT, long=TEXT, names=NAMES, link=LINKS, files=FILES)
def test_what_is_read_is_what_was_rendered(
    title: str, long: str, names: tuple[str, ...], link: str, files: tuple[Attachment, ...]
) -> None:
    to = parent("pat", names, {"unsubscribe": link} if link else {})
    fields = Renderer(HOUSE).render(wording(long, title, files), to).fields
    assert isinstance(fields, Rendered)
    sent = wire(fields, to)

    assert sent.isascii()
    assert sent.endswith(b"\r\n")
    lines = sent.split(b"\r\n")
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert not any(line.startswith(b".") for line in lines)  # no dot to stuff, no dot to end it
    head = sent.split(b"\r\n\r\n")[0].split(b"\r\n")
    assert max(map(len, head)) <= 998
    # Quoted-printable and base64 stay under 76; a file's name may not.
    assert max(map(len, lines[len(head) :])) <= 90

    mail = read(sent)
    assert mail["Subject"] == fields["subject"]
    assert mail["To"] == to.address
    assert len(mail["To"].addresses) == len(mail["From"].addresses) == len(mail["Reply-To"].addresses) == 1
    assert sorted(mail.keys()) == sorted(set(mail.keys()))
    assert body(mail, "plain") == as_sent(fields["text"])
    assert body(mail, "html") == as_sent(fields["html"])
    assert [part.get_filename() for part in mail.iter_attachments()] == [file.name for file in files]
    assert [part.get_payload(decode=True) for part in mail.iter_attachments()] == [
        file.data for file in files
    ]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_subject_is_read_as_it_was_meant_and_brings_no_header_along(text: str) -> None:
    encoded = encoded_subject(text)
    assert encoded.isascii()
    for line in encoded.split("\n")[1:]:
        assert line.startswith(" ")
    assert all(len(f"Subject: {line}") <= 86 for line in encoded.split("\r\n"))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_filling_is_lines_of_its_own_that_decode_to_it(text: str) -> None:
    import quopri

    quoted = quoted_line(text)
    assert quopri.decodestring(quoted) == text.encode()
    assert not any(line.startswith(b".") or len(line) > 76 for line in quoted.split(b"\r\n"))
    assert b"\n" not in quoted.replace(b"=\r\n", b"")


@pytest.mark.parametrize(
    "title",
    ["Concert\r\nBcc: head@other.example", "Concert\nX: y", "Concert\rX: y", "Concert\u2028X: y",
     "Concert\x00\x0b\x85X: y", "=?utf-8?q?Concert=0D=0AX:_y?=", "Concert" + " " * 900 + "\r\nX: y"],
)  # fmt: skip
def test_a_title_cannot_smuggle_a_header_in(title: str) -> None:
    to = parent("pat", ("Amy\r\nX: z",))
    fields = Renderer(HOUSE).render(wording(title=title + " {pupil}"), to).fields
    assert isinstance(fields, Rendered)
    mail = read(wire(fields, to))
    assert "X" not in mail
    assert "Bcc" not in mail
    assert mail["Subject"] == fields["subject"]


@pytest.mark.parametrize(
    "link", ["https://x.example/\r\nX: y", "https://x.example/> , <https://y.example", "javascript:alert(1)", "https://é.example",
             "https://x.example/" + "y" * 900, "https://x.example/\"onclick=\"x", ""],
)  # fmt: skip
def test_a_link_that_no_header_could_carry_gives_way_to_the_reply_address(link: str) -> None:
    to = parent(links={"unsubscribe": link})
    fields = Renderer(HOUSE).render(wording(), to).fields
    assert isinstance(fields, Rendered)
    mail = read(wire(fields, to))
    assert mail["List-Unsubscribe"] == f"<mailto:{HOUSE.reply_to}?subject=unsubscribe>"
    assert "List-Unsubscribe-Post" not in mail
    assert "X" not in mail
    assert link not in fields["html"] or not link


def test_the_headers_are_those_that_mailboxes_ask_for() -> None:
    to = parent(links={"unsubscribe": LINK})
    fields = Renderer(HOUSE).render(wording(title="Cyngerdd y Gaeaf – Ŵyl"), to).fields
    assert isinstance(fields, Rendered)
    mail = read(wire(fields, to))
    assert mail["List-Unsubscribe"] == f"<{LINK}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["From"] == "Llanfair School <office@school.example>"
    assert mail["Reply-To"] == HOUSE.reply_to
    assert mail["List-Id"] == "<announcements.school.example>"
    assert mail["Message-ID"] == "<carillon.1.abc@school.example>"
    assert mail["Date"].datetime is not None
    assert "Auto-Submitted" not in mail
    assert mail.get_content_type() == "multipart/alternative"


def test_one_click_is_promised_over_https_alone() -> None:
    to = parent(links={"unsubscribe": "http://127.0.0.1:8000/u/abc"})
    fields = Renderer(HOUSE).render(wording(), to).fields
    assert isinstance(fields, Rendered)
    mail = read(wire(fields, to))
    assert mail["List-Unsubscribe"] == "<http://127.0.0.1:8000/u/abc>"
    assert "List-Unsubscribe-Post" not in mail


def test_the_same_letter_is_the_same_bytes() -> None:
    to = parent("pat", ("Amy",), {"unsubscribe": LINK})
    files = (Attachment("1" * 64, "plan.pdf", "application/pdf", b"%PDF"),)
    mails = []
    for _ in range(2):
        fields = Renderer(HOUSE).render(wording(attachments=files), to).fields
        assert isinstance(fields, Rendered)
        mails.append(wire(fields, to))
    assert mails[0] == mails[1]


def test_what_all_recipients_have_in_common_is_one_object() -> None:
    files = (Attachment("1" * 64, "plan.pdf", "application/pdf", bytes(1_000_000)),)
    renderer = Renderer(HOUSE)
    tails = []
    for number in range(2):
        to = parent(f"pat{number}", (f"Amy{number}",))
        fields = renderer.render(wording(attachments=files), to).fields
        assert isinstance(fields, Rendered)
        own, common = fields.letter.wire.fill(
            fields.personal, to=to.address, message_id="x@school.example", date=DATE
        )
        assert len(own) < 10_000
        tails.append(common)
    assert tails[0] is tails[1]
