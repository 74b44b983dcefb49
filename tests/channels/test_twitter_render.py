"""From a wording to a post, and what is refused at intake."""

from __future__ import annotations

import pytest

from broker.channel import PUBLIC
from channels.posts import digest_of
from channels.twitter.render import LINK_COSTS, QUOTE_IS_A_LINK, Style, check, digests_of, render
from channels.twitter.weight import weight
from tests.channels.twitter_support import public, wording

PAGES = Style("https://news.stcecilias.org.uk")
QUOTING = Style("https://news.stcecilias.org.uk", quotes=True)
BARE = Style()
PAGE = "https://news.stcecilias.org.uk/a/00000000-0000-0000-0000-000000000007"


def test_a_post_is_the_short_text_and_the_page() -> None:
    message = render(wording("Concert at 18:30.", title="Concert", long="**Long**"), public(7), PAGES)
    assert message.fields == {"text": f"Concert at 18:30.\n{PAGE}", "page": PAGE}
    assert message.notes == (LINK_COSTS,)


def test_a_post_without_a_public_address_has_no_link_and_no_cost_is_told() -> None:
    message = render(wording("Concert at 18:30."), public(7), BARE)
    assert message.fields == {"text": "Concert at 18:30."}
    assert message.notes == ()


def test_a_link_of_the_authors_own_costs_too() -> None:
    assert render(wording("See stcecilias.sch.uk"), PUBLIC, BARE).notes == (LINK_COSTS,)


def test_a_preview_for_nobody_in_particular_is_as_long_as_the_post_will_be() -> None:
    one, other = (render(wording("Concert."), to, PAGES).fields["text"] for to in (PUBLIC, public(7)))
    assert weight(one) == weight(other)


def test_280_is_taken_and_281_refused_with_how_much_is_too_much() -> None:
    room = 280 - 1 - 23
    assert not check(wording("x" * room), PAGES)
    problem = check(wording("x" * (room + 1)), PAGES)[0]
    assert (problem.code, problem.field, problem.hint) == ("text_too_long", "short", "shorten it by 1")
    assert "281" in problem.message


def test_a_post_names_no_pupil_not_even_as_somebodys_child() -> None:
    assert [p.code for p in check(wording("{pupil} may come."), PAGES)] == ["personal_part"]


def test_nothing_to_say_is_refused() -> None:
    assert [p.code for p in check(wording("  "), PAGES)] == ["empty_text"]


@pytest.mark.parametrize(
    "quote",
    [
        "20",
        "https://x.com/jack/status/20",
        "https://twitter.com/jack/status/20?s=21",
        "https://mobile.twitter.com/i/web/status/20",
        " https://www.x.com/i/status/20/photo/1 ",
    ],
)
def test_a_post_is_quoted_by_its_id_or_its_address(quote: str) -> None:
    content = wording("Well done!", quote=quote)
    assert not check(content, QUOTING)
    assert render(content, public(7), QUOTING).fields["quote"] == "20"


@pytest.mark.parametrize(
    "quote",
    ["", "0", "abc", "-1", "1" * 20, "https://x.com/jack", "https://example.org/jack/status/20", "２０"],
)
def test_what_is_no_post_is_not_quoted(quote: str) -> None:
    assert [p.code for p in check(wording("Well done!", quote=quote), QUOTING)] == ["bad_quote"]


def test_a_quote_without_a_comment_is_refused_even_where_there_is_a_long_text() -> None:
    content = wording("", quote="20", long="A letter.")
    assert [(p.code, p.field) for p in check(content, QUOTING)] == [("quote_without_comment", "short")]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Look: https://x.com/stranger/status/20", ["quote_in_text"]),
        ("Look (twitter.com/stranger/status/20)!", ["quote_in_text"]),
        ("https://MOBILE.twitter.com/i/web/status/20", ["quote_in_text"]),
        ("We are https://x.com/st_brides", []),
        ("https://example.org/x.com-explained", []),
        ("https://phoenix.com/a/status/20", []),
    ],
)
def test_a_post_is_not_quoted_by_the_way_of_a_link_in_the_text(text: str, codes: list[str]) -> None:
    assert [p.code for p in check(wording(text), PAGES)] == codes


def test_a_plan_that_may_not_quote_comments_with_a_link_and_says_so() -> None:
    message = render(wording("Well done!", quote="https://x.com/jack/status/20"), public(7), PAGES)
    assert message.fields["text"] == f"Well done!\nhttps://x.com/i/status/20\n{PAGE}"
    assert "quote" not in message.fields
    assert message.notes == (QUOTE_IS_A_LINK, LINK_COSTS)


# --- recognised again


def _as_given_back(text: str, *links: tuple[str, str], **more: object) -> dict[str, object]:
    return {
        "id": "1",
        "text": text,
        "entities": {"urls": [{"url": u, "expanded_url": e} for u, e in links]},
        **more,
    }


def test_a_post_is_known_again_behind_short_links_and_escapes() -> None:
    sent = f"Tea & cake <3, see stcecilias.sch.uk/Music\n{PAGE}"
    back = _as_given_back(
        "Tea &amp; cake &lt;3, see https://t.co/a1 https://t.co/b2",
        ("https://t.co/a1", "http://stcecilias.sch.uk/Music"),
        ("https://t.co/b2", PAGE),
    )
    assert digest_of(sent) in digests_of(back)


def test_what_looks_like_an_escape_in_the_wording_stays_one() -> None:
    assert digest_of("write &amp;lt;") in digests_of({"text": "write &amp;amp;lt;"})


def test_the_link_that_x_adds_to_a_quote_is_left_out() -> None:
    back = _as_given_back(
        "Well done! https://t.co/q", ("https://t.co/q", "https://twitter.com/jack/status/20")
    )
    assert digest_of("Well done!") in digests_of(back)


def test_a_long_post_is_known_by_its_whole_text() -> None:
    assert digest_of("the whole") in digests_of({"text": "the", "note_tweet": {"text": "the whole"}})


def test_another_announcements_page_makes_another_post() -> None:
    back = _as_given_back("Concert. https://t.co/a", ("https://t.co/a", PAGE))
    assert digest_of(str(render(wording("Concert."), public(8), PAGES).fields["text"])) not in digests_of(
        back
    )
    assert render(wording("Concert."), public(7), PAGES).digest in digests_of(back)


def test_an_answer_without_any_text_is_nobodys_post() -> None:
    assert digest_of("Concert.") not in digests_of({"id": "1", "entities": None})
