"""The OpenAPI document, with corrections where the framework's own is wrong or awkward for clients.

Some parameters are optional in Python, so that their absence has its own error code; here they are
required. An optional parameter is never nullable: a query or a header has no null.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import OpenAPI

from adapters.web.auth.caller import ACTING, READING
from adapters.web.params.idempotency_key import IDEMPOTENCY_KEY

SIGNATURE_HEADER = "Calendly-Webhook-Signature"
_REQUIRED = frozenset({IDEMPOTENCY_KEY, SIGNATURE_HEADER})
_METHODS = frozenset({"get", "post", "put", "patch", "delete"})
_NULL = {"type": "null"}
_USER_ID = {
    "name": "X-User-Id",
    "in": "header",
    "required": True,
    "description": "Your own id of the user, who exists here from the first connect on.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of a response you have: 304 without a body while it is unchanged.",
    "schema": {"type": "string"},
}
_OF_CACHE = {
    "Age": {
        "description": "Seconds since the fetch from Calendly (RFC 9111).",
        "schema": {"type": "integer", "minimum": 0},
    },
    "ETag": {
        "description": "Identifies this response; send it as If-None-Match.",
        "schema": {"type": "string"},
    },
}

JsonObject = dict[str, Any]


@dataclass
class Document(OpenAPI):
    """The document, corrected when it is written."""

    def to_schema(self) -> JsonObject:
        document = super().to_schema()
        for method, operation in _operations(document):
            _add_scopes(method, operation)
            _correct(operation)
        return document


class DocumentConfig(OpenAPIConfig):
    """Creates a `Document` instead of the framework's."""

    def to_openapi_schema(self) -> OpenAPI:
        """Return the document without its paths, which the framework adds."""
        return Document(**vars(super().to_openapi_schema()))


def _operations(document: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    for item in document["paths"].values():
        yield from ((method, item[method]) for method in _METHODS & item.keys())


def _add_scopes(method: str, operation: JsonObject) -> None:
    """Name the scopes that allow a call, as the roles of OpenAPI 3.1 (4.8.30)."""
    if operation.get("security") == [{"api_key": []}]:
        scopes = READING if method == "get" else ACTING
        operation["security"] = [{"api_key": [scope]} for scope in sorted(scopes)]


def _correct(operation: JsonObject) -> None:
    for parameter in operation.get("parameters", ()):
        _without_null(parameter["schema"])
        if parameter["name"] in _REQUIRED:
            parameter["required"] = True
    if any("api_key" in each for each in operation.get("security", ())):
        operation["parameters"] = [_USER_ID, *operation.get("parameters", ())]
    if "304" in operation["responses"]:
        operation["parameters"] = [*operation.get("parameters", ()), _IF_NONE_MATCH]
        for status in ("200", "304"):
            operation["responses"][status]["headers"] = _OF_CACHE
    if "requestBody" in operation:
        _correct_body(operation["requestBody"])
    for response in operation["responses"].values():
        for content in response.get("content", {}).values():
            for example in content.get("examples", {}).values():
                example.pop("id", None)  # the framework's; it is already the example's key


def _correct_body(body: JsonObject) -> None:
    """Reduce the schema to its name, so that generated clients have one class for it."""
    for content in body["content"].values():
        schema = content["schema"]
        if _without_null(schema):
            body["required"] = False
        if "examples" in schema:
            first, *_ = schema.pop("examples")
            content["examples"] = {"example": {"value": first}}
        if schema.keys() == {"allOf"} and len(schema["allOf"]) == 1:
            content["schema"] = schema["allOf"][0]


def _without_null(schema: JsonObject) -> bool:
    """Remove null from a schema's alternatives; return whether it was there."""
    choices = schema.get("oneOf", [])
    if _NULL not in choices:
        return False
    choices = [each for each in choices if each != _NULL]
    if len(choices) == 1:
        del schema["oneOf"]
        schema.update({**choices[0], **schema})
    else:
        schema["oneOf"] = choices
    return True
