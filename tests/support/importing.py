"""Somebody who imports by page, in few words."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

import httpx2
from sqlalchemy import func, select

from ledger import tables as t
from tests.support.watching import Watched


@dataclass
class Office:
    """A school, and what the office does with files."""

    here: Watched

    def send(self, path: str, chosen: tuple[str, bytes] | None = None, /, **fields: str) -> httpx2.Response:
        token = re.findall(r'name="token" value="([0-9a-f]+)"', self.here.get("/watch/search"))[-1]
        files = {"file": chosen} if chosen else {"nothing": ("", b"")}
        sent = {"token": token, **fields}
        return self.here.client.post(path, data=sent, files=files, headers={"Origin": self.here.url})

    def choose(self, text: str | bytes, name: str = "people.csv", **fields: str) -> str:
        """The address of what was staged, once it is read."""
        data = text.encode() if isinstance(text, str) else text
        answer = self.send("/watch/import", (name, data), **{"kind": "people", **fields})
        assert answer.status_code == 303, answer.text
        return self.settled("/" + answer.headers["location"].lstrip("./").partition("?")[0])

    def settled(self, address: str) -> str:
        for _ in range(200):
            if 'id="progress"' not in self.here.get(address):
                return address
            time.sleep(0.05)
        raise AssertionError("it never came to an end")

    def do(self, address: str, verb: str, **fields: str) -> httpx2.Response:
        return self.send(address, do=verb, **fields)

    def take(self, address: str, **fields: str) -> httpx2.Response:
        seen = re.findall(r'name="seen" value="([0-9a-f]+)"', self.here.get(address))
        answer = self.do(address, "take", seen=seen[0] if seen else "", **fields)
        if answer.status_code == 303:
            self.settled(address)
        return answer

    def text(self, address: str) -> str:
        """What a page says."""
        return text_of(self.here.get(address))

    def names(self) -> set[str]:
        """Who is at the school."""
        with self.here.ledger.reading() as hand:
            query = select(t.person.c.given_name).where(t.person.c.active)
            return set(hand.connection.execute(query).scalars())

    def count(self, table: str) -> int:
        with self.here.ledger.reading() as hand:
            query = select(func.count()).select_from(t.metadata.tables[table])
            return int(hand.connection.execute(query).scalar_one())


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<main")[2]).split())
