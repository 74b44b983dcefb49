"""What stands beside the form while somebody writes: cheap, bounded, and the sender's own."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from tests.support.watching import Watched
from tests.support.writing import Writer, count

MOST_STATEMENTS = 16  # whom it is for, an example family for each of two ways, and what time it is


def beside(here: Watched, what: str, **typed: object) -> tuple[int, str]:
    """As the script of the page asks for it."""
    fields: dict[str, object] = {**Writer(here).open().fields, **typed}
    answer = here.client.post(f"/watch/write/{what}", data=fields, headers={"Origin": here.url})
    return answer.status_code, answer.text


def test_while_nothing_is_written_it_says_what_will_stand_there(here: Watched) -> None:
    assert "As you write" in beside(here, "read")[1]
    assert "Choose whom it is for" in beside(here, "reach")[1]


def test_it_reads_as_the_sender_writes_it(here: Watched) -> None:
    status, html = beside(here, "read", short="Dear {guardian}, “{pupil}” is back.", groups=["Choir"])
    assert status == 200
    assert "Dear Ada Bell, &#34;Amy&#34; is back." in html
    assert "+44 ••• ••• 001" in html
    assert "07911" not in html
    assert "911000001" not in html


def test_the_characters_that_cost_are_marked_and_told(here: Watched) -> None:
    _, html = beside(here, "read", short="Ŵyn" + "x" * 70)
    assert '<mark class="dear">Ŵ</mark>yn' in html
    assert "Counts as 2 texts" in html
    assert "£0.08 each" in html


def test_what_is_written_is_text_and_never_markup(here: Watched) -> None:
    _, html = beside(here, "read", short="<script>alert(1)</script> <b>Ŵ</b>")
    assert "<script" not in html
    assert "<b>" not in html


def test_what_is_wrong_with_the_words_is_said_at_once(here: Watched) -> None:
    assert "Nothing belongs where {name} stands" in beside(here, "read", short="Dear {name}")[1]
    assert (
        "more than" in beside(here, "read", short="x" * 6000)[1]
        or "at most" in beside(here, "read", short="x" * 6000)[1]
    )


def test_whom_it_reaches_is_said_before_a_word_is_written(here: Watched) -> None:
    _, html = beside(here, "reach", groups=["Year 7"])
    assert "<b>2</b> of 3 people will be reached" in html
    assert "1 person is not reached" in html
    assert "Cal Bell" not in html


def test_a_group_that_there_is_not_is_told_with_the_nearest(here: Watched) -> None:
    assert "did you mean year 7" in beside(here, "reach", to="Yera 7")[1].lower()


@pytest.mark.parametrize("what", ["read", "reach"])
@pytest.mark.parametrize(
    "typed",
    [
        {"department": "nobody"},
        {"template": "no such template"},
        {"template_language": "\x00", "template": "\x00no such"},
    ],
)
def test_what_is_not_there_is_a_404(here: Watched, what: str, typed: dict[str, object]) -> None:
    assert beside(here, what, **typed)[0] == 404


@pytest.mark.parametrize("what", ["read", "reach"])
@pytest.mark.parametrize(
    "typed",
    [
        {"people": "everybody"},
        {"ways": ["sms", "sms", "no-such-way"]},
        {"groups": ["\x00", "\ud7ff", '"', "x" * 5000]},
        {"to": "((((", "groups": []},
        {"then1": "no-such-way", "after1": "-1", "unless1": "x", "by1": "99:99"},
        {"when": "later", "day": "x" * 900, "time": "\x00"},
        {"language": "\x00" * 50, "short": "\x00"},
        {"template_language": "\x00", "template": "\x00"},
        {"expect": "9" * 5000},
        {"kept": ["no-file", "name:%%%", ":"]},
        {"copies": "\n".join("x" for _ in range(90))},
        {"key": "k" * 10_000},
    ],
)
def test_nonsense_is_no_fault_of_the_server(here: Watched, what: str, typed: dict[str, object]) -> None:
    assert beside(here, what, **{"short": "At four.", **typed})[0] == 200
    fields: dict[str, object] = {**Writer(here).open().fields, "short": "At four.", "do": "look", **typed}
    answer = here.client.post("/watch/write", data=fields, headers={"Origin": here.url})
    assert answer.status_code in {200, 422}, answer.text
    fields["do"] = "send"
    answer = here.client.post("/watch/write", data=fields, headers={"Origin": here.url})
    assert answer.status_code in {303, 422}, answer.text


def test_to_look_beside_keeps_nothing_and_asks_little(here: Watched) -> None:
    typed = {"groups": ["Year 7", "Choir"], "short": "Back at four."}
    beside(here, "read", **typed)
    asked: list[str] = []
    event.listen(here.ledger.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    fields: dict[str, object] = {**Writer(here).open().fields, **typed}
    asked.clear()
    here.client.post("/watch/write/read", data=fields, headers={"Origin": here.url})
    told = [one[:110] for one in asked if not one.startswith("BEGIN")]
    assert len(told) <= MOST_STATEMENTS, "\n".join(told)
    assert count(here) == 0
