"""The stand-in for X, as real tweepy and a bare client see it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
import requests
import tweepy
from oauthlib.oauth1 import Client as Signer
from requests.adapters import HTTPAdapter

from sandbox.client import RunningSandbox, start_sandbox
from sandbox.settings import BadSandbox

HOST = "https://api.twitter.com"
texts = (f"Announcement number {number}." for number in itertools.count())


class ToTheSandbox(HTTPAdapter):
    def __init__(self, url: str) -> None:
        self._url = url
        super().__init__()

    def send(self, request: requests.PreparedRequest, *_: Any, **others: Any) -> requests.Response:
        request.url = (request.url or "").replace(HOST, self._url)
        return super().send(request, **{**others, "timeout": 2})


@pytest.fixture
def at_x(sandbox: RunningSandbox) -> Iterator[RunningSandbox]:
    yield sandbox
    sandbox.control.account_at_x(
        following=0, protected=False, suspended=False, duplicates=False, limit=10_000
    )


@pytest.fixture
def client(at_x: RunningSandbox) -> Iterator[tweepy.Client]:
    x = at_x.x
    client = tweepy.Client(
        None, x.consumer_key, x.consumer_secret, x.access_token, x.access_token_secret, return_type=dict
    )
    client.session.mount(HOST, ToTheSandbox(at_x.x_url))
    yield client
    client.session.close()


def user(sandbox: RunningSandbox) -> str:
    return sandbox.x.access_token.partition("-")[0]


def posted(client: tweepy.Client, text: str | None = None) -> str:
    return str(client.create_tweet(text=text or next(texts))["data"]["id"])


def test_a_post_stands_in_the_truth_log(client: tweepy.Client, at_x: RunningSandbox) -> None:
    text = next(texts)
    name = posted(client, text)
    entry = next(entry for entry in at_x.truth("twitter") if entry["id"] == name)
    assert (entry["channel"], entry["to"], entry["body"], entry["from"]) == ("twitter", "", text, user(at_x))


def test_links_come_back_shortened_and_html_escaped(client: tweepy.Client, at_x: RunningSandbox) -> None:
    name = posted(client, "Tea & <cake>: https://school.org/a https://school.org/b")
    listed = client.get_users_tweets(user(at_x), user_auth=True, max_results=5, tweet_fields=["entities"])[
        "data"
    ]
    post = next(post for post in listed if post["id"] == name)
    assert post["text"].startswith("Tea &amp; &lt;cake&gt;: https://t.co/")
    assert [url["expanded_url"] for url in post["entities"]["urls"]] == [
        "https://school.org/a",
        "https://school.org/b",
    ]
    assert all(post["text"][url["start"] : url["end"]] == url["url"] for url in post["entities"]["urls"])


def test_a_timeline_has_pages_and_a_beginning(client: tweepy.Client, at_x: RunningSandbox) -> None:
    ids = [posted(client) for _ in range(7)]
    first = client.get_users_tweets(user(at_x), user_auth=True, max_results=5, tweet_fields=["created_at"])
    then = client.get_users_tweets(
        user(at_x), user_auth=True, max_results=5, pagination_token=first["meta"]["next_token"]
    )
    assert [post["id"] for post in (*first["data"], *then["data"])][:7] == ids[::-1]
    later = client.get_users_tweets(
        user(at_x), user_auth=True, max_results=5, start_time="2199-01-01T00:00:00Z"
    )
    assert later == {"meta": {"result_count": 0}}
    with pytest.raises(tweepy.BadRequest):
        client.get_users_tweets(user(at_x), user_auth=True, max_results=3)


def test_a_deleted_post_is_gone_and_may_be_posted_again(client: tweepy.Client, at_x: RunningSandbox) -> None:
    text = next(texts)
    name = posted(client, text)
    with pytest.raises(tweepy.Forbidden, match="duplicate content"):
        posted(client, text)
    assert client.delete_tweet(name) == {"data": {"deleted": True}}
    with pytest.raises(tweepy.NotFound):
        client.delete_tweet(name)
    listed = client.get_users_tweets(user(at_x), user_auth=True, max_results=5)
    assert name not in [post["id"] for post in listed.get("data", ())]
    posted(client, text)


@pytest.mark.parametrize(
    ("text", "taken"), [("é" * 280, True), ("é" * 281, False), ("日" * 140, True), ("日" * 141, False)]
)
def test_what_is_too_long_by_weight_is_refused(client: tweepy.Client, text: str, taken: bool) -> None:
    if taken:
        assert posted(client, text)
    else:
        with pytest.raises(tweepy.Forbidden, match="shorter"):
            posted(client, text)


def test_only_a_post_that_is_there_can_be_quoted(client: tweepy.Client) -> None:
    assert client.create_tweet(text=next(texts), quote_tweet_id=posted(client))
    with pytest.raises(tweepy.Forbidden, match="not visible"):
        client.create_tweet(text=next(texts), quote_tweet_id="99")


def test_one_post_is_read_and_what_is_not_there_or_hidden_says_why(client: tweepy.Client) -> None:
    name = posted(client)
    assert client.get_tweet(name, user_auth=True)["data"]["id"] == name
    assert client.get_tweet("20", user_auth=True)["data"]["text"] == "just setting up my twttr"
    client.delete_tweet(name)
    for gone, kind in ((name, "resource-not-found"), ("21", "not-authorized-for-resource")):
        answer = client.get_tweet(gone, user_auth=True)
        assert "data" not in answer
        assert answer["errors"][0]["type"].endswith(kind)


def test_the_account_looks_as_ordered(client: tweepy.Client, at_x: RunningSandbox) -> None:
    at_x.control.account_at_x(following=2, protected=True)
    me = client.get_me(user_fields=["protected", "public_metrics"])["data"]
    assert (me["protected"], me["public_metrics"]["following_count"]) == (True, 2)
    assert len(client.get_users_following(user(at_x), user_auth=True)["data"]) == 2
    at_x.control.account_at_x(suspended=True)
    with pytest.raises(tweepy.Forbidden, match="suspended"):
        client.get_me()


@pytest.mark.parametrize("wrong", [{"nonsense": 1}, {"following": True}, {"following": -1}, {"protected": 1}])
def test_an_order_that_is_no_posture_is_refused(at_x: RunningSandbox, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadSandbox):
        at_x.control.account_at_x(**wrong)


def test_limits_are_told_and_held(client: tweepy.Client, at_x: RunningSandbox) -> None:
    client.return_type = requests.Response
    told = client.get_me().headers
    assert int(told["x-rate-limit-remaining"]) < int(told["x-rate-limit-limit"]) == 10_000
    at_x.control.account_at_x(limit=1)
    with pytest.raises(tweepy.TooManyRequests) as caught:
        client.get_me()
    assert caught.value.reset_time == int(caught.value.response.headers["x-rate-limit-reset"])
    assert caught.value.response.headers["x-rate-limit-remaining"] == "0"


# --- signatures


def ask(
    sandbox: RunningSandbox, headers: dict[str, str], path: str = "/2/users/me", method: str = "GET"
) -> int:
    connection = HTTPConnection(sandbox.x_url.removeprefix("http://"), timeout=2)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        json.loads(response.read())
        return response.status
    finally:
        connection.close()


def signed(
    sandbox: RunningSandbox, uri: str = f"{HOST}/2/users/me", method: str = "GET", **changed: str
) -> dict[str, str]:
    x = sandbox.x
    signer = Signer(
        **{
            "client_key": x.consumer_key,
            "client_secret": x.consumer_secret,
            "resource_owner_key": x.access_token,
            "resource_owner_secret": x.access_token_secret,
            **changed,
        }
    )
    _, headers, _ = signer.sign(uri, method)
    return {"Authorization": headers["Authorization"]}


def test_a_signature_holds_for_its_own_request_alone_and_once(at_x: RunningSandbox) -> None:
    good = signed(at_x)
    assert ask(at_x, good) == 200
    assert ask(at_x, good) == 401
    assert ask(at_x, signed(at_x, uri="https://api.x.com/2/users/me")) == 200
    assert ask(at_x, signed(at_x), path="/2/users/me?user.fields=protected") == 401
    assert ask(at_x, signed(at_x), path="/2/tweets/1", method="DELETE") == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"client_key": "somebody"},
        {"client_secret": "wrong"},
        {"resource_owner_key": "1-somebody"},
        {"resource_owner_secret": "wrong"},
        {"timestamp": "1000000000"},
        {"nonce": "short"},
        {"signature_method": "PLAINTEXT"},
    ],
)
def test_a_signature_that_does_not_hold_is_refused(at_x: RunningSandbox, changed: dict[str, str]) -> None:
    assert ask(at_x, signed(at_x, **changed)) == 401


@pytest.mark.parametrize(
    "header", ["", "Bearer x", "OAuth", "OAuth oauth_nonce", 'OAuth a="b', "OAuth " + "x" * 5_000]
)
def test_what_is_no_signature_is_refused(at_x: RunningSandbox, header: str) -> None:
    assert ask(at_x, {"Authorization": header}) == 401


def test_what_x_does_not_know_is_not_found(at_x: RunningSandbox) -> None:
    assert ask(at_x, {}, path="/2/nothing") == 404
    assert ask(at_x, {}, path="/2/users/7/tweets") == 404


# --- faults


@pytest.mark.parametrize(
    ("fault", "raised", "accepted"),
    [
        ("429:reset=5", tweepy.TooManyRequests, 0),
        ("401", tweepy.Unauthorized, 0),
        ("duplicate", tweepy.Forbidden, 0),
        ("suspended", tweepy.Forbidden, 0),
        ("locked", tweepy.Forbidden, 0),
        ("not-permitted", tweepy.Forbidden, 0),
        ("read-only", tweepy.Forbidden, 0),
        ("402", tweepy.HTTPException, 0),
        ("invalid", tweepy.BadRequest, 0),
        ("503", tweepy.TwitterServerError, 0),
        ("500-before-accept", tweepy.TwitterServerError, 0),
        ("500-after-accept", tweepy.TwitterServerError, 1),
        ("503-after-accept", tweepy.TwitterServerError, 1),
        ("reset-before-accept", requests.ConnectionError, 0),
        ("reset-after-accept", requests.ConnectionError, 1),
        ("hang-before-accept", requests.Timeout, 0),
        ("hang-after-accept", requests.Timeout, 1),
        ("slow:ms=2500", requests.Timeout, 1),
        ("bad-json", requests.JSONDecodeError, 1),
        ("truncated", requests.RequestException, 1),
    ],
)
def test_a_fault_shows_itself_and_the_truth_stays_true(
    client: tweepy.Client, at_x: RunningSandbox, fault: str, raised: type[Exception], accepted: int
) -> None:
    before = len(at_x.truth("twitter"))
    at_x.control.order(f"x:{fault}" if ":" in fault else f"x:{fault}:next=1")
    with pytest.raises(raised):
        posted(client)
    assert len(at_x.truth("twitter")) == before + accepted


def test_a_slow_accept_accepts_after_the_client_has_gone(client: tweepy.Client, at_x: RunningSandbox) -> None:
    before = len(at_x.truth())
    at_x.control.order("x:slow-accept:ms=2300")
    with pytest.raises(requests.Timeout):
        posted(client)
    assert len(at_x.truth()) == before
    entry = at_x.wait_for(before + 1)[-1]
    assert entry["asked"] < entry["at"]


def test_posts_outlive_a_kill(tmp_path: Any) -> None:
    with start_sandbox(tmp_path / "truth.jsonl") as sandbox:
        x = sandbox.x
        client = tweepy.Client(
            None, x.consumer_key, x.consumer_secret, x.access_token, x.access_token_secret, return_type=dict
        )
        client.session.mount(HOST, ToTheSandbox(sandbox.x_url))
        name = posted(client)
        sandbox.kill()
        sandbox.restart()
        listed = client.get_users_tweets(user(sandbox), user_auth=True)["data"]
        assert [post["id"] for post in listed] == [name]
        client.session.close()
