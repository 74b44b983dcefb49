"""Mailboxes on this machine, where a mail server delivers to: a Maildir, or one mbox file.

In a Maildir what was read moves from `new` to `cur`, as any mail program would do it; out of an mbox it is taken, under
the locks that mail servers hold. With `delete_read` it goes altogether. What could not be taken in never goes: in a
Maildir it is flagged, in an mbox it is offered again the next time.
"""

from __future__ import annotations

import mailbox
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sources.mailbox import MOST_AT_ONCE, MOST_BYTES, Fetched, MailboxAway, Take

MOST_LOOKED_AT = 10 * MOST_AT_ONCE  # of an mbox, where what cannot be taken in lies before the rest


@dataclass(frozen=True, slots=True)
class Maildir:
    """A folder with `new` and `cur`."""

    path: Path
    delete_read: bool = False

    def read(self, position: str, take: Take) -> str:
        """See sources.mailbox.Mailbox; what lies in `new` is its own position."""
        try:
            new, cur = self.path / "new", self.path / "cur"
            waiting = sorted(
                (e.stat().st_mtime, e.name) for e in os.scandir(new) if e.is_file(follow_symlinks=False)
            )
            for came, name in waiting[:MOST_AT_ONCE]:
                with (new / name).open("rb") as file:
                    raw = file.read(MOST_BYTES)
                taken = take(Fetched(raw, datetime.fromtimestamp(came, UTC), name))
                if taken and self.delete_read:
                    (new / name).unlink(missing_ok=True)
                else:  # read, or flagged for whoever looks into it with a mail program
                    with suppress(FileNotFoundError):
                        (new / name).rename(cur / f"{name.partition(':')[0]}:2,{'S' if taken else 'F'}")
        except OSError:
            raise MailboxAway("the folder of the mailbox cannot be read") from None
        return "read"


@dataclass(frozen=True, slots=True)
class Mbox:
    """One file, such as /var/mail/bounces."""

    path: Path

    def read(self, position: str, take: Take) -> str:
        """See sources.mailbox.Mailbox; what is left in the file is its own position."""
        try:
            if not self.path.stat().st_size:
                return "read"
            came = datetime.fromtimestamp(self.path.stat().st_mtime, UTC)
            box = mailbox.mbox(self.path, create=False)
            try:
                box.lock()
                taken: list[str] = []
                try:
                    for key in list(box.iterkeys())[:MOST_LOOKED_AT]:
                        with box.get_file(key) as file:
                            raw = file.read(MOST_BYTES)
                        if take(Fetched(raw, came, str(key))):
                            taken.append(key)
                        if len(taken) == MOST_AT_ONCE:
                            break
                finally:
                    for key in taken:
                        box.remove(key)
                    box.flush()
            finally:
                box.close()
        except (OSError, mailbox.Error):
            raise MailboxAway("the file of the mailbox cannot be read or locked") from None
        return "read"
