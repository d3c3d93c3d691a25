"""Responses that are sent before any application runs, as bytes (RFC 9457, RFC 9112).

They have no request id, because nothing of the request was read but its head.
"""

import json
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry, Counter

OVERLOAD: Final = "overloaded"

LOG_EVERY: Final = 1.0
"""Seconds between two log lines about refusals, at least."""

_log = structlog.get_logger("slotkeeper.web")

RETRY_AFTER: Final = 1
"""Seconds after which an overloaded process is asked again."""

REGISTRY: Final = CollectorRegistry(auto_describe=True)
"""Refusals before any application runs; `/metrics` shows them."""

REFUSED: Final = Counter(
    "slotkeeper_requests_refused",
    "Requests refused before they were routed, by reason.",
    ["reason"],
    registry=REGISTRY,
)
for _reason in (
    OVERLOAD,
    "head_too_large",
    "body_too_slow",
    "not_canonical",
    "header_repeated",
    "rate_key",
    "rate_user",
    "rate_address",
):
    REFUSED.labels(_reason)


def count_refusal(answer: bytes) -> None:
    """Count an answer of this module, and log that of an overload, once a second at most."""
    reason = _REASONS[answer]
    REFUSED.labels(reason).inc()
    if reason == OVERLOAD:
        _overloads.note()


class _Overloads:
    """Overloads since the last log line. A flood of requests does not flood the log."""

    def __init__(self) -> None:
        self._refused = 0
        self._logged_at = -LOG_EVERY

    def note(self) -> None:
        self._refused += 1
        if (now := time.monotonic()) - self._logged_at >= LOG_EVERY:
            _log.error("requests_refused", reason=OVERLOAD, refused=self._refused)
            self._refused, self._logged_at = 0, now


_overloads = _Overloads()


async def overloaded(send: Callable[[Any], Awaitable[None]]) -> None:
    """Answer a request that waited too long for its turn, as `OVERLOADED` does (ASGI)."""
    count_refusal(OVERLOADED)
    head, _, body = OVERLOADED.partition(b"\r\n\r\n")
    lines = [line.partition(b": ") for line in head.split(b"\r\n")[1:]]
    await send(
        {
            "type": "http.response.start",
            "status": HTTPStatus.SERVICE_UNAVAILABLE.value,
            "headers": [(name, value) for name, _, value in lines],
        }
    )
    await send({"type": "http.response.body", "body": body})


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
    HTTPStatus.SERVICE_UNAVAILABLE, OVERLOAD, _BUSY, kind="transient", last=False
)
OVERLOADED_LAST: Final = _refusal(
    HTTPStatus.SERVICE_UNAVAILABLE, OVERLOAD, _BUSY, kind="transient"
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

_REASONS: Final = {
    OVERLOADED: OVERLOAD,
    OVERLOADED_LAST: OVERLOAD,
    HEAD_TOO_LARGE: "head_too_large",
    TRAILERS_TOO_LARGE: "head_too_large",
    BODY_TOO_SLOW: "body_too_slow",
}
