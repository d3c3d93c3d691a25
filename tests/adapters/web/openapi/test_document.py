import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from adapters.web.app import build_app
from tests.adapters.web.serving import Client, settings_with

GOLDEN = Path(__file__).with_name("openapi.json")
METHODS = {"get", "post", "put", "patch", "delete"}
RENEW = "SLOTKEEPER_RENEW_OPENAPI"
UNAUTHENTICATED = {"/api/calendly/callback", "/health/live", "/health/ready"}


def document() -> dict[str, Any]:
    """The document of a sound configuration, as clients read it."""

    def nothing(_settings: object) -> Any:
        raise AssertionError("making the document opens no service")

    app = build_app(settings_with(), nothing)
    read: dict[str, Any] = msgspec.json.decode(
        msgspec.json.encode(app.openapi_schema.to_schema(), enc_hook=str)
    )
    return read


def shape(required: str, optional: str, **members: Any) -> dict[str, Any]:
    """The JSON Schema of an object that has these members and no others."""
    names = [*required.split(), *optional.split()]
    return {
        "type": "object",
        "required": required.split(),
        "properties": {name: members.get(name, True) for name in names},
        "additionalProperties": False,
    }


def map_of(schema: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of an object whose members are all alike."""
    return {"type": "object", "additionalProperties": schema}


EXAMPLES = map_of(shape("", "summary description value externalValue"))
CONTENT = map_of(shape("schema", "examples encoding", examples=EXAMPLES))
OPERATION = shape(
    "operationId responses",
    "tags summary description parameters requestBody security deprecated",
    parameters={
        "type": "array",
        "items": shape(
            "name in schema",
            "description required deprecated allowEmptyValue allowReserved style explode",
            **{"in": {"enum": ["query", "header", "path", "cookie"]}},
        ),
    },
    requestBody=shape("content", "description required", content=CONTENT),
    responses=map_of(shape("description", "content headers", content=CONTENT)),
)
DOCUMENT = document()
OPERATIONS = [
    pytest.param(path, operation, id=operation["operationId"])
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method in METHODS
]


def test_the_document_changes_only_on_purpose() -> None:
    """The OpenAPI document is the committed one, so that no client breaks unnoticed.

    After a change that is meant: `SLOTKEEPER_RENEW_OPENAPI=1 pytest
    tests/adapters/web/openapi/test_document.py`, then read the difference before committing it.
    """
    written = json.dumps(DOCUMENT, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if os.environ.get(RENEW):
        GOLDEN.write_text(written)

    assert written == GOLDEN.read_text()


async def test_the_document_is_served(client: Client) -> None:
    """/schema/openapi.json is the document, in OpenAPI 3.1."""
    answer = await client.get("/schema/openapi.json")

    assert answer.json()["openapi"] == "3.1.0"
    assert answer.json()["servers"] == [{"url": "https://slots.example.com"}]
    assert set(answer.json()["paths"]) == set(DOCUMENT["paths"])


def test_operation_ids_are_names() -> None:
    """Every operation has an id of its own that a generated client can use as a name."""
    ids = [each.id for each in OPERATIONS]

    assert len(set(ids)) == len(ids) == 33
    assert all(str(each).isidentifier() for each in ids)


META = Draft202012Validator(Draft202012Validator.META_SCHEMA)


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_every_operation_is_described(path: str, operation: dict[str, Any]) -> None:
    """Every operation has a tag, a summary, described parameters and security."""
    secured = not path.startswith("/api/calendly/webhooks") and path not in UNAUTHENTICATED

    assert operation["tags"][0] in {each["name"] for each in DOCUMENT["tags"]}
    assert operation["summary"]
    assert ("security" in operation) == secured
    for parameter in operation.get("parameters", ()):
        assert parameter["in"] == "path" or parameter["description"]


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_every_response_has_a_valid_example(path: str, operation: dict[str, Any]) -> None:
    """Each answer with a body has examples, and each example is valid by its schema."""
    del path
    for status, answer in operation["responses"].items():
        for media_type, content in answer.get("content", {}).items():
            assert content["examples"], status
            assert (media_type == "application/problem+json") == (int(status) >= 400) or (
                operation["operationId"] == "getReadiness"
            )
            for example in content["examples"].values():
                validate(example["value"], content["schema"])


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_every_operation_documents_its_errors(path: str, operation: dict[str, Any]) -> None:
    """Every operation but the health checks documents how it fails."""
    failures = {status for status in operation["responses"] if int(status) >= 400}

    assert failures >= ({"401", "503"} if "security" in operation else set())
    assert failures or path == "/health/live"


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_every_body_has_an_example_that_fits(path: str, operation: dict[str, Any]) -> None:
    """Each request body has an example that is valid by its schema."""
    if "requestBody" not in operation:
        assert not path.endswith(("/webhooks", "/cancel"))
        return
    content = operation["requestBody"]["content"]["application/json"]
    found = [each["value"] for each in content.get("examples", {}).values()]

    assert found
    for value in found:
        validate(value, content["schema"])


def test_acts_require_their_key() -> None:
    """Idempotency-Key is required wherever it is taken."""
    taken = [
        parameter["required"]
        for each in OPERATIONS
        for parameter in each.values[1].get("parameters", ())  # type: ignore[union-attr]
        if parameter["name"] == "Idempotency-Key"
    ]

    assert taken == [True] * 4


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_every_operation_is_openapi(path: str, operation: dict[str, Any]) -> None:
    """Every operation has the members that OpenAPI 3.1 (4.8.10) knows, and no others."""
    assert path.startswith("/")
    Draft202012Validator(OPERATION).validate(operation)


def test_every_schema_is_json_schema() -> None:
    """The components are JSON Schema 2020-12, as OpenAPI 3.1 asks."""
    for schema in DOCUMENT["components"]["schemas"].values():
        assert list(META.iter_errors(schema)) == []


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_requests_for_a_user_name_the_user(path: str, operation: dict[str, Any]) -> None:
    """X-User-Id is a required header of each operation that needs an API key, and of no other."""
    del path
    keyed = "api_key" in str(operation.get("security"))
    named = [each for each in operation.get("parameters", ()) if each["name"] == "X-User-Id"]

    assert [(each["in"], each["required"]) for each in named] == [("header", True)] * keyed
    assert operation.get("security") != [{}]


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_no_parameter_can_be_null(path: str, operation: dict[str, Any]) -> None:
    """An optional parameter of a query or header has a plain type without null."""
    del path
    for parameter in operation.get("parameters", ()):
        assert "null" not in str(parameter["schema"])
        assert {"type", "$ref", "items"} & parameter["schema"].keys()


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_a_body_is_a_named_schema(path: str, operation: dict[str, Any]) -> None:
    """A body is one schema of the components, and only a cancellation may do without one."""
    if "requestBody" not in operation or "webhooks" in path:
        return
    body = operation["requestBody"]

    assert body["required"] == (operation["operationId"] != "cancelBooking")
    assert body["content"]["application/json"]["schema"].keys() == {"$ref"}


def test_refusals_of_the_edge_are_documented() -> None:
    """A body may be too large wherever one is read, and anything may fail unforeseen."""
    documented = {str(each.id): set(each.values[1]["responses"]) for each in OPERATIONS}  # type: ignore[index]

    assert {name for name, statuses in documented.items() if "413" in statuses} == {
        "createBooking",
        "cancelBooking",
        "confirmConnect",
        "createSchedulingLink",
        "eraseInvitee",
        "receiveWebhook",
        "receiveAppWebhook",
    }
    assert {name for name, statuses in documented.items() if "500" not in statuses} == {
        "getLiveness",
        "getReadiness",
    }


def validate(value: object, schema: dict[str, Any]) -> None:
    """Fail unless a value is valid by a schema of the document (JSON Schema 2020-12)."""
    whole = {**schema, "components": DOCUMENT["components"]}
    Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)


async def test_people_can_read_it(client: Client) -> None:
    """/schema is a page that lists every operation, and loads nothing from elsewhere."""
    answer = await client.get("/schema")

    assert answer.headers["content-type"].startswith("text/html")
    for each in OPERATIONS:
        assert f'id="{each.id}"' in answer.text
    assert "<script" not in answer.text
    assert "cdn" not in answer.text
    assert "style-src 'self'" in answer.headers["content-security-policy"]
