"""What no line of this house may do at X: repost, message anybody, follow, like or block (R4, R6, R9, R11)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import tweepy

ROOT = Path(__file__).parents[2]
ROOMS = ("broker", "channels", "cli", "config", "ledger", "sandbox", "sources", "web", "workers", "bench")
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
X = sorted((ROOT / "channels" / "twitter").rglob("*.py"))

# All that the channel may ask of tweepy's client.
ALLOWED = {"create_tweet", "delete_tweet", "get_me", "get_tweet", "get_users_tweets", "request", "session"}
# What does more than post: by tweepy's names for it, old API and new. Words that others use too are left to ALLOWED.
NEVER = {
    name
    for client in (tweepy.Client, tweepy.API)
    for name in dir(client)
    if any(word in name for word in ("retweet", "direct_message", "follow", "friendship", "_dm_", "bookmark"))
    or name
    in {
        "like",
        "unlike",
        "mute",
        "unmute",
        "block",
        "unblock",
        "create_favorite",
        "create_block",
        "create_mute",
    }
}
COMMON_WORDS = {"follow", "block", "mute", "like"}
PATHS = ("/retweets", "dm_conversations", "/likes", "/blocking", "/muting", "/bookmarks", "friendships/")


def names_in(path: Path) -> Iterator[str]:
    """Every name and attribute that a module uses."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.alias):
            yield node.name.rpartition(".")[2]


def texts_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_the_forbidden_names_are_those_of_todays_tweepy() -> None:
    assert {"retweet", "create_direct_message", "follow_user", "like", "create_block"} <= NEVER
    assert not NEVER & ALLOWED


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_reposts_messages_or_follows(path: Path) -> None:
    assert not (NEVER - COMMON_WORDS) & set(names_in(path))
    assert not [text for text in texts_in(path) if any(part in text for part in PATHS)]


def test_the_channel_asks_nothing_of_the_client_but_these() -> None:
    theirs = {name for name in dir(tweepy.Client) if not name.startswith("_")}
    used = {name for path in X for name in names_in(path)}
    assert used & theirs <= ALLOWED
    assert {"create_tweet", "delete_tweet"} <= used


def test_nothing_is_called_by_a_name_made_up_on_the_way() -> None:
    made_up = {"getattr", "methodcaller", "attrgetter", "__getattribute__", "exec", "eval"}
    assert not [path.name for path in X if made_up & set(names_in(path))]


def test_a_quote_is_posted_with_its_comment_alone() -> None:
    calls = [
        node
        for path in X
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "create_tweet"
    ]
    assert len(calls) == 1
    assert {keyword.arg for keyword in calls[0].keywords} == {"text", "quote_tweet_id", "user_auth"}
