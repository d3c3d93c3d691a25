"""The example answers of Calendly's own OpenAPI (2022) and Postman collection (2024)."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import yaml

from tests.adapters.calendly.support import answer

PAPERS = Path(__file__).parents[4] / "shared" / "calendly"
Route = tuple[str, str]
Examples = Mapping[Route, list[Any]]
# The collection's bodies are filled with the names of types.
_FILLED: dict[Any, Any] = {
    "<string>": "text",
    "<uri>": "https://api.calendly.com/scheduled_events/AAAAAAAAAAAAAAAA",
    "<dateTime>": "2024-01-02T03:04:05.678123Z",
    "<email>": "somebody@example.com",
    "<boolean>": True,
    "<number>": 30,
    "<integer>": 30,
}
_FILLED_BY_NAME = {"status": "available"}  # the one text among them that has to be a certain one
_SUCCESS = range(200, 300)
_NO_PAGE = {"next_page_token": None}


def read_openapi() -> Examples:
    """Return the examples of the OpenAPI by method and path template."""
    found: dict[Route, list[Any]] = {}
    whole = yaml.load(_paper("calendly-openapi-2022-12.yaml"), Loader=yaml.CSafeLoader)
    for path, operations in whole["paths"].items():
        for method, operation in operations.items():
            responses = operation.get("responses", {}) if isinstance(operation, dict) else {}
            bodies = [
                each["value"]
                for status, response in responses.items()
                if int(status) in _SUCCESS
                for content in response.get("content", {}).values()
                for each in content.get("examples", {}).values()
            ]
            if bodies:
                found[method.upper(), _template(path)] = _plain(bodies)
    return found


def read_postman() -> Examples:
    """Return the examples of the Postman collection by method and path template."""
    found: dict[Route, list[Any]] = {}
    for item in _requests(
        msgspec.json.decode(_paper("calendly-api.postman_collection.json"))["item"]
    ):
        path = "/" + "/".join(item["request"]["url"]["path"])
        bodies = [
            _filled(msgspec.json.decode(each["body"]))
            for each in item["response"]
            if each["code"] in _SUCCESS and each.get("body")
        ]
        if bodies:
            found[item["request"]["method"], _template(path)] = bodies
    return found


def serve(examples: Examples, request: httpx.Request, number: int = 0) -> httpx.Response:
    """Answer a request with an example of its operation, a list's next page with nothing.

    The examples name a next page that does not exist.
    """
    if "page_token" in request.url.params:
        return answer(200, {"collection": [], "pagination": _NO_PAGE})
    route = request.method, _shape(request.url.path)
    if request.method == "DELETE":
        return answer(204)
    bodies = examples[route]
    return answer(201 if request.method == "POST" else 200, bodies[number % len(bodies)])


def _paper(name: str) -> str:
    if not PAPERS.is_dir():
        pytest.skip("../shared/calendly is absent: no examples to read")
    return (PAPERS / name).read_text()


def _template(path: str) -> str:
    """`/users/{uuid}` and `/users/:uuid` alike as `/users/*`."""
    return re.sub(r"\{\w+\}|:\w+", "*", path)


def _shape(path: str) -> str:
    """A real path as such a template; ids are the only segments with digits or capitals."""
    return re.sub(r"/[^/]*[A-Z0-9][^/]*", "/*", path)


def _requests(items: list[Any]) -> Iterator[Any]:
    for each in items:
        if "item" in each:
            yield from _requests(each["item"])
        else:
            yield each


def _filled(value: Any) -> Any:
    """Put a value in the place of each type's name; leave out what the export failed to find."""
    if isinstance(value, dict):
        return {
            key: _FILLED_BY_NAME.get(key, "text") if each == "<string>" else _filled(each)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_filled(each) for each in value if not _is_lost(each)]
    return _FILLED.get(value, value) if isinstance(value, str) else value


def _is_lost(value: Any) -> bool:
    return isinstance(value, dict) and str(value.get("value", "")).startswith("reference ")


def _plain(value: Any) -> Any:
    """YAML knows dates of its own; JSON has text."""
    return msgspec.to_builtins(value)
