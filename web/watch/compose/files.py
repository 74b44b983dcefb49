"""Files of a form: chosen, carried from page to page, taken out again. Nothing is stored before the form is kept."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote, unquote

from broker.announcement import Attachment
from broker.drafts import MOST_BYTES
from broker.errors import Problem, RuleBroken
from web.watch.desk import MOST_FORM, Form

FIELDS = ("file1", "file2", "file3")
# A file goes once as it was chosen, and once more as the page before carried it.
MOST_WITH_FILES = MOST_FORM + 2 * (4 * (MOST_BYTES // 3 + 1))
MOST_NAME = 200  # characters of a file's name, as the API takes them
_STORED = "sha256:"  # no base64 has a colon


def attachments_of(form: Form, there: Sequence[Attachment] = ()) -> tuple[Attachment, ...]:
    """The files that were chosen just now, and those from before that are still ticked. Raises RuleBroken.

    `there`: those that are stored with what is changed, which the form knows by their digests alone.
    """
    kept = [_opened(each, there) for each in form.all("kept")]
    chosen = [Attachment.of(_name(one.name), one.data) for name in FIELDS if (one := form.file(name))]
    named = {file.name: file for file in (*kept, *chosen)}
    if sum(len(file.data) for file in named.values()) > MOST_BYTES:
        raise _bad("too_large", "the files are too large for a mail", "send a link instead")
    return tuple(named.values())


def kept_of(form: Form, there: Sequence[Attachment] = ()) -> Sequence[tuple[str, str]]:
    """Each file's name, and what carries it on to the next page."""
    try:
        files = attachments_of(form, there)
    except RuleBroken:
        return ()
    stored = {(file.name, file.sha256) for file in there}
    return [
        (one.name, stored_file(one) if (one.name, one.sha256) in stored else carried_file(one))
        for one in files
    ]


def carried_file(file: Attachment) -> str:
    """A file as a field of a form holds it."""
    return f"{quote(file.name)}:{base64.b64encode(file.data).decode()}"


def stored_file(file: Attachment) -> str:
    """The same of one that is stored already: its digest is enough."""
    return f"{quote(file.name)}:{_STORED}{file.sha256}"


def bare(files: Sequence[Attachment]) -> tuple[Attachment, ...]:
    """Stored files without the words under which one announcement gave links to them."""
    return tuple(replace(file, token="") for file in files)


def _opened(text: str, there: Sequence[Attachment]) -> Attachment:
    name, _, data = text.partition(":")
    name = unquote(name)
    if data.startswith(_STORED):
        known = (one for one in there if (one.name, one.sha256) == (name, data.removeprefix(_STORED)))
        if (found := next(known, None)) is not None:
            return found
        raise _bad("bad_file", "a file is not there any more", "choose it again")
    try:
        return Attachment.of(_name(name), base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError):
        raise _bad("bad_file", "a file was lost on the way", "choose it again") from None


def _name(name: str) -> str:
    last = name.replace("\\", "/").rpartition("/")[2].strip()
    if not last or not last.isprintable() or len(last) > MOST_NAME:
        hint = f"give it a name of at most {MOST_NAME} letters"
        raise _bad("bad_name", "a file’s name cannot be used", hint)
    return last


def _bad(code: str, message: str, hint: str) -> RuleBroken:
    return RuleBroken(Problem(code, FIELDS[0], message, hint))
