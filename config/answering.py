"""What comes back, as settings: mailboxes to read, inboxes that answers go to, and what is answered by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FilePath, SecretStr, model_validator

from broker.errors import Problem, SetupError
from broker.incoming.answering import (
    HELP,
    OFFICE,
    OVERDUE_AFTER,
    SAFEGUARDING,
    Answering,
    Inbox,
    WordList,
    shipped_words,
)
from broker.loopback import is_loopback
from channels.email.settings import Email
from channels.seconds import Seconds
from config.faults import Faults, name_of
from sources.mailbox import Mailbox
from sources.mailbox.folders import Maildir, Mbox
from sources.mailbox.imap import Imap

if TYPE_CHECKING:
    from config.settings import Settings

MOST_WORDS_FILE = 256 * 1024


def _listed(value: Any) -> Any:
    """`Mrs Bell, Mr Low` as a list; one that is a list already stays one."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class MailboxAt(_Group):
    """One mailbox that is read: over IMAP (`host`), or a folder on this machine (`maildir`, `mbox`)."""

    host: str | None = Field(None, min_length=1, max_length=253, description="the IMAP server")
    port: int = Field(993, ge=1, le=65535, description="993 with tls, 143 with starttls")
    security: Literal["tls", "starttls", "none"] = Field("tls", description="none is for this machine alone")
    username: SecretStr | None = Field(None, description="needed with a host")
    password: SecretStr | None = Field(None, description="needed with a host")
    folder: str = Field("INBOX", pattern=r"^[ -~]{1,200}$", description="the folder that is read")
    ca_file: FilePath | None = Field(None, description="certificates to trust instead of the system's (PEM)")
    maildir: Path | None = Field(None, description="instead of a host: a Maildir on this machine")
    mbox: Path | None = Field(None, description="instead of a host: an mbox file on this machine")
    delete_read: bool = Field(False, description="true: what was read is deleted there; an mbox always is")
    every: Seconds = Field(
        timedelta(seconds=60),
        ge=timedelta(seconds=1),
        le=timedelta(hours=24),
        description="seconds from one reading to the next",
    )

    @model_validator(mode="after")
    def _one_place(self) -> MailboxAt:
        if sum(place is not None for place in (self.host, self.maildir, self.mbox)) != 1:
            raise Faults(
                Problem("bad_mailbox", "", "must name one place", "give a host, a maildir or an mbox")
            )
        if self.host is not None:
            if self.username is None or self.password is None:
                raise Faults(
                    Problem("no_sign_in", "", "needs a username and a password", "those of the mailbox")
                )
            if self.security == "none" and not is_loopback(self.host):
                hint = "take tls or starttls"
                raise Faults(Problem("in_the_clear", "", "would be read in the clear over the network", hint))
        return self

    def opened(self) -> Mailbox:
        """How it is read."""
        if self.maildir is not None:
            return Maildir(self.maildir, self.delete_read)
        if self.mbox is not None:
            return Mbox(self.mbox)
        assert self.host is not None and self.username is not None and self.password is not None  # noqa: S101, PT018
        return Imap(
            self.host,
            self.port,
            self.username.get_secret_value(),
            self.password.get_secret_value(),
            self.security,
            self.folder,
            self.ca_file,
            self.delete_read,
        )


class InboxAt(_Group):
    """One inbox: who watches it, where they are told, whose answers it takes."""

    watchers: Names = Field((), description="who watches it: operators' names, with commas")
    email: Email | None = Field(
        None, description="where they are told that an answer is there, once an hour at most"
    )
    departments: Names = Field(
        (), description="whose answers it takes; left out, the department of its own name"
    )


class LeadAt(_Group):
    """The safeguarding lead."""

    watchers: Names = Field((), description="operators' names: they alone see what may be about harm")
    email: Email | None = Field(None, description="where they are told at once, with a link and no content")


class Answers(_Group):
    """What becomes of answers."""

    inboxes: dict[str, InboxAt] = Field({}, description="where answers go, by name; the first takes the rest")
    lead: LeadAt = Field(default_factory=LeadAt)
    help: str = Field(
        HELP,
        min_length=1,
        max_length=300,
        description="where to get help now: part of the one automatic answer",
    )
    replies: bool = Field(
        True, description="false: nothing is answered by itself, and numbers elsewhere must do it"
    )
    overdue_after: Seconds = Field(
        OVERDUE_AFTER,
        ge=timedelta(minutes=5),
        le=timedelta(days=30),
        description="seconds that an answer may wait in an inbox before an alarm is raised",
    )
    words_file: FilePath | None = Field(
        None,
        description="words that bring an answer to the lead, one a line; left out, the list that is shipped",
    )


def answering_of(settings: Settings) -> Answering:
    """The value that the verbs work with. Raises SetupError for a file of words that cannot be read."""
    told = settings.answers
    inboxes = tuple(
        Inbox(name, at.watchers, at.email or "", frozenset(at.departments or {name}))
        for name, at in told.inboxes.items()
    )
    return Answering(
        inboxes=inboxes or (OFFICE,),
        lead=Inbox(SAFEGUARDING, told.lead.watchers, told.lead.email or ""),
        help=told.help,
        overdue_after=told.overdue_after,
        words=_words(told.words_file),
        replies=told.replies,
        own_addresses=_own_addresses(settings),
    )


def mailboxes_of(settings: Settings) -> Mapping[str, tuple[Mailbox, timedelta]]:
    """Every mailbox that is read, by name, and how often."""
    return {name: (at.opened(), at.every) for name, at in settings.mailboxes.items()}


def _own_addresses(settings: Settings) -> frozenset[str]:
    mails = [account.own for account in settings.accounts.values() if account.channel == "email"]
    fields = ("sender", "reply_to", "return_path")
    return frozenset(address for own in mails for field in fields if (address := getattr(own, field, None)))


def _words(path: Path | None) -> WordList:
    if path is None:
        return shipped_words()
    try:
        with path.open("rb") as file:
            words = WordList.of(file.read(MOST_WORDS_FILE).decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        words = WordList(())
    if not words.phrases:
        field = name_of(("answers", "words_file"))
        hint = "a text file in UTF-8 with one word or phrase a line"
        raise SetupError(Problem("bad_words_file", field, "holds no words that can be read", hint))
    return words
