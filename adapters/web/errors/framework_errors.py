"""Errors that the framework raises before any use case runs, in our own words.

The framework's texts repeat paths, query strings and values of the request, so none is passed on.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from litestar.exceptions import HTTPException, SerializationException, ValidationException

from adapters.web.schemas.problem import FieldError
from adapters.web.schemas.text import EXPECTED

_MISSING = re.compile(r"Missing required (?P<location>\w+) parameter '(?P<field>[^']+)'")
# msgspec repeats the value of an enum that it does not know; every other message names types.
_ECHO = re.compile(r"^Invalid enum value .*")
_REGEX = "Expected `str` matching regex "


class Fault(NamedTuple):
    """A refusal by the framework: status, code and texts."""

    status: int
    code: str
    title: str
    detail: str
    errors: tuple[FieldError, ...] = ()


_BY_STATUS: Mapping[int, Fault] = {
    fault.status: fault
    for fault in (
        Fault(400, "invalid_input", "Invalid request", "The request could not be read."),
        Fault(401, "unauthenticated", "Not authenticated", "The request is not authenticated."),
        Fault(403, "forbidden", "Forbidden", "This request may not be made from there."),
        Fault(404, "not_found", "Not found", "There is nothing at this address; see /schema."),
        Fault(
            405,
            "method_not_allowed",
            "Method not allowed",
            "This address does not take that method; the Allow header says which it takes.",
        ),
        Fault(413, "payload_too_large", "Body too large", "The request body is too large."),
        Fault(415, "unsupported_media_type", "Unsupported media type", "Send application/json."),
    )
}
INTERNAL = Fault(
    500,
    "internal",
    "Internal error",
    "Something went wrong here. The request id in `instance` finds it in the log.",
)


def fault_of(error: HTTPException, absent: Iterable[str] = ()) -> Fault:
    """Return the status and texts for an error that the framework raised.

    The error names only the first missing query parameter; `absent` are all of them.
    """
    if isinstance(error, ValidationException):
        return _invalid(error, absent)
    fault = _BY_STATUS.get(error.status_code, INTERNAL)
    if fault.status == 400 and isinstance(error.__cause__, SerializationException):  # noqa: PLR2004
        return fault._replace(detail="The request body is not valid JSON.")
    return fault


def _invalid(error: ValidationException, absent: Iterable[str]) -> Fault:
    missing = [FieldError(name, "is required", "query") for name in absent]
    errors = tuple(dict.fromkeys((*missing, *_field_errors(error))))
    named = ", ".join(each.field for each in errors) or "the request"
    return _BY_STATUS[400]._replace(detail=f"Not valid: {named}.", errors=errors)


def _field_errors(error: ValidationException) -> Iterable[FieldError]:
    missing = _MISSING.search(error.detail)
    if missing is not None:
        yield FieldError(missing["field"], "is required", missing["location"])
    for each in error.extra if isinstance(error.extra, list) else ():
        yield _field_error(each)


def _field_error(raised: Mapping[str, Any]) -> FieldError:
    message = _in_words(str(raised.get("message", "is not valid")))
    key, source = str(raised.get("key", "body")), raised.get("source")
    return FieldError(
        field="body" if key == "data" else key,  # the framework's own name for it
        message=message,
        location=None if source is None else str(getattr(source, "value", source)),
    )


def _in_words(message: str) -> str:
    """Return msgspec's message as a person would say it, without any value."""
    message = _ECHO.sub("Not one of the allowed values", message)
    for pattern, expected in EXPECTED.items():
        if message.startswith(f"{_REGEX}{pattern!r}"):
            return expected
    if "RFC3339" in message:
        message += "; write it as 2026-12-01T09:00:00Z"
    return message
