"""One access log line a request, with its id bound to every other line of that request.

The line of a failure (5xx) is at error level and has its cause.

The outermost layer of the application, so that what no route takes is logged as well. Never
logged: query strings, headers, bodies; a path only as its route's template. A caller is named by
the public ids of the key and of the user, and by the address as trusted proxies report it.
"""

from time import perf_counter
from typing import Any, Final
from uuid import UUID

import structlog
from litestar.datastructures import MutableScopeHeaders
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from adapters.web.http.bearer import KEY_ID
from adapters.web.http.error_cause import cause_of
from adapters.web.http.request_id import choose_request_id
from adapters.web.http.security_headers import security_headers
from domain.ids import IntegrationId

_log = structlog.get_logger("slotkeeper.access")
_QUIET = ("/health/", "/metrics")
_INTEGRATION = "integration_id"
_REFUSED: Final = 400
_FAILED: Final = 500


def about_integration(integration_id: IntegrationId | None) -> None:
    """Name the integration on each further line of this request, its access log line included."""
    if integration_id is not None:
        structlog.contextvars.bind_contextvars(**{_INTEGRATION: str(integration_id)})


class RequestLog:
    """Wraps an ASGI application: request id, access log, security headers."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request (ASGI)."""
        began = perf_counter()
        request_id = choose_request_id(scope)
        scope["state"]["request_id"] = request_id
        status = 0

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableScopeHeaders.from_message(message)
                headers["X-Request-Id"] = request_id
                for name, value in security_headers(
                    headers.get("content-type", ""), https=self._https
                ):
                    headers.setdefault(name, value)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_named)
            finally:
                _write(scope, status, perf_counter() - began)
                structlog.contextvars.unbind_contextvars(_INTEGRATION)


def _write(scope: Scope, status: int, seconds: float) -> None:
    state: Any = scope["state"]
    fields: dict[str, Any] = {
        "method": scope.get("method"),
        "route": scope.get("path_template", "unmatched"),
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
        "error_code": state.get("error_code"),
    }
    # uvicorn has replaced the address by the reported one if it trusts the proxy.
    if (client := scope.get("client")) is not None:
        fields["client"] = client[0]
    if (key_id := state.get(KEY_ID)) is not None:
        fields["key_id"] = str(key_id)
    if isinstance(user_id := scope.get("user"), UUID):
        fields["user_id"] = str(user_id)
    if status >= _FAILED:
        _log.error("request", **fields, error_cause=cause_of(scope))
    elif status < _REFUSED and scope["path"].startswith(_QUIET):
        _log.debug("request", **fields)
    else:
        _log.info("request", **fields)
