"""From Markdown to a mail: readable both ways, harmless, about the right children, and checked at intake."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from broker.announcement import Attachment, Content, Part
from broker.testing.channel_bench import plain
from channels.email import policies
from channels.email.render import MAX_LETTERS, Renderer
from channels.markup import to_html
from tests.channels.mail_support import HOUSE, parent, wording
from tests.support.payloads import MARKUP

ALLOWED = {
    "html", "head", "meta", "title", "body", "div", "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5",
    "h6", "hr", "li", "ol", "p", "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


class Seen(HTMLParser):
    """What a mailbox would see."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words += data


def html_of(content: Content, names: tuple[str, ...] = (), links: dict[str, str] | None = None) -> str:
    return str(Renderer(HOUSE).render(content, parent("pat", names, links)).fields["html"])


def text_of(content: Content, names: tuple[str, ...] = ()) -> str:
    return str(Renderer(HOUSE).render(content, parent("pat", names)).fields["text"])


def subject_of(content: Content, names: tuple[str, ...] = ()) -> str:
    return str(Renderer(HOUSE).render(content, parent("pat", names)).fields["subject"])


@pytest.mark.parametrize("attack", MARKUP)
@pytest.mark.parametrize("place", ["long", "title", "name"])
def test_nothing_that_runs_or_calls_home_comes_through(attack: str, place: str) -> None:
    content = wording(
        attack if place == "long" else "Good day {pupil}", attack if place == "title" else "Concert"
    )
    seen = Seen(html_of(content, (attack,) if place == "name" else ("Amy",)))
    assert set(seen.tags) <= ALLOWED
    for name, value in seen.attributes:
        assert name in {
            "href",
            "title",
            "rel",
            "lang",
            "dir",
            "charset",
            "name",
            "content",
            "style",
            "role",
            "start",
        }
        assert name != "href" or re.match(r"(https?|mailto|tel):", value)
    assert seen.tags.count("html") == seen.tags.count("body") == 1


def test_no_remote_content_is_asked_for() -> None:
    page = html_of(wording("![a plan](https://tracker.example/pixel.gif)"))
    seen = Seen(page)
    assert "img" not in seen.tags
    assert not any(name in {"src", "background", "srcset"} for name, _ in seen.attributes)
    assert "url(" not in page
    assert ("href", "https://tracker.example/pixel.gif") in seen.attributes  # it stays a link


def test_markdown_becomes_prose() -> None:
    page = to_html(
        "# Concert\n\nBring:\n\n- a *stand*\n- **music**\n\n[map](https://maps.example) or <https://a.example>\nnext"
    )
    for piece in ("<h1>Concert</h1>", "<li>a <em>stand</em></li>", "<strong>music</strong>", "<br", 'href="https://maps.example"',
                  ">https://a.example</a>"):  # fmt: skip
        assert piece in page


def test_the_page_is_fit_for_a_screen_reader_and_says_why_it_came() -> None:
    page = html_of(
        wording(title="Winter concert", language="cy"), links={"unsubscribe": "https://school.example/u/abc"}
    )
    seen = Seen(page)
    assert ("lang", "cy") in seen.attributes
    assert ("role", "article") in seen.attributes
    assert "<title>Winter concert</title>" in page
    assert "Llanfair & District School has this email on record" in " ".join(seen.words.split())
    assert ("href", "https://school.example/u/abc") in seen.attributes
    assert ("href", f"mailto:{HOUSE.reply_to}") in seen.attributes


def test_the_text_holds_the_same_words_and_the_way_out() -> None:
    text = text_of(wording("Bring a *stand*."))
    assert text.startswith("Bring a *stand*.\n")
    assert f"write so to {HOUSE.reply_to}." in text
    assert "Llanfair & District School" in text


def test_a_placeholder_names_the_pupils_in_subject_text_and_html() -> None:
    content = wording("{pupil} may come to the concert.", "{pupil}: concert")
    names = ("Amy", "Zoë & Co")
    assert subject_of(content, names) == "Amy and Zoë & Co: concert"
    assert text_of(content, names).startswith("Amy and Zoë & Co may come")
    assert "<p>Amy and Zoë &amp; Co may come" in html_of(content, names)


def test_a_doubtful_address_reads_of_no_name() -> None:
    content = wording("{pupil} may come. We expect {pupil} at six.", "About {pupil}")
    assert text_of(content).startswith("Your child may come. We expect your child at six.")
    assert subject_of(content) == "About your child"


def test_several_children_are_named_first_where_the_wording_names_none() -> None:
    assert text_of(wording("Concert at six."), ("Amy", "Ben")).startswith(
        "For Amy and Ben:\n\nConcert at six."
    )
    assert "<p>For Amy and Ben:</p>\n<p>Concert at six.</p>" in html_of(
        wording("Concert at six."), ("Amy", "Ben")
    )
    assert text_of(wording("Concert at six."), ("Amy",)).startswith("Concert at six.")


def test_a_name_is_no_markdown() -> None:
    assert "<p>*Amy* [x](https://a.example) may come" in html_of(
        wording("{pupil} may come."), ("*Amy* [x](https://a.example)",)
    )


def test_without_a_title_the_beginning_is_the_subject_without_its_markdown() -> None:
    assert subject_of(Content(1, "", {Part.LONG: "# Winter concert\n\nAt six."})) == "Winter concert At six."
    assert subject_of(plain().__class__(1, "", {Part.SHORT: "Concert at six."})) == "Concert at six."
    cut = "Dear parents of the lower school, this is about the winter concert and {pupil} in it"
    assert "{" not in subject_of(Content(1, "", {Part.SHORT: cut}), ("Amy",))


def test_letters_are_kept_for_the_next_recipient_and_not_for_ever() -> None:
    renderer = Renderer(HOUSE)
    letters = [
        renderer.render(wording(f"Text {number}"), parent()).fields for number in range(MAX_LETTERS + 5)
    ]
    again = renderer.render(wording(f"Text {MAX_LETTERS + 4}"), parent("other")).fields
    assert again.letter is letters[-1].letter  # type: ignore[attr-defined]
    assert renderer.render(wording("Text 0"), parent()).fields.letter is not letters[0].letter  # type: ignore[attr-defined]


def file(name: str = "plan.pdf", media_type: str = "application/pdf", size: int = 10) -> Attachment:
    return Attachment("0" * 64, name, media_type, bytes(size))


@pytest.mark.parametrize(
    ("content", "files", "code"),
    [
        (wording(long=" \n"), (), "empty_text"),
        (wording(title=" # ", long="#"), (), "empty_title"),
        (wording(), [file(size=8_000_000), file(size=8_000_000)], "attachments_too_big"),
        (wording(), [file()] * 21, "too_many_attachments"),
        (wording(), [file("../../etc/passwd")], "bad_file_name"),
        (wording(), [file("a\r\nX: y.pdf")], "bad_file_name"),
        (wording(), [file("plan\u202efdp.exe")], "bad_file_name"),
        (wording(), [file("C:\\plan.pdf")], "bad_file_name"),
        (wording(), [file("..")], "bad_file_name"),
        (wording(), [file("x" * 200)], "bad_file_name"),
        (wording(), [file("concert.EXE")], "runnable_file"),
        (wording(), [file("concert.pdf.js . ")], "runnable_file"),
        (wording(), [file(media_type="pdf")], "bad_media_type"),
        (wording(), [file(media_type="a/b\r\nX: y")], "bad_media_type"),
    ],
)
def test_what_a_mail_cannot_carry_is_told_at_intake(
    content: Content, files: list[Attachment], code: str
) -> None:
    problems = policies.check(content, files)
    assert code in {problem.code for problem in problems}
    assert all(problem.message and problem.hint and problem.field for problem in problems)
    assert not any(each.name in problem.message for problem in problems for each in files)


def test_a_usual_mail_meets_no_objection() -> None:
    assert not policies.check(wording(), [file(), file("Llythyr at rieni – Ŵyl.docx"), file(size=14_000_000)])
