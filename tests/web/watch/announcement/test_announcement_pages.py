"""What an announcement's pages tell: how it stands, who was told, what happened; and to whom they tell nothing."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from broker.delivery import State
from tests.support.watching import Watched


def text_of(html: str) -> str:
    class Text(HTMLParser):
        said = ""

        def handle_data(self, data: str) -> None:
            self.said += f" {data}"

    reader = Text()
    reader.feed(html)
    return " ".join(reader.said.split())


def test_every_page_of_an_announcement_is_there(watched: Watched) -> None:
    said = watched.plan(watched.announce("Coach"))
    watched.move(said, State.SENT, 4)
    watched.move(said, State.REJECTED, 1, "21211", "the number is not in use")
    here = f"/watch/{said.public_id}"
    for path in (
        "",
        "/people",
        "/people?show=told",
        "/history",
        "/papers",
        "/correct",
        "/again",
        "/withdraw",
        "/undo",
        "/failed/bell",
        "/expect",
    ):
        watched.get(f"{here}{path}")
    person = re.search(r"/people/(\d+)", watched.get(f"{here}/people"))
    delivery = re.search(r"/deliveries/(\d+)", watched.get(here))
    assert person
    assert delivery
    watched.get(f"{here}/people/{person[1]}")
    watched.get(f"{here}/deliveries/{delivery[1]}")
