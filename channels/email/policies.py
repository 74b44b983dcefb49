"""Email's own rules: none per recipient beyond the house's, and what a wording must be at intake."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from broker.announcement import Attachment, Content
from broker.errors import Problem
from broker.policy import Policy

POLICIES: tuple[Policy, ...] = ()

# Most mail servers refuse 25 MB, and base64 adds a third: 15 MB of files make a mail of 20.5.
MAX_ATTACHED = 15 * 1024 * 1024
MAX_ATTACHMENTS = 20
MAX_FILE_NAME = 150

# What Outlook and Gmail refuse to hand over; a mail with one of these is lost whole.
# fmt: off
RUNNABLE = frozenset(
    {
        "ade", "adp", "apk", "appx", "bat", "cab", "chm", "cmd", "com", "cpl", "dll", "dmg", "exe", "hta",
        "ins", "iso", "isp", "jar", "js", "jse", "lib", "lnk", "mde", "msc", "msi", "msp", "mst", "nsh", "pif",
        "ps1", "reg", "scr", "sct", "shb", "sys", "vb", "vbe", "vbs", "vxd", "wsc", "wsf", "wsh",
    }
)
# fmt: on
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}", re.IGNORECASE)
_NOT_IN_A_NAME = re.compile(
    r"[/\\:*?\"<>|\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def check(content: Content, attachments: Sequence[Attachment]) -> Sequence[Problem]:
    """What is wrong with this wording as a mail: nothing to say, no subject, files too big or badly named."""
    problems = []
    if not content.long.strip():
        problems.append(Problem("empty_text", "long", "there is nothing to announce", "write the message"))
    if not content.title.strip(" \t\n#>*-"):
        problems.append(Problem("empty_title", "title", "a mail needs a subject", "write a title"))
    if len(attachments) > MAX_ATTACHMENTS:
        message = f"there are {len(attachments)} files; a mail takes at most {MAX_ATTACHMENTS}"
        problems.append(
            Problem("too_many_attachments", "attachments", message, "put them into one file, or on a page")
        )
    if sum(len(each.data) for each in attachments) > MAX_ATTACHED:
        message = f"the files are larger than {MAX_ATTACHED // 1024 // 1024} MB together"
        problems.append(
            Problem("attachments_too_big", "attachments", message, "put them on a page and give its link")
        )
    for number, each in enumerate(attachments, start=1):
        problems += _check_file(number, each)
    return problems


def _check_file(number: int, file: Attachment) -> Sequence[Problem]:
    # By its number, for a file's name may tell about a person.
    field = f"attachments.{number}"
    if not file.name.strip(" .") or len(file.name) > MAX_FILE_NAME or _NOT_IN_A_NAME.search(file.name):
        hint = f"at most {MAX_FILE_NAME} letters, digits, spaces, hyphens and dots"
        return [Problem("bad_file_name", field, "this file's name cannot travel with a mail", hint)]
    if PurePosixPath(file.name.rstrip(" .")).suffix[1:].lower() in RUNNABLE:
        hint = "send a document, or put it on a page"
        return [
            Problem("runnable_file", field, "this is a program, and mail servers throw such mails away", hint)
        ]
    if not _MEDIA_TYPE.fullmatch(file.media_type):
        return [Problem("bad_media_type", field, "this file's type is not one", "such as application/pdf")]
    return []
