"""What a text may hold: the world's scripts may pass, what breaks a screen or a feed may not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.announcement import Part
from broker.errors import InvalidAnnouncement
from broker.wording import LONGEST, check_parts, check_text

ZALGO = "e" + "\u0301\u0302\u0303\u0304\u0305"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Coach\x00 at 8", "control_character"),
        ("Coach\x07 at 8", "control_character"),
        ("Coach\x1b[31m at 8", "control_character"),
        ("Coach\x7f at 8", "control_character"),
        ("Coach\x85 at 8", "control_character"),
        ("Coach\x0b at 8", "control_character"),
        ("Coach \ud83d at 8", "lone_surrogate"),
        ("Coach at 8\udcff", "lone_surrogate"),
        ("Coach \u202eta 8", "bidi_override"),
        ("Coach \u202dat 8", "bidi_override"),
        ("Coach \u2066at 8\u2069", "bidi_override"),
        (f"Coach {ZALGO} at 8", "too_many_marks"),
        ("Coach" + "\u0489" * 50, "too_many_marks"),
        ("Coach \uffff at 8", "no_character"),
        ("Coach \ufdd0 at 8", "no_character"),
        ("Coach \U0010ffff at 8", "no_character"),
        (" ", "invisible_text"),
        ("\n\t\n", "invisible_text"),
        ("\u00a0\u2003\u3000", "invisible_text"),
        ("\u200b\u200b", "invisible_text"),
        ("\u200d\ufe0f", "invisible_text"),
        ("\u2800", "invisible_text"),
        ("\u3164\u115f\u1160\uffa0", "invisible_text"),
        ("\ue000", "invisible_text"),
        ("\u00ad", "invisible_text"),
        ("\U000e0041\U000e0042", "invisible_text"),
        ("\u2028\u2029", "invisible_text"),
    ],
)
@pytest.mark.parametrize("part", Part)
def test_a_text_that_breaks_what_shows_it_is_refused_by_name(text: str, code: str, part: Part) -> None:
    with pytest.raises(InvalidAnnouncement) as caught:
        check_text(text, part)
    problem = caught.value.problem
    assert (problem.code, problem.field) == (code, part.value)
    assert problem.message
    assert problem.hint
    assert "Coach" not in problem.message + problem.hint, "the text itself stays out of every error"


def test_the_place_of_the_fault_is_told() -> None:
    with pytest.raises(InvalidAnnouncement, match="character 6 is a control character"):
        check_text("Coach\x07", Part.SHORT)


@pytest.mark.parametrize("part", Part)
def test_a_text_may_be_as_long_as_can_be_kept_and_no_longer(part: Part) -> None:
    longest = "x" * LONGEST[part]
    assert check_text(longest, part) == longest
    with pytest.raises(InvalidAnnouncement) as caught:
        check_text(longest + "x", part)
    assert caught.value.problem.code == "text_too_long"


@pytest.mark.parametrize(
    ("text", "code"), [("\u0958" * 5_000, "text_too_long"), ("a" + "\u0344" * 4, "too_many_marks")]
)
def test_what_grows_when_it_is_normalised_is_measured_again(text: str, code: str) -> None:
    with pytest.raises(InvalidAnnouncement) as caught:
        check_text(text, Part.SHORT)
    assert caught.value.problem.code == code


@pytest.mark.parametrize(
    "text",
    [
        "Mae'r bws yn gadael am wyth o'r gloch. Dŵr a chôt law, os gwelwch yn dda – ŵ, ŷ, â.",
        "Autokar odjeżdża o ósmej. Proszę zabrać źdźbło, żółć i jaźń.",
        "تغادر الحافلة في الساعة الثامنة صباحًا، إن شاء اللّٰه.",
        "הָאוֹטוֹבּוּס יוֹצֵא בְּשָׁעָה שְׁמוֹנֶה",
        "בְּרֵאשִׁ֖ית בָּרָ֣א אֱלֹהִ֑ים",
        "รถบัสออกเวลาแปดโมงเช้า ที่นี่ น้ำ กตัญญู",
        "Xe buýt khởi hành lúc tám giờ sáng. Nhớ mang theo nước uống.",
        "বাস সকাল আটটায় ছাড়বে।",
        "ਬੱਸ ਸਵੇਰੇ ਅੱਠ ਵਜੇ ਚੱਲੇਗੀ।",
        "バスは八時に出ます。",
        "버스는 여덟 시에 출발합니다.",
        "Автобус їде о восьмій.",
        "👨‍👩‍👧‍👦 👩🏽‍🏫 🧑🏿‍🤝‍🧑🏻 ❤️‍🔥",
        "🏴󠁧󠁢󠁷󠁬󠁳󠁿 🏴󠁧󠁢󠁳󠁣󠁴󠁿 🇵🇱 🇻🇳 🇬🇧 1️⃣ ☎️",
        "🫨",  # Unicode 15
        "🫩",  # Unicode 16
        "½ price: £3–£5 … “bring a coat” — 20 °C",
        "\u200eRoom 12\u200f",  # marks of direction, which mixed texts need
        "a\tb",
        "-",
    ],
)
def test_the_worlds_scripts_pass_as_they_are(text: str) -> None:
    kept = check_text(text, Part.SHORT)
    assert kept == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("text", ["Dŵr", "Xe buýt khởi hành", "żółć", "שִׁמּוּשׁ"])
def test_a_letter_typed_in_pieces_is_kept_whole(text: str) -> None:
    assert check_text(unicodedata.normalize("NFD", text), Part.SHORT) == unicodedata.normalize("NFC", text)


def test_line_ends_become_plain_and_empty_lines_round_a_text_go() -> None:
    assert check_text("\r\n\nOne\r\nTwo\rThree\n\n", Part.LONG) == "One\nTwo\nThree"


alphabet = st.characters() | st.sampled_from("\r\n\t \u0301\u0344\u0958\u200d\ufe0f\u202e\ud800e🏴")
texts = st.text(alphabet, max_size=40)


@given(texts, st.sampled_from(Part))
def test_a_checked_text_is_checked_for_good(text: str, part: Part) -> None:
    try:
        once = check_text(text, part)
    except InvalidAnnouncement:
        return
    assert check_text(once, part) == once
    once.encode()  # no half character is left
    assert unicodedata.is_normalized("NFC", once)


# --- the parts together -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parts",
    [
        {Part.SHORT: "The coach leaves at eight."},
        {Part.LONG: "# Trip\n\nThe coach leaves at **eight**."},
        {Part.TITLE: "Trip", Part.SHORT: "At eight.", Part.LONG: "At *eight*."},
    ],
)
def test_a_short_text_or_a_long_one_is_enough(parts: dict[Part, str]) -> None:
    assert check_parts(parts) == parts


@pytest.mark.parametrize(
    "parts", [{}, {Part.TITLE: "Trip"}, {Part.SHORT: ""}, {Part.SHORT: "", Part.LONG: ""}]
)
def test_nothing_to_say_is_no_announcement(parts: dict[Part, str]) -> None:
    with pytest.raises(InvalidAnnouncement) as caught:
        check_parts(parts)
    assert caught.value.problem.code == "empty_text"


def test_an_invisible_part_is_refused_beside_a_good_one() -> None:
    with pytest.raises(InvalidAnnouncement) as caught:
        check_parts({Part.SHORT: "The coach leaves at eight.", Part.LONG: "\u200b"})
    assert (caught.value.problem.code, caught.value.problem.field) == ("invisible_text", "long")


@pytest.mark.parametrize("title", ["Trip\nBcc: everybody", "Trip\r\nX", "a\rb"])
def test_a_title_is_one_line(title: str) -> None:
    with pytest.raises(InvalidAnnouncement) as caught:
        check_parts({Part.TITLE: title, Part.SHORT: "At eight."})
    assert caught.value.problem.code == "title_lines"


@given(st.dictionaries(st.sampled_from(Part), texts))
def test_any_parts_are_kept_or_are_an_invalid_announcement(parts: dict[Part, str]) -> None:
    try:
        kept = check_parts(parts)
    except InvalidAnnouncement:
        return
    assert kept.keys() == parts.keys()
    assert check_parts(kept) == kept


def test_a_personal_part_that_there_is_not_is_refused_with_the_nearest():
    with pytest.raises(InvalidAnnouncement) as caught:
        check_parts({Part.SHORT: "Dear {guardain}, come."})
    problem = caught.value.problem
    assert (problem.code, problem.field, problem.hint) == (
        "unknown_placeholder",
        "short",
        "did you mean {guardian}?",
    )
