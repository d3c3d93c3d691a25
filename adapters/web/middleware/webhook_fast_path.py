"""Receive webhooks before the framework handles the request.

A route costs several times as much as ingesting a delivery. This middleware therefore handles the
two webhook addresses itself, with the same responses and the same log. The routes stay: they
document the addresses, and answer every other method and spelling.

It never reads beyond the limit, and never decodes the body.
"""

import asyncio
from typing import Any, Final, cast

from litestar import Litestar, Request
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from adapters.web.errors.problems import problem_messages
from adapters.web.http.request_id import request_id_of
from adapters.web.middleware.request_log import about_integration
from adapters.web.openapi.document import SIGNATURE_HEADER
from adapters.web.pages.error_pages import error_response
from adapters.wiring.services import Services
from domain.errors import InvalidInput, PayloadTooLarge, SlotkeeperError, StorageUnavailable
from domain.subscription import owner_of

WEBHOOKS_PATH = "/api/calendly/webhooks"
_OF_SUBSCRIPTION = WEBHOOKS_PATH + "/"
_SIGNATURE = SIGNATURE_HEADER.lower().encode()
_STORED: tuple[Message, Message] = (
    {"type": "http.response.start", "status": 204, "headers": []},
    {"type": "http.response.body", "body": b"", "more_body": False},
)


BODY_SECONDS: Final = 15.0
"""The time limit for a body; Calendly waits no longer for its response (Calendly: webhook errors)."""


STORED_SECONDS: Final = 7.5
"""The time limit from the whole body to the response.

Without it a delivery that waits for two groups could take longer than Calendly waits. If such a
delivery is stored after its response, its repetition is recognised.
"""


SMALL_BODY: Final = 64 * 1024
"""Bytes; a delivery from Calendly has a few thousand. A body up to this size is always read."""

MAX_LARGE: Final = 64 * 1024 * 1024
"""The total bytes of larger bodies that are read at the same time.

Their senders are not verified yet. Beyond the limit a larger body is refused with a retry time, so
that many connections cannot fill the memory. Deliveries of the usual size are still accepted.
"""

RETRY_AFTER: Final = 1.0


class SenderGoneError(Exception):
    """The sender closed the connection before its body was complete."""


class WebhookFastPath:
    """Wraps an ASGI application.

    Args:
        app: handles all other requests.
        litestar: the application with the services.
        max_bytes: the largest body.

    """

    def __init__(self, app: ASGIApp, litestar: Litestar, max_bytes: int) -> None:
        self._app = app
        self._litestar = litestar
        self._max_bytes = max_bytes
        self._large = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request (ASGI)."""
        path = scope["path"]
        if not path.startswith(WEBHOOKS_PATH) or scope.get("method") != "POST":
            await self._app(scope, receive, send)
        elif path == WEBHOOKS_PATH:
            await self._receive(scope, receive, send, None)
        elif path.startswith(_OF_SUBSCRIPTION) and _is_one_part(
            key := path[len(_OF_SUBSCRIPTION) :]
        ):
            await self._receive(scope, receive, send, key)
        else:
            await self._app(scope, receive, send)

    async def _receive(self, scope: Scope, receive: Receive, send: Send, key: str | None) -> None:
        services = cast(Services, self._litestar.state.services)
        _name_route(scope, key)
        try:
            signature = _signature(scope)
            body = await self._body(scope, receive, services, signed=signature is not None)
            async with asyncio.timeout(STORED_SECONDS):
                await services.ingest_webhook(body, signature, key)
        except SenderGoneError:
            return
        except TimeoutError:
            services.telemetry.webhook_received("unavailable")
            await _refuse(_too_late(), scope, receive, send)
            return
        except Exception as error:  # noqa: BLE001 - every error has its answer
            await _refuse(error, scope, receive, send)
            return
        for message in _STORED:
            # A copy, because the server adds headers to it.
            await send(cast(Message, {**message, "headers": []}))

    async def _body(
        self, scope: Scope, receive: Receive, services: Services, *, signed: bool
    ) -> bytes:
        """Return the body; that of an unsigned delivery is not read."""
        if _announced(scope) > self._max_bytes:
            raise self._too_large(services)
        if not signed:
            return b""
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return await self._read(receive, services)
        except TimeoutError:
            services.telemetry.webhook_received("too_slow")
            raise InvalidInput("The body did not arrive in time.") from None

    async def _read(self, receive: Receive, services: Services) -> bytes:
        body, counted = bytearray(), 0
        try:
            while True:
                message: Any = await receive()
                if message["type"] == "http.disconnect":
                    raise SenderGoneError
                body += message.get("body", b"")
                if len(body) > self._max_bytes:
                    raise self._too_large(services)
                if not message.get("more_body", False):
                    return bytes(body)
                if len(body) > SMALL_BODY:
                    self._large += len(body) - counted
                    counted = len(body)
                    self._refuse_too_many(services)
        finally:
            self._large -= counted

    def _refuse_too_many(self, services: Services) -> None:
        if self._large > MAX_LARGE:
            services.telemetry.webhook_received("unavailable")
            raise StorageUnavailable(
                "Too many large bodies arrive at the moment.", retry_after=RETRY_AFTER
            )

    def _too_large(self, services: Services) -> PayloadTooLarge:
        services.telemetry.webhook_received("too_large")
        return PayloadTooLarge(f"A webhook's body may have at most {self._max_bytes} bytes.")


def _too_late() -> StorageUnavailable:
    return StorageUnavailable("The database did not answer in time.", retry_after=RETRY_AFTER)


def _name_route(scope: Scope, key: str | None) -> None:
    scope["path_template"] = WEBHOOKS_PATH
    if key is not None:
        scope["path_template"] = f"{WEBHOOKS_PATH}/{{subscription_key}}"
        about_integration(owner_of(key))


def _is_one_part(key: str) -> bool:
    return bool(key) and "/" not in key


def _signature(scope: Scope) -> str | None:
    """Return the header; a repeated header gives a malformed signature."""
    values = [value for name, value in scope["headers"] if name == _SIGNATURE]
    return b",".join(values).decode("latin-1") if values else None


def _announced(scope: Scope) -> int:
    """Return the announced length, 0 if there is none; the server checks its form."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:18])  # more digits than any limit has
    return 0


async def _refuse(error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
    if isinstance(error, SlotkeeperError):
        for message in problem_messages(error, scope, request_id_of(scope)):
            await send(message)
        return
    request: Request[Any, Any, Any] = Request(scope, receive, send)
    response = error_response(request, error).to_asgi_response(app=None, request=request)
    await response(scope, receive, send)
