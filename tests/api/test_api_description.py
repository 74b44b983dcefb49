"""The description of the API is enough for a stranger's generator: every operation, every shape, every example."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]

from tests.support.api import Calling
from web.api import RESOURCES
from web.api.described import TAGS

ALWAYS = {"401", "503"}


@pytest.fixture(scope="module")
def document(school: Calling) -> dict[str, Any]:
    answer = school.client.get("/v1/openapi.json")
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            yield f"{method.upper()} {path}", described


def wrong_with(example: object, shape: dict[str, Any], document: dict[str, Any]) -> list[str]:
    whole = {**shape, "components": document["components"]}
    checker = Draft202012Validator(whole, format_checker=FormatChecker())
    return [fault.message for fault in checker.iter_errors(example)]


def test_every_operation_has_a_name_a_tag_a_sentence_and_a_token(document: dict[str, Any]) -> None:
    seen = set()
    for where, told in operations(document):
        assert told["operationId"] not in seen, where
        seen.add(told["operationId"])
        assert set(told["tags"]) <= set(TAGS), where
        assert told["description"].endswith("."), where
        assert told["summary"] == told["operationId"].replace("_", " ").capitalize(), where
        for parameter in told.get("parameters", ()):
            assert parameter["description"], (where, parameter["name"])
        for status, answer in told["responses"].items():
            assert answer["description"] not in {"", "Done.", "Successful Response"}, (where, status)
        assert told["security"] == [{"token": []}], where
    assert len(seen) == sum(len(resource.router.routes) for resource in RESOURCES)
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert [tag["name"] for tag in document["tags"]] == list(TAGS)


def test_no_shape_is_called_what_a_generated_client_has_already(document: dict[str, Any]) -> None:
    taken = {
        "File",
        "Set",
        "Map",
        "Date",
        "Error",
        "Object",
        "Array",
        "String",
        "Number",
        "Symbol",
        "Request",
    }
    assert not taken & set(document["components"]["schemas"])


def test_every_answer_has_a_shape_with_an_example_that_fits_it(document: dict[str, Any]) -> None:
    for where, told in operations(document):
        assert set(told["responses"]) >= ALWAYS, where
        assert any(status.startswith("2") for status in told["responses"]), where
        for status, answer in told["responses"].items():
            content = answer["content"]["application/json"]
            assert "$ref" in content["schema"], (where, status)
            assert wrong_with(content["example"], content["schema"], document) == [], (where, status)
            if not status.startswith("2"):
                assert content["schema"]["$ref"].endswith("/ErrorTold"), (where, status)


def test_every_body_has_an_example_that_fits_it(document: dict[str, Any]) -> None:
    for where, told in operations(document):
        for kind, content in told.get("requestBody", {}).get("content", {}).items():
            if kind != "application/json":
                assert content["schema"] == {"type": "string", "format": "binary"}, where
                continue
            shape = document["components"]["schemas"][content["schema"]["$ref"].rsplit("/", 1)[-1]]
            assert shape["additionalProperties"] is False, where
            for example in shape["examples"]:
                assert wrong_with(example, shape, document) == [], where


def test_every_shape_has_one_name_and_a_sentence(document: dict[str, Any]) -> None:
    for name, shape in document["components"]["schemas"].items():
        assert "__" not in name
        assert "enum" in shape or name.startswith("Page_") or shape["description"], name


def test_what_may_be_too_large_says_so(document: dict[str, Any]) -> None:
    for where, told in operations(document):
        assert ("requestBody" in told) == ({"408", "413", "415"} <= set(told["responses"])), where
