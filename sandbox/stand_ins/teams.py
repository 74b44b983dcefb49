"""A stand-in for workflows of Power Automate that post to Teams: 202 as soon as one begins, and nothing more.

Doors: run. Shapes after https://learn.microsoft.com/azure/connectors/connectors-native-reqres. There are two workflows,
`everybody` and `7b`; each is known by the signature in its address. The truth has as `key` which of them posted.
"""

from __future__ import annotations

import json
import secrets

from sandbox.faults import FaultBook, Order
from sandbox.http import Request
from sandbox.truth import Entry, TruthLog
from sandbox.web_api import Answer, Then, WebApi, kinds

SIGNATURE = "SandboxSignature0000000000000000000000000001"
WORKFLOWS = ("everybody", "7b")
MOST = 28 * 1024
_PATH = "/triggers/manual/paths/invoke"


def _error(status: int, code: str, message: str) -> Answer:
    return status, {"error": {"code": code, "message": message}}


UNSIGNED = _error(
    401, "DirectApiAuthorizationRequired", "The request must be authenticated only by Shared Access scheme."
)
NO_WORKFLOW = _error(404, "WorkflowNotFound", "The workflow could not be found.")
SCHEMA = _error(
    400, "TriggerInputSchemaMismatch", "The input body for trigger 'manual' of type 'Request' did not match."
)
ANSWERS: dict[str, Answer] = {
    "429": _error(429, "WorkflowTriggerRequestsThrottled", "The number of requests exceeded the limit."),
    "401": UNSIGNED,
    "404": NO_WORKFLOW,
    "off": _error(
        400, "WorkflowTriggerIsNotEnabled", "The trigger 'manual' with state 'Disabled' is not enabled."
    ),
    "schema": SCHEMA,
    "413": _error(413, "RequestEntityTooLarge", "The request content size is too large."),
    "502": _error(502, "NoResponse", "The server did not receive a response from an upstream server."),
}
KINDS = kinds(
    ("run",),
    {
        "429": "Too many requests until `Retry-After`",
        "401": "Signature not accepted",
        "404": "The workflow was deleted",
        "off": "The workflow is turned off",
        "schema": "400, no card as the trigger wants it",
        "413": "Too long",
        "502": "An upstream server did not answer",
    },
)


class TeamsStandIn(WebApi):
    """Workflows at /teams/workflows/<name>/triggers/manual/paths/invoke."""

    name = channel = "teams"
    refusals = ANSWERS
    broken = _error(500, "InternalServerError", "Encountered internal server error.")

    def asked_for(self, request: Request, path: str) -> tuple[str, str]:
        """One door a workflow; what it does not know is answered as a workflow that was deleted."""
        name = path.removeprefix("workflows/").removesuffix(_PATH)
        return ("run", name) if request.method == "POST" and path == f"workflows/{name}{_PATH}" else ("", "")

    def signed(self, request: Request) -> bool:
        """By the address."""
        return request.parameters().get("sig") == SIGNATURE

    def unsigned(self) -> Answer:
        """As Power Automate has it."""
        return UNSIGNED

    def headers(self, fault: Order | None) -> dict[str, str]:
        """The run that began; when to come back."""
        if fault is None or fault.kind in {"slow", "slow-accept", "latency"}:
            return {"x-ms-workflow-run-id": self._run}
        return {"Retry-After": "2"} if fault.kind == "429" else {}

    def act(self, stage: str, about: str, request: Request, then: Then) -> None:
        """Begin a run, where there is such a workflow and it gets a card."""
        self._run = "0858" + secrets.token_hex(14).upper()
        if about not in WORKFLOWS:
            return then(NO_WORKFLOW)
        if len(request.body) > MOST:
            return then(ANSWERS["413"])
        try:
            (attachment,) = json.loads(request.body)["attachments"]
            card, kind = attachment["content"], attachment["contentType"]
            text = "\n".join(run["text"] for block in card["body"] for run in block["inlines"])
        except (ValueError, KeyError, TypeError):
            return then(SCHEMA)
        if kind != "application/vnd.microsoft.card.adaptive" or card.get("type") != "AdaptiveCard":
            return then(SCHEMA)

        def begun(entry: Entry | None) -> None:
            then((202, b"") if entry else self.broken)

        return self.accept(request.body.decode(), begun, id=self._run, key=about, text=text)


def open(truth: TruthLog, faults: FaultBook) -> WebApi:  # noqa: A001 - a stand-in is opened, by this name
    """The stand-in of one sandbox."""
    return TeamsStandIn(truth, faults)


def account(url: str) -> dict[str, object]:
    """An account that posts to it."""
    everybody, class_ = (f"{url}/workflows/{name}{_PATH}?api-version=1&sig={SIGNATURE}" for name in WORKFLOWS)
    return {"channel": "teams", "workflow": everybody, "classes": {"7B": class_}}
