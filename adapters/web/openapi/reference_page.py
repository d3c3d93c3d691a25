"""The OpenAPI document as the values of its page."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

Document = Mapping[str, Any]
_METHODS = ("get", "post", "put", "patch", "delete")


def reference(document: Document) -> dict[str, Any]:
    """Return the page's values, with operations by tag."""
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


def _operation(path: str, method: str, spec: Document) -> dict[str, Any]:
    return {
        "id": spec["operationId"],
        "method": method.upper(),
        "path": path,
        "tag": spec["tags"][0],
        "summary": spec["summary"],
        "description": spec.get("description", ""),
        "security": _security(spec.get("security", ())),
        "parameters": [_parameter(each) for each in spec.get("parameters", ())],
        "body": _example(spec.get("requestBody", {})),
        "answers": [_answer(status, each) for status, each in sorted(spec["responses"].items())],
    }


def _security(alternatives: Sequence[Document]) -> list[str]:
    return [
        " ".join((scheme, *scopes)) for each in alternatives for scheme, scopes in each.items()
    ]


def _parameter(spec: Document) -> dict[str, Any]:
    return {
        "name": spec["name"],
        "place": spec["in"],
        "required": spec.get("required", False),
        "description": spec.get("description", ""),
    }


def _answer(status: str, spec: Document) -> dict[str, Any]:
    good = int(status) < 400  # noqa: PLR2004
    return {
        "status": status,
        "good": good,
        "description": spec["description"],
        "example": _example(spec) if good else "",
    }


def _example(spec: Document) -> str:
    """Return the first example of a body as readable JSON, or an empty text."""
    for content in spec.get("content", {}).values():
        for example in (content.get("examples") or {}).values():
            return msgspec.json.format(msgspec.json.encode(example["value"])).decode()
    return ""
