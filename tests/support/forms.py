"""Forms as a browser without scripts fills and sends them: what a page's form holds goes with what somebody typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2

from tests.support.watching import Watched


@dataclass
class Form:
    """One form of a page: where it goes, its fields as they stand, its buttons by their words."""

    action: str
    values: dict[str, list[str]] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


class Forms(HTMLParser):
    """Every form of a page, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._open: Form | None = None
        self._area = ""
        self._button: tuple[str, str] | None = None
        self._words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {key: value or "" for key, value in attrs}
        if tag == "form":
            self._open = Form(said.get("action", ""))
            self.found.append(self._open)
        if self._open is None:
            return
        if tag == "input" and "name" not in said:
            return  # nothing of it is sent
        if tag == "input" and said.get("type") not in ("checkbox", "radio"):
            self._add(said["name"], said.get("value", ""))
        elif tag == "input" and "checked" in said:
            self._add(said["name"], said.get("value", "on"))
        elif tag == "textarea":
            self._area, self._words = said["name"], ""
        elif tag == "button":
            self._button, self._words = (said.get("name", ""), said.get("value", "")), ""

    def handle_data(self, data: str) -> None:
        self._words += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        if self._open is None:
            return
        if tag == "textarea":
            self._add(self._area, self._words.removeprefix("\n"))
        elif tag == "button" and self._button is not None:
            self._open.buttons[" ".join(self._words.split())] = self._button

    def _add(self, name: str, value: str) -> None:
        assert self._open is not None
        self._open.values.setdefault(name, []).append(value)


def press(here: Watched, path: str, button: str, html: str = "", **typed: str | None) -> httpx2.Response:
    """Open a page (or take one that is open), type, and press a button; a field that is None is left out."""
    return press_with(here, path, button, {}, html, **typed)


def press_with(
    here: Watched,
    path: str,
    button: str,
    files: Mapping[str, tuple[str, bytes]],
    html: str = "",
    **typed: str | None,
) -> httpx2.Response:
    """The same with files: field → the name of the one that is chosen there, and what it holds."""
    forms = Forms(html or here.get(path)).found
    form = next(one for one in forms if button in one.buttons)
    values = {**form.values, **{name: [value] for name, value in typed.items() if value is not None}}
    for name, value in typed.items():
        if value is None:
            values.pop(name, None)
    name, value = form.buttons[button]
    if name:
        values[name] = [value]
    where = urljoin(f"{here.url}{path}", form.action)
    return here.client.post(where, data=values, files=files or None, headers={"Origin": here.url})
