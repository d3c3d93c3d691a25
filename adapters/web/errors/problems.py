"""Every error as problem details (RFC 9457).

The only place where an error becomes an HTTP response. It never repeats the caller's input. The
response for an unexpected exception contains only the request id.
"""

import math
from collections.abc import Iterable
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import Scope
from msgspec.structs import replace

from adapters.web.errors.framework_errors import INTERNAL, Fault, fault_of
from adapters.web.errors.problem_table import row_of
from adapters.web.http.error_cause import remember_cause
from adapters.web.http.request_id import request_id_of
from adapters.web.params.declared_query import query_parameters
from adapters.web.params.services import services_of
from adapters.web.schemas.problem import Problem
from domain.errors import (
    Kind,
    RateLimited,
    ReauthRequired,
    ScopeMissing,
    ScopesDeclined,
    SignatureRejected,
    SlotkeeperError,
    Unauthenticated,
)

PROBLEM_JSON = "application/problem+json"
CONNECT_PATH = "/api/calendly/connect"
_encode = msgspec.json.Encoder().encode
_log = structlog.get_logger("slotkeeper.web")

AnyRequest = Request[Any, Any, Any]


def problem_response(request: AnyRequest, error: Exception) -> Response[Problem]:
    """Return the response for an error; the access log reads its code from the scope."""
    problem = problem_of(error, request_id_of(request.scope), _absent(request))
    if problem.connect_path is not None:
        public_url = services_of(request).settings.public_url.rstrip("/")
        problem = replace(problem, connect_url=f"{public_url}{problem.connect_path}")
    if not isinstance(error, SlotkeeperError | HTTPException):
        _log.error("unhandled_error", exc_info=error)
    _remember(request.scope, error, problem)
    headers = _headers(error, problem)
    return Response(problem, status_code=problem.status, media_type=PROBLEM_JSON, headers=headers)


def problem_of(error: Exception, request_id: str, absent: Iterable[str] = ()) -> Problem:
    """Return the problem details of an error; `absent` are the query parameters it lacks."""
    instance = f"urn:slotkeeper:request:{request_id}"
    if isinstance(error, SlotkeeperError):
        return _expected(error, instance)
    fault = fault_of(error, absent) if isinstance(error, HTTPException) else INTERNAL
    return _fault(fault, instance)


def problem_messages(error: SlotkeeperError, scope: Scope, request_id: str) -> tuple[Any, Any]:
    """Return the response for an error that needs no request (ASGI).

    It costs a small part of a framework's response, so that a flood of refusals is cheap.
    """
    problem = problem_of(error, request_id)
    _remember(scope, error, problem)
    body = _encode(problem)
    named = {"content-type": PROBLEM_JSON, **_headers(error, problem)}
    headers = [(name.lower().encode(), value.encode()) for name, value in named.items()]
    headers.append((b"content-length", b"%d" % len(body)))
    return (
        {"type": "http.response.start", "status": problem.status, "headers": headers},
        {"type": "http.response.body", "body": body, "more_body": False},
    )


def _remember(scope: Any, error: Exception, problem: Problem) -> None:
    """Keep the code, and the cause of a failure of ours, for the access log line."""
    scope["state"]["error_code"] = problem.code
    if problem.status >= 500:  # noqa: PLR2004
        known = isinstance(error, SlotkeeperError)
        remember_cause(scope, str(error) if known else type(error).__name__)


def _absent(request: AnyRequest) -> list[str]:
    """Return the query parameters that the route needs and the request lacks."""
    scope: Any = request.scope
    handler = scope.get("route_handler")  # none where no route takes the request
    fields = {} if handler is None else query_parameters(handler)
    return [
        name
        for name, field in fields.items()
        if field.is_required and name not in request.query_params
    ]


def _expected(error: SlotkeeperError, instance: str) -> Problem:
    row = row_of(type(error))
    wait = row.retry_after if error.retry_after is None else math.ceil(error.retry_after)
    reauth = isinstance(error, ReauthRequired)
    return Problem(
        type=f"urn:slotkeeper:problem:{error.code}",
        title=row.title,
        status=row.status,
        detail=error.message,
        code=error.code,
        kind=error.kind,
        instance=instance,
        retry_after=wait,
        cause=error.cause if isinstance(error, ReauthRequired) else None,
        since=error.since if isinstance(error, ReauthRequired) else None,
        connect_path=CONNECT_PATH if reauth else None,
        missing_scopes=error.missing if isinstance(error, ScopesDeclined) else (),
        required_scopes=error.required if isinstance(error, ScopeMissing) else (),
    )


def _fault(fault: Fault, instance: str) -> Problem:
    return Problem(
        type=f"urn:slotkeeper:problem:{fault.code}",
        title=fault.title,
        status=fault.status,
        detail=fault.detail,
        code=fault.code,
        kind=Kind.PERMANENT,
        instance=instance,
        errors=fault.errors,
    )


def _headers(error: Exception, problem: Problem) -> dict[str, str]:
    # The framework's own headers: Allow of a 405 (RFC 9110).
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if isinstance(error, RateLimited):
        # draft-ietf-httpapi-ratelimit-headers: the policy, and that nothing of it remains.
        window = int(error.window.total_seconds())
        headers["RateLimit-Policy"] = f'"{error.policy}";q={error.quota};w={window}'
        headers["RateLimit"] = f'"{error.policy}";r=0;t={problem.retry_after}'
    if isinstance(error, Unauthenticated):
        # RFC 9110: a 401 names the scheme that would have been accepted.
        signed = isinstance(error, SignatureRejected)
        scheme = "Calendly-Webhook-Signature" if signed else "Bearer"
        headers["WWW-Authenticate"] = f'{scheme} realm="slotkeeper"'
    return headers
