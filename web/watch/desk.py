"""What every page of the dashboard stands on: who is at it, what they may do, how it is shown, how forms are taken."""

from __future__ import annotations

import hmac
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Annotated
from urllib.parse import parse_qs
from uuid import UUID

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from broker.actor import Actor
from broker.ports import Ports, Session
from broker.ports.approvals import OperatorRole
from config.settings import Settings
from ledger.connect import Ledger
from ledger.hand import Hand
from ledger.reads.watch import zone
from web.bounded import SLOWEST_BODY, body_of
from web.origin import is_ours
from web.watch import navigation
from web.watch.clean import clean, file_name
from web.watch.counts import Counts
from web.watch.paint import page
from web.watch.said import sentence
from web.watch.signing_in import HEADERS, NoPage, Signed, depth_of, ledger_of, signed_in

MOST_FORM = 256 * 1024  # bytes of a form without files: a long mail, each of its signs sent as three
MOST_FIELDS = 500
MOST_FILES = 5
MOST_QUERY = 200  # signs of one value in an address
LARGEST = 2**62  # what every database counts to
ZONE_FOR = timedelta(minutes=1)  # a school moves more seldom
MULTIPART = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class File:
    """A file that somebody chose: its name as their machine calls it, and what it holds."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """What somebody filled in: names → values, each as often as it was sent; and the files beside."""

    values: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    files: Mapping[str, File] = field(default_factory=dict, repr=False)

    def __getitem__(self, name: str) -> str:
        """The first value of a name, without the blanks around it; "" when there is none."""
        return self.values[name][0].strip() if self.values.get(name) else ""

    def __contains__(self, name: object) -> bool:
        """Whether a name was sent at all, which a box that is not ticked is not."""
        return name in self.values

    def get(self, name: str, otherwise: str = "") -> str:
        """The first value of a name that says anything."""
        return self[name] or otherwise

    def all(self, name: str) -> list[str]:
        """Every value of a name that says anything."""
        return [value.strip() for value in self.values.get(name, ()) if value.strip()]

    def file(self, name: str) -> File | None:
        """The file of a name, when one was chosen."""
        return self.files.get(name)


@dataclass(frozen=True)
class At:
    """Somebody at a page: their session, and what the page may reach."""

    request: Request
    signed: Signed

    @property
    def ports(self) -> Ports:
        """What the broker's verbs are called with."""
        ports: Ports = self.request.app.state.ports
        return ports

    @property
    def settings(self) -> Settings:
        """As this process was started with."""
        settings: Settings = self.request.app.state.settings
        return settings

    @property
    def ledger(self) -> Ledger:
        """The ledger itself, for what is read at length."""
        return ledger_of(self.ports)

    @property
    def session(self) -> Session:
        """As it stands at this request."""
        return self.signed.session

    @property
    def actor(self) -> Actor:
        """For the record."""
        return self.signed.actor

    @property
    def department(self) -> str | None:
        """Whose alone they see; None for the whole school's."""
        return self.signed.department

    @property
    def roles(self) -> frozenset[OperatorRole]:
        """What they may do."""
        return frozenset(self.session.roles)

    @cached_property
    def zone(self) -> str:
        """The school's, in which every time is shown; no page asks again within a minute."""
        counts: Counts = self.request.app.state.hub.counts
        return counts.kept("zone", ZONE_FOR, self._zone)

    def _zone(self) -> str:
        with self.reading() as hand:
            return zone(hand)

    def reading(self) -> AbstractContextManager[Hand]:
        """One look at the ledger, which waits for no writer."""
        return self.ledger.reading()

    def of_whom(self, department: str | None) -> str:
        """A department as people call it; without one it is the whole school."""
        return self.settings.departments.get(department, department) if department else "the whole school"

    def departments(self) -> list[tuple[str, str]]:
        """What something new can be for, to choose from: their own department, or the school and each of its."""
        if self.department is not None:
            return [(self.department, self.of_whom(self.department))]
        return [("", self.of_whom(None)), *self.settings.departments.items()]

    def may(self, *roles: OperatorRole) -> bool:
        """Whether they have one of these roles."""
        return bool(self.roles & set(roles))

    def must(self, *roles: OperatorRole) -> None:
        """Raises NoPage for somebody who has none of these roles."""
        if not self.may(*roles):
            raise NoPage(403, "not_yours")

    def query(self, name: str, most: int = MOST_QUERY) -> str:
        """A value of the address, cut to what a page may be asked; "" when there is none."""
        return " ".join(clean(self.request.query_params.get(name, "")[:most]).split())

    def number(self, name: str) -> int | None:
        """A number of the address; None when there is none. Raises NoPage for what is no number."""
        text = self.query(name)
        return number(text) if text else None

    def page(self, name: str, status: int = 200, /, **known: object) -> HTMLResponse:
        """A whole page, from `templates/<name>.html`."""
        return HTMLResponse(self._html(name, known), status, HEADERS)

    def part(self, name: str, status: int = 200, /, **known: object) -> HTMLResponse:
        """A piece of a page, for the script that puts it in its place."""
        return self.page(name, status, **known)

    def done(self, to: str, what: str = "") -> RedirectResponse:
        """Lead on to an address below the root ("watch/groups"), where a sentence of `SAID` tells what was done."""
        at, hash_, anchor = to.partition("#")
        if what:
            at += f"{'&' if '?' in at else '?'}done={what}"
        return RedirectResponse("../" * depth_of(self.request) + at + hash_ + anchor, 303, HEADERS)

    def _html(self, name: str, known: Mapping[str, object]) -> str:
        shown: dict[str, object] = {
            "school": self.settings.school.name,
            "sandbox": self.settings.sandbox,
            "signed": self.signed,
            "at": self,
            "problem": None,
            "form": None,
            "done": sentence(self.query("done")),
            "sections": navigation.sections(self.roles, self.department),
            "here": self.request.url.path.lstrip("/"),
            "of_whom": self.of_whom,
            **known,
        }
        if "zone" not in shown:
            shown["zone"] = self.zone
        return page(name, depth=depth_of(self.request), **shown)


def acting(at: At) -> Actor:
    """Whoever acts, held to the one department that they act for: what is another's is not there for them."""
    return replace(at.actor, department=at.department)


def of_the_school(at: At, *roles: OperatorRole) -> None:
    """For whoever acts for the whole school, and has one of these roles where any is named. Raises NoPage."""
    if (roles and not at.may(*roles)) or at.department is not None:
        raise NoPage(403, "not_yours")


def at_desk(request: Request) -> At:
    """Whoever asks for a page. Raises NotSignedIn, NoPage."""
    at = At(request, signed_in(request))
    _must_be_readable(request)
    return at


Desk = Annotated[At, Depends(at_desk)]


async def posted(
    request: Request,
    do: Callable[[At, Form], Response],
    *,
    most: int = MOST_FORM,
    within: timedelta = SLOWEST_BODY,
) -> Response:
    """Take a form of our own pages and do on a thread what it asks for. Raises NoPage, NotSignedIn.

    `most` is of the whole body, in bytes, `within` how long it may take to come. Nothing of it is read for another
    site, or for nobody.
    """
    if not is_ours(request):
        raise NoPage(403, "refused")
    signed = await run_in_threadpool(signed_in, request)
    _must_be_readable(request)
    form = await _form(request, most, within)
    if not hmac.compare_digest(form["token"].encode(), signed.form_token.encode()):
        raise NoPage(403, "refused")
    return await run_in_threadpool(do, At(request, signed), form)


def number(text: str) -> int:
    """A number that an address holds. Raises NoPage."""
    if not (text.isascii() and text.isdigit() and len(text) < 20) or int(text) > LARGEST:
        raise NoPage(404, "not_found")
    return int(text)


def uuid_of(text: str) -> UUID:
    """An id that an address holds. Raises NoPage."""
    try:
        return UUID(text)
    except ValueError:
        raise NoPage(404, "not_found") from None


def _must_be_readable(request: Request) -> None:
    """No name of anything holds a NUL. Raises NoPage."""
    if "\0" in request.scope["path"]:
        raise NoPage(404, "not_found")


async def _form(request: Request, most: int, within: timedelta) -> Form:
    body = await body_of(request, most, within)
    if request.headers.get("content-type", "").lower().startswith(MULTIPART):
        return await _multipart(request, body, most)
    try:
        found = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise NoPage(400, "refused") from None
    return Form({clean(name): [clean(value) for value in values] for name, values in found.items()})


async def _multipart(request: Request, body: bytes, most: int) -> Form:
    async def stream() -> AsyncGenerator[bytes]:
        yield body
        yield b""

    parser = MultiPartParser(
        request.headers, stream(), max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=most
    )
    try:
        found = await parser.parse()
    except (MultiPartException, ValueError):  # an alphabet that there is not, or what is not written in it
        raise NoPage(400, "refused") from None
    values: dict[str, list[str]] = {}
    files: dict[str, File] = {}
    for name, value in found.multi_items():
        if isinstance(value, UploadFile):
            if value.filename:  # a field left empty is sent without a name
                files[clean(name)] = File(file_name(value.filename), await value.read())
        else:
            values.setdefault(clean(name), []).append(clean(value))
    await found.close()
    return Form(values, files)
