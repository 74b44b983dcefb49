"""Names of a roster in a text: seen however they are written, and not where nobody is meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.disclosure.names import NameIndex, Naming, RosterName
from broker.disclosure.ordinary import ORDINARY
from broker.disclosure.plain_letters import mixes_scripts, plain

ROSTER = NameIndex(
    [
        RosterName("Ann", "Kowalski", form="7B"),
        RosterName("Zoë", "O'Brien-Smythe", form="10 Red"),
        RosterName("Mary Jane", "de la Cruz", preferred="Molly"),
        RosterName("Will", "Young", form="8A"),
        RosterName("Łukasz", "Müller"),
        RosterName("May", "Hill", form="7B"),
        RosterName("Amy", "Okafor-Whitby"),
        RosterName("Thomas", "McDonald"),
        RosterName("Greta", "Underwood", pupil=False),
    ]
)


def seen(text: str) -> list[tuple[Naming, str]]:
    return [(each.naming, text[each.at : each.at + each.length]) for each in ROSTER.named(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Ann Kowalski",
        "ann kowalski",
        "ANN KOWALSKI",
        "Ann  Kowalski",
        "Ann\nKowalski",
        "Ann\u00a0Kowalski",
        "Ann\u200bKowalski",
        "Kowalski, Ann",
        "KOWALSKI Ann",
        "Well done Ann Kowalski's team!",
        "Ann-Kowalski",
        "ann.kowalski",
        "ann_kowalski",
        "AnnKowalski",
        "#annkowalski",
        "@kowalskiann",
        "**Ann** *Kowalski*",
        "| Ann | Kowalski |",
        "Ann M. Kowalski",
        "Ann Marie Kowalski",
        "A n n K o w a l s k i",
        "\u0410nn Kowalski",  # a Cyrillic A
        "\uff21\uff4e\uff4e Kowalski",  # full-width letters
        "ᴀɴɴ ᴋᴏᴡᴀʟꜱᴋɪ",  # small capitals
        "Aɲn Ƙowalski",  # letters with a hook
        "\U0001f1e6\U0001f1f3\U0001f1f3 Kowalski",  # what flags are made of
        "Ann\u3164Kowalski",  # a letter that cannot be seen
        "Ann “Kowalski”",
        "Ann / Kowalski",
        "Zoe O’Brien–Smythe",
        "zoe obrien smythe",
        "Zoe\u0308 OBrienSmythe",
        "Zoë Smythe",
        "O'Brien, Zoë",
        "Mary-Jane De La Cruz",
        "Mary Cruz",
        "molly de la cruz",
        "Lukasz Muller",
        "Łukasz Mueller",
        "Will Young won",
        "Amy Whitby",
        "thomas mcdonald",
        "Thomas Mc Donald",
        "Greta Underwood",
    ],
)
def test_a_full_name_is_seen_however_it_is_written(text: str) -> None:
    assert [naming for naming, _ in seen(text)] == [Naming.FULL]


@pytest.mark.parametrize(
    ("text", "naming"),
    [
        ("Ann (7B) won", Naming.FORM),
        ("Ann from 7b", Naming.FORM),
        ("Ann, 7 B", Naming.FORM),
        ("7B's Ann", Naming.FORM),
        ("10 Red: Zoë", Naming.FORM),
        ("ann year 7b", Naming.FORM),
        ("Ann K won", Naming.INITIAL),
        ("Ann K. won", Naming.INITIAL),
        ("ann k won", Naming.INITIAL),
        ("A. Kowalski won", Naming.INITIAL),
        ("W. Young won", Naming.INITIAL),
        ("Will Y. won", Naming.INITIAL),
    ],
)
def test_a_first_name_with_a_form_or_an_initial_is_seen_as_such(text: str, naming: Naming) -> None:
    assert [each for each, _ in seen(text)] == [naming]


@pytest.mark.parametrize(
    "text",
    [
        "How will young people learn?",
        "The open day will be on 7 May. Young musicians are welcome.",
        "7B: concert on 12 May",
        "Ann and Will and May and Amy",
        "Thank you, Ann. Kowalski Street is closed.",
        "Ann & Kowalski",
        "the first of Ann, Bea and Cat",
        "Ann in 8A",  # there is none
        "Ann Z.",
        "Will I need a coat?",
        "Ann's bow",
        "Greta U.",  # a member of staff
        "A young hill walker may go",
        "",
        "12345 !!! \N{PARTY POPPER}",
    ],
)
def test_what_names_nobody_is_left_alone(text: str) -> None:
    assert seen(text) == []


def test_a_place_is_told_in_the_text_as_it_was_written() -> None:
    text = "Brávo, Zo\u0308e! Ann\u200b Kowalski (ﬁrst)"
    found = ROSTER.named(text)
    assert [text[each.at : each.at + each.length] for each in found] == ["Ann\u200b Kowalski"]


def test_two_names_are_two_places_and_a_full_name_is_not_told_twice() -> None:
    text = "Ann Kowalski (7B) and Thomas McDonald"
    assert [naming for naming, _ in seen(text)] == [Naming.FULL, Naming.FULL]


def test_an_index_of_nobody_finds_nobody() -> None:
    assert NameIndex().named("Ann Kowalski") == []
    assert len(NameIndex([RosterName("", ""), RosterName("Ann", "")])) == 0


# --- however it is written ------------------------------------------------------------------------------------------

MARKS = ("", "\u0301", "\u0308", "\u0323")
letters = st.sampled_from("bcdfghjklmnpqrstvwxz")
half = st.lists(letters, min_size=3, max_size=9).map("".join).filter(lambda word: word not in ORDINARY)
separators = st.sampled_from([" ", "  ", "\t", "\n", "\u00a0", "-", ".", "_", " - ", "\u2013", "** "])
around = st.sampled_from(
    [("", ""), ("Well done ", "!"), ("(", ")"), ("the team of ", " won"), ("“", "”"), ("", "'s turn")]
)


@st.composite
def disguised(draw: st.DrawFn) -> tuple[RosterName, str]:
    """A name, and a text that holds it in any case, order and spacing, with any accents and hyphens."""
    given_name, family = draw(half), draw(half)
    whole = RosterName(
        given_name.title(), "-".join([family.title(), draw(half).title()]) if draw(st.booleans()) else family
    )
    first, last = whole.given, whole.family.replace("-", draw(st.sampled_from(["-", " ", "\u2010", "'"])))
    if draw(st.booleans()):
        said = draw(st.sampled_from([", ", " ", ",\n"])).join([last, first])
    else:
        said = draw(separators).join([first, last])
    said = draw(st.sampled_from([said, said.upper(), said.lower(), said.title()]))
    marks = st.sampled_from(MARKS)
    said = "".join(c + draw(marks) if c.isalpha() else c for c in said)
    before, after = draw(around)
    return whole, before + said + after


@given(disguised())
def test_any_name_is_seen_through_case_order_spacing_and_accents(case: tuple[RosterName, str]) -> None:
    whole, text = case
    assert any(each.naming is Naming.FULL for each in NameIndex([whole]).named(text))


@given(st.text(max_size=300))
def test_no_text_breaks_the_search_and_every_place_lies_within(text: str) -> None:
    for each in ROSTER.named(text):
        assert 0 <= each.at < each.at + each.length <= len(text)


# --- plain letters --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "as_read"),
    [
        ("Zoë", "Zoe"),
        ("Zoe\u0308", "Zoe"),
        ("Straße", "Strasse"),
        ("Łukasz Ørsted", "Lukasz Orsted"),
        ("\u0412\u0435ll", "Bell"),
        ("O\u2019Brien", "O'Brien"),
        ("a\u2014b", "a-b"),
        ("\U0001f1ec\U0001f1e7", "GB"),
        ("\u0660\u0661", "01"),
    ],
)
def test_a_text_is_read_as_it_looks(text: str, as_read: str) -> None:
    assert plain(text).text == as_read


@pytest.mark.parametrize("word", ["P\u0430ypal", "\u0421arillon", "sch\u03bfol"])
def test_a_word_of_two_scripts_that_look_alike_is_known(word: str) -> None:
    assert mixes_scripts(word)


@pytest.mark.parametrize(
    "word", ["Paypal", "\u041f\u0440\u0438\u0432\u0435\u0442", "\u00b5m", "Zoë", "\uff21my", "\u0394t"]
)
def test_honest_words_are_not_taken_for_mixed_ones(word: str) -> None:
    assert not mixes_scripts(word)


# --- a school's own notices -----------------------------------------------------------------------------------------

EVERYDAY = NameIndex(
    RosterName(first, last, form="7B")
    for first in (
        "Will",
        "May",
        "Mark",
        "Grace",
        "Rose",
        "Summer",
        "June",
        "Robin",
        "Frank",
        "Joy",
        "Hope",
        "Sue",
        "Pat",
    )
    for last in (
        "Young",
        "Long",
        "Day",
        "King",
        "Hill",
        "Hall",
        "Park",
        "Field",
        "Wood",
        "Best",
        "Case",
        "Key",
        "Page",
    )
)
NOTICES = [
    "The open day will be on Friday 7 May in the main hall. All are welcome.",
    "Year 7 will go to Richmond Park. Please bring a coat and a packed lunch.",
    "Rehearsal moves to 15:30. The hall will be closed from four.",
    "Sports day: the long jump may be moved to the upper field if it rains.",
    "Snow: the school is closed today. Pupils will work from home.",
    "Please mark the day in your calendars: the summer fair is on 12 June.",
    "The best young musicians of the county sang with grace and joy.",
    "In case of rain the concert will be in the hall, page 3 of the programme has the key.",
    "7B: trip on 4 May. 8A: trip on 11 May.",
    "Parents may park in Hill Road. The key stage 3 results are out.",
    "How long will it take? The coach leaves at eight, and will be back by eleven.",
    "We hope that the day will be a success, and thank the King's Singers.",
    "Wood Green pool is closed. Swimming will be on Monday in June.",
    "A rose for every mother: the summer wood project sold them all.",
    "To be frank: may we ask for patience? The robin on our roof is nesting.",
]


@pytest.mark.parametrize("notice", NOTICES)
def test_a_notice_names_nobody_although_everyday_words_are_names_here(notice: str) -> None:
    assert [notice[each.at : each.at + each.length] for each in EVERYDAY.named(notice)] == []
