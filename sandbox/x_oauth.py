"""Whether a request is signed as X asks: OAuth 1.0a, HMAC-SHA1 over the base string, by oauthlib and not by us.

Only loaded when somebody posts: oauthlib comes with the extra `x`, and the sandbox runs without it.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from hmac import compare_digest
from typing import Any

from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, RequestValidator, ResourceEndpoint

from sandbox.http import Request
from sandbox.settings import XCredentials

# A client signs the address it believes it talks to, whatever an adapter makes of it on the way.
HOSTS = ("https://api.twitter.com", "https://api.x.com")
MOST_NONCES = 10_000

logging.getLogger("oauthlib").setLevel(logging.WARNING)  # at DEBUG it tells what it was asked to verify


class Signatures:
    """Checks signatures for one set of credentials; a nonce is good once."""

    def __init__(self, credentials: XCredentials) -> None:
        self._endpoint = ResourceEndpoint(_Validator(credentials))

    def hold(self, request: Request) -> bool:
        """Whether the Authorization header's signature holds for this request."""
        headers = {"Authorization": request.headers.get("authorization", "")}
        target = f"{request.path}?{request.query}" if request.query else request.path
        # The endpoint keeps the nonce when the rest holds, so the second host is asked only when the first does not.
        return any(self._holds(host + target, request.method, headers) for host in HOSTS)

    def _holds(self, uri: str, method: str, headers: dict[str, str]) -> bool:
        try:
            valid, asked = self._endpoint.validate_protected_resource_request(uri, method, None, headers)
        except ValueError:  # a header that is no header of OAuth
            return False
        return bool(valid) and self._endpoint.request_validator.spend(asked.nonce)


class _Validator(RequestValidator):  # type: ignore[misc] # oauthlib is untyped
    """One app and one account, known by heart."""

    allowed_signature_methods = (SIGNATURE_HMAC_SHA1,)
    client_key_length = (1, 100)
    access_token_length = (1, 100)
    nonce_length = (8, 64)
    timestamp_lifetime = 300  # seconds, as X has it
    dummy_client = "nobody"
    dummy_access_token = "nobody"  # noqa: S105

    def __init__(self, credentials: XCredentials) -> None:
        super().__init__()
        self._credentials = credentials
        self._spent: OrderedDict[str, None] = OrderedDict()

    @property
    def safe_characters(self) -> set[str]:
        return {*super().safe_characters, "-", "_"}

    def spend(self, nonce: str) -> bool:
        """True the first time."""
        if nonce in self._spent:
            return False
        self._spent[nonce] = None
        if len(self._spent) > MOST_NONCES:
            self._spent.popitem(last=False)
        return True

    def validate_timestamp_and_nonce(
        self, client_key: str, timestamp: str, nonce: str, request: Any, **_: object
    ) -> bool:
        return nonce not in self._spent

    def validate_client_key(self, client_key: str, request: Any) -> bool:
        return compare_digest(client_key.encode(), self._credentials.consumer_key.encode())

    def validate_access_token(self, client_key: str, token: str, request: Any) -> bool:
        return compare_digest(token.encode(), self._credentials.access_token.encode())

    def validate_realms(
        self, client_key: str, token: str, request: Any, uri: str | None = None, realms: Any = None
    ) -> bool:
        return True

    def get_client_secret(self, client_key: str, request: Any) -> str:
        return self._credentials.consumer_secret

    def get_access_token_secret(self, client_key: str, token: str, request: Any) -> str:
        return self._credentials.access_token_secret
