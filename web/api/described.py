"""The description of the API as programs and their generators read it, with an example of every answer.

Examples are made of the shapes and of one table of words, so that no route is without one and none falls behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI

TAGS: Mapping[str, str] = {
    "announcements": "Said once, looked at before, followed after, taken back.",
    "deliveries": "What went to which address, and what a person decides about one.",
    "approvals": "What waits for a second person.",
    "people": "Somebody with their family.",
    "groups": "Groups, whom they mean today, and whom an announcement to them would reach.",
    "imports": "A roster as the school's own system exports it, with its difference.",
    "templates": "Named wordings of a department.",
    "schedules": "What is announced again and again, term after term.",
    "events": "Rehearsals, concerts, trips: their reminders move with them.",
    "timetable": "What the timetable system pushes.",
    "accounts": "The ways out, and what is settled about them.",
    "rules": "What a school lays down about its announcements.",
    "record": "What was done, by whom.",
    "tokens": "How programs call.",
    "webhooks": "Who is told what becomes of deliveries.",
}
# What stands in an example, by the name of its field; else it is of the field's type, or empty.
WORDS: Mapping[str, Any] = {
    "account": "texts",
    "address": "+4479•••••001",
    "author": "Mrs Bell",
    "by": "Mr Reed",
    "channel": "sms",
    "currency": "GBP",
    "department": "music",
    "every": "FREQ=WEEKLY",
    "group": "7B",
    "hint": "look it up in the list",
    "key": "undo.window",
    "kind": "club",
    "language": "",
    "made_by": "Head",
    "name": "Choir",
    "place": "Hall",
    "secret": "whsec_c29tZXRoaW5nIHRoYXQgbm9ib2R5IGd1ZXNzZXM=",
    "seen": "9f2c41d07a3b",
    "slug": "choir",
    "source_id": "P0417",
    "title": "Rehearsal",
    "to": "Choir",
    "url": "https://timetable.example.org/carillon",
    "who": "P0417",
    "words": {"long": "{pupil}: rehearsal at 15:30."},
}
FORMATS: Mapping[str, str] = {
    "uuid": "01a20612-f22b-706e-99e6-e081dd49ae76",
    "date-time": "2027-03-18T19:00:00Z",
    "date": "2027-03-18",
}
# What names something in a path, by its word there.
IN_PATHS: Mapping[str, str] = {
    "id": "Its id, as the list has it.",
    "key": "The rule's name.",
    "name": "Its name; capitals do not matter where a group is meant.",
    "source": "The source's name in the settings.",
    "who": "The school's own id of somebody, or ours.",
}
# What narrows a search, where its route does not say more.
IN_QUERIES: Mapping[str, str] = {
    "actor": "Of what this person, program or part of Carillon did.",
    "announcement": "About one announcement.",
    "delivery": "About one delivery.",
    "kind": "Of one kind, or of all that begin so: announcement.",
    "language": "The wording in this language; left out, the one that names none.",
    "since": "From this moment on.",
    "until": "Before this moment.",
    "version": "An earlier version; left out, the newest.",
}
PLAIN = "Successful Response"  # what the framework says of every answer
FAULTS: Mapping[str, tuple[str, str, str, str]] = {
    "401": ("no_token", "Authorization", "this wants a token that holds", "make one: carillon tokens make"),
    "403": ("no_scope", "Authorization", "this token is not for that", "it wants another scope"),
    "404": ("not_found", "id", "there is no such announcement", "look it up in the list"),
    "408": ("too_slow", "body", "this took too long to arrive", "send it within ten seconds"),
    "409": (
        "key_conflict",
        "header.Idempotency-Key",
        "this key was used before for another announcement",
        "use a new key",
    ),
    "413": ("too_large", "body", "this is too large", "see docs/api.md for how much is taken"),
    "415": (
        "wrong_media_type",
        "Content-Type",
        "the body has another type than this takes",
        "send it as JSON",
    ),
    "422": ("unknown_group", "to", "there is no group “Chior”", "did you mean “Choir”?"),
    "429": (
        "too_many_tries",
        "Authorization",
        "too many tokens that do not hold are being tried",
        "wait a minute",
    ),
    "503": ("unavailable", "", "this cannot be done just now", "try again in a minute"),
}


def install(api: FastAPI) -> None:
    """Let the API be described with its examples."""
    plainly: Callable[[], dict[str, Any]] = api.openapi

    def described() -> dict[str, Any]:
        if api.openapi_schema is None:
            api.openapi_schema = with_examples(plainly())
        return api.openapi_schema

    api.openapi = described  # type: ignore[method-assign] # as FastAPI's own guide has it


def with_examples(document: dict[str, Any]) -> dict[str, Any]:
    """The same description, with an example of every answer and of every id in a path."""
    shapes: Mapping[str, Any] = document["components"]["schemas"]
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["summary"] = operation["operationId"].replace("_", " ").capitalize()
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    parameter.setdefault("description", IN_PATHS[parameter["name"]])
                elif parameter["name"] in IN_QUERIES:
                    parameter.setdefault("description", IN_QUERIES[parameter["name"]])
                if parameter["in"] == "path" and "examples" not in parameter["schema"]:
                    parameter.setdefault(
                        "example", example_of(parameter["schema"], parameter["name"], shapes)
                    )
            for status, answer in operation["responses"].items():
                told = answer.get("content", {}).get("application/json")
                if answer["description"] == PLAIN:
                    answer["description"] = _described(told, shapes)
                if told is not None:
                    told["example"] = _fault(status) or example_of(told["schema"], "", shapes)
    return document


def _described(told: Mapping[str, Any] | None, shapes: Mapping[str, Any]) -> str:
    """What an answer is: its shape's own words."""
    name = (told or {}).get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
    if name.startswith("Page_"):
        return "A page of the list; `next` is the `cursor` of the one after it, null at the end."
    said: str = shapes.get(name, {}).get("description", "Done.")
    return said


def example_of(shape: Mapping[str, Any], name: str, shapes: Mapping[str, Any]) -> Any:
    """One value of this shape, in a field of this name."""
    if "$ref" in shape:
        return example_of(shapes[shape["$ref"].rsplit("/", 1)[-1]], name, shapes)
    if shape.get("examples"):
        return shape["examples"][0]
    if "enum" in shape:
        return shape["enum"][0]
    if "anyOf" in shape:
        return example_of(shape["anyOf"][0], name, shapes)
    if name in WORDS and shape.get("type") == _type_of(WORDS[name]):
        return WORDS[name]
    return _of_type(shape, name, shapes)


def _of_type(shape: Mapping[str, Any], name: str, shapes: Mapping[str, Any]) -> Any:
    match shape.get("type"):
        case "object" if "properties" in shape:
            return {key: example_of(inner, key, shapes) for key, inner in shape["properties"].items()}
        case "object" if isinstance(inner := shape.get("additionalProperties"), Mapping):
            names: Sequence[str] = example_of(shape.get("propertyNames", {"enum": ["sms"]}), "", shapes)
            return {names if isinstance(names, str) else "sms": example_of(inner, "", shapes)}
        case "object":
            return {}
        case "array":
            inner = shape.get("items", {})
            return [example_of(inner, name if inner.get("type") == "string" else "", shapes)]
        case "integer" | "number":
            return 4
        case "boolean":
            return bool(shape.get("default", False))
        case "string":
            return FORMATS.get(shape.get("format", ""), shape.get("default", ""))
    return None


def _type_of(value: object) -> str:
    return "object" if isinstance(value, Mapping) else "string"


def _fault(status: str) -> Mapping[str, str] | None:
    said = FAULTS.get(status)
    return None if said is None else dict(zip(("code", "field", "message", "hint"), said, strict=True))
