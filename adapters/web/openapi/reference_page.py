"""The OpenAPI document as the values that its page shows."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

Document = Mapping[str, Any]
_METHODS = ("get", "post", "put", "patch", "delete")


def reference(document: Document) -> dict[str, Any]:
    """Return the page's values: operations by tag, and every error code with its status."""
    operations = list(_operations(document))
    return {
        "title": document["info"]["title"],
        "version": document["info"]["version"],
        "description": document["info"]["description"],
        "server": document["servers"][0]["url"],
        "tags": [
            {**tag, "operations": [each for each in operations if each["tag"] == tag["name"]]}
            for tag in document["tags"]
        ],
    }


def _operations(document: Document) -> Iterator[dict[str, Any]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield _operation(path, method, item[method])


def _operation(path: str, method: str, told: Document) -> dict[str, Any]:
    return {
        "id": told["operationId"],
        "method": method.upper(),
        "path": path,
        "tag": told["tags"][0],
        "summary": told["summary"],
        "description": told.get("description", ""),
        "security": [name for each in told.get("security", ()) for name in each],
        "parameters": [_parameter(each) for each in told.get("parameters", ())],
        "body": _example(told.get("requestBody", {})),
        "answers": [_answer(status, each) for status, each in sorted(told["responses"].items())],
    }


def _parameter(told: Document) -> dict[str, Any]:
    return {
        "name": told["name"],
        "place": told["in"],
        "required": told.get("required", False),
        "description": told.get("description", ""),
    }


def _answer(status: str, told: Document) -> dict[str, Any]:
    good = int(status) < 400  # noqa: PLR2004
    return {
        "status": status,
        "good": good,
        "description": told["description"],
        "example": _example(told) if good else "",
    }


def _example(told: Document) -> str:
    """Return the first example of a body as readable JSON, or an empty text."""
    for content in told.get("content", {}).values():
        for example in (content.get("examples") or {}).values():
            return msgspec.json.format(msgspec.json.encode(example["value"])).decode()
    return ""
