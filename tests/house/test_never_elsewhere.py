"""What the public networks may be asked for and nothing else: no boost, no message, no follow, no like (R4, R6, R9)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import mastodon
import pytest

CHANNELS = Path(__file__).parents[2] / "channels"
MADE_UP = {"getattr", "methodcaller", "attrgetter", "__getattribute__", "exec", "eval"}


def nodes(channel: str) -> Iterator[ast.AST]:
    for path in (CHANNELS / channel).glob("*.py"):
        yield from ast.walk(ast.parse(path.read_text()))


def names_in(channel: str) -> set[str]:
    told = {node.attr for node in nodes(channel) if isinstance(node, ast.Attribute)}
    return told | {node.id for node in nodes(channel) if isinstance(node, ast.Name)}


def texts_in(channel: str) -> set[str]:
    return {
        node.value
        for node in nodes(channel)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_mastodons_client_is_asked_for_four_things() -> None:
    theirs = {
        name
        for name in dir(mastodon.Mastodon)
        if re.match(r"(?:status|account|conversation|follow|notif)\w*_", name)
    }
    assert {"status_reblog", "account_follow", "status_favourite"} <= theirs
    asked = {"status_post", "status_delete", "account_statuses", "account_verify_credentials"}
    assert names_in("mastodon") & theirs == asked


def test_bluesky_is_asked_for_seven_calls() -> None:
    called = {text for text in texts_in("bluesky") if re.fullmatch(r"(?:com|app|chat)\.[a-zA-Z.]+", text)}
    assert called == {
        "com.atproto.server.createSession",
        "com.atproto.server.refreshSession",
        "com.atproto.repo.putRecord",
        "com.atproto.repo.getRecord",
        "com.atproto.repo.deleteRecord",
        "app.bsky.actor.getProfile",
        "app.bsky.feed.getAuthorFeed",
        "app.bsky.feed.post",  # the one sort of record that is written
        "chat.bsky.actor.declaration",  # and the one beside it that is read
    }


def test_facebook_is_asked_for_a_page_its_posts_and_its_settings() -> None:
    edges = {text for text in texts_in("facebook") if re.fullmatch(r"/[a-z_]+", text)}
    assert edges == {"/feed", "/published_posts", "/settings"}


@pytest.mark.parametrize("channel", ["mastodon", "bluesky", "facebook"])
def test_nothing_is_called_by_a_name_made_up_on_the_way(channel: str) -> None:
    assert not MADE_UP & names_in(channel)
