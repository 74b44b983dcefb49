"""What is said on the page that follows: each word leads to one sentence, whosever it is."""

from __future__ import annotations

from collections import Counter
from importlib import import_module

from web.watch.said import families, said, sentence


def test_no_two_families_say_something_by_the_same_word() -> None:
    words = Counter(word for family in families() for word in import_module(f"web.watch.{family}.said").SAID)
    assert [word for word, count in words.items() if count > 1] == []


def test_every_sentence_is_whole_and_a_word_that_nobody_says_leads_to_none() -> None:
    assert all(words[0].isupper() and words.endswith((".", "?", "!")) for words in said().values())
    assert sentence("") == sentence("<script>") == ""
