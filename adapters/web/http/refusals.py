"""Responses that are sent before any application runs, as bytes (RFC 9457, RFC 9112).

They have no request id, because nothing of the request was read but its head.
"""

import json
from http import HTTPStatus
from typing import Final

RETRY_AFTER: Final = 1
"""Seconds after which an overloaded process is asked again."""


def _refusal(
    status: HTTPStatus, code: str, detail: str, *, kind: str = "permanent", last: bool = True
) -> bytes:
    problem = {
        "type": f"urn:slotkeeper:problem:{code}",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "code": code,
        "kind": kind,
    }
    headers = ["content-type: application/problem+json", "cache-control: no-store"]
    if kind == "transient":
        problem["retry_after"] = RETRY_AFTER
        headers.append(f"retry-after: {RETRY_AFTER}")
    if last:
        headers.append("connection: close")
    body = json.dumps(problem)
    head = [f"HTTP/1.1 {status.value} {status.phrase}", *headers, f"content-length: {len(body)}"]
    return "\r\n".join([*head, "", body]).encode()


_BUSY = "The process works on as many requests as it may; try again after Retry-After."
OVERLOADED: Final = _refusal(
    HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", _BUSY, kind="transient", last=False
)
OVERLOADED_LAST: Final = _refusal(
    HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", _BUSY, kind="transient"
)
HEAD_TOO_LARGE: Final = _refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "head_too_large",
    "The request line and headers may have at most 64 KiB.",
)
TRAILERS_TOO_LARGE: Final = _refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "head_too_large",
    "The trailers of a body may have at most 64 KiB.",
)
BODY_TOO_SLOW: Final = _refusal(
    HTTPStatus.REQUEST_TIMEOUT,
    "body_too_slow",
    "The body did not arrive in time.",
    kind="transient",
)
