"""How long a text is to X: of 280, a letter of the Latin alphabet counts 1, most others 2, an emoji 2, a link 23.

The numbers are those of twitter-text's third configuration (https://github.com/twitter/twitter-text, config/v3.json),
which X names as the rule: https://docs.x.com/resources/fundamentals/counting-characters. Our own counting, for want of
a library that is kept: twitter-text-parser, the one on PyPI, has had no release for years, knows no emoji younger than
2019 and imports pkg_resources, which setuptools has given up.

Where X's list of domains would have to be asked we count the more: a text that passes here passes there.
"""

from __future__ import annotations

import re
import unicodedata

MOST = 280
LINK = 23
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))  # code points that count 1

# Country domains have two letters, all of them known to X. Of the others, those that schools meet.
_GENERIC = (
    "com|org|net|edu|gov|info|biz|int|mil|app|dev|page|school|schools|academy|education|university|events"
)
_KNOWN = re.compile(rf"(?:[a-z]{{2}}|{_GENERIC})", re.IGNORECASE)
_URL = re.compile(
    r"(?:https?://|(?<![@#$./A-Za-z0-9_-]))"
    r"(?:[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?\.)+(?P<top>[a-z]{2,24})(?![a-z0-9_-]|\.[a-z0-9]|@)"
    r"(?P<rest>(?::\d+)?(?:[/?#][^\s<>\"]*)?)"
    r"|https?://(?P<odd>[^\s<>\"]+)",  # a machine's number, a name in another script
    re.IGNORECASE | re.ASCII,
)
_BEHIND = re.compile(r"[.,:;!?'\")\]}]+\Z")  # what ends a sentence, and no address

# A pictograph with its variation, its skin, its tags; several joined into one; a flag; a key.
_PICTURE = (
    "[\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935\u2b05-\u2b55"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff]"
    "(?:\ufe0f|[\U0001f3fb-\U0001f3ff])?(?:[\U000e0020-\U000e007e]+\U000e007f)?"
)
_EMOJI = re.compile(
    f"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|[©®]\ufe0f?|{_PICTURE}(?:\u200d{_PICTURE})*"
)


def weight(text: str) -> int:
    """The length of a post to X; at most `MOST` is taken."""
    total, rest = 0, []
    text, at = unicodedata.normalize("NFC", text), 0
    for found in _URL.finditer(text):
        end = found.end() - len(_behind(found))
        plain = _plain(text[found.start() : end])
        total += LINK if _KNOWN.fullmatch(found["top"] or "") else max(LINK, plain)
        rest.append(text[at : found.start()])
        at = end
    return total + sum(map(_plain, (*rest, text[at:])))


def links(text: str) -> int:
    """How many addresses X would make links of, and charge for."""
    return sum(1 for _ in _URL.finditer(text))


def _behind(found: re.Match[str]) -> str:
    behind = _BEHIND.search(found["rest"] or found["odd"] or "")
    return behind[0] if behind else ""


def _plain(text: str) -> int:
    emoji, text = len(_EMOJI.findall(text)), _EMOJI.sub("", text)
    return 2 * emoji + sum(1 if any(low <= ord(c) <= high for low, high in _LIGHT) else 2 for c in text)
