"""Deliveries, taken in before the framework's own handling of a request.

What a route costs per request is several times what taking in a delivery costs, so these few
lines do for the two webhook addresses what their routes would: the same answers, the same log.
The routes stay: they describe the addresses, and answer every other method and spelling.

The rule not to break: nothing is read beyond the limit, and nothing decodes the body here.
"""

import asyncio
from typing import Any, Final, cast

from litestar import Litestar, Request
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from adapters.web.middleware.request_log import about_integration
from adapters.web.openapi.document import SIGNATURE_HEADER
from adapters.web.pages.error_pages import error_response
from adapters.wiring.services import Services
from domain.errors import InvalidInput, PayloadTooLarge, StorageUnavailable
from domain.subscription import owner_of

WEBHOOKS_PATH = "/api/calendly/webhooks"
_OF_SUBSCRIPTION = WEBHOOKS_PATH + "/"
_SIGNATURE = SIGNATURE_HEADER.lower().encode()
_STORED: tuple[Message, Message] = (
    {"type": "http.response.start", "status": 204, "headers": []},
    {"type": "http.response.body", "body": b"", "more_body": False},
)


BODY_SECONDS: Final = 15.0
"""How long a body may take; Calendly waits no longer for its answer (Calendly: webhook errors)."""


SMALL_BODY: Final = 64 * 1024
"""Bytes; a delivery of Calendly's has a few thousand. What is no larger is always read."""

MOST_LARGE: Final = 64 * 1024 * 1024
"""Bytes of larger bodies that are being read at the same moment.

Nobody knows yet who sends them. Beyond it those who send more are told to come again, so that no
number of connections fills the memory, and deliveries of the usual size are taken in meanwhile.
"""

RETRY_AFTER: Final = 1.0


class SenderGoneError(Exception):
    """The sender closed the connection before its body was complete."""


class WebhookFastPath:
    """Wraps an ASGI application.

    Args:
        app: takes what is no delivery.
        litestar: the application whose services are used.
        max_bytes: of a body, at most.

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
            await self._take_in(scope, receive, send, None)
        elif path.startswith(_OF_SUBSCRIPTION) and _is_one_part(
            key := path[len(_OF_SUBSCRIPTION) :]
        ):
            await self._take_in(scope, receive, send, key)
        else:
            await self._app(scope, receive, send)

    async def _take_in(self, scope: Scope, receive: Receive, send: Send, key: str | None) -> None:
        services = cast(Services, self._litestar.state.services)
        _name_route(scope, key)
        try:
            signature = _signature(scope)
            body = await self._body(scope, receive, services, signed=signature is not None)
            await services.ingest_webhook(body, signature, key)
        except SenderGoneError:
            return
        except Exception as error:  # noqa: BLE001 - every error has its answer
            await _refuse(error, scope, receive, send)
            return
        for message in _STORED:
            # A copy: whoever sends it on adds headers to it.
            await send(cast(Message, {**message, "headers": []}))

    async def _body(
        self, scope: Scope, receive: Receive, services: Services, *, signed: bool
    ) -> bytes:
        """Return the body; nothing is read of a delivery that nobody signed."""
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
        body, held = bytearray(), 0
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
                    self._large += len(body) - held
                    held = len(body)
                    self._refuse_too_many(services)
        finally:
            self._large -= held

    def _refuse_too_many(self, services: Services) -> None:
        if self._large > MOST_LARGE:
            services.telemetry.webhook_received("unavailable")
            raise StorageUnavailable(
                "More arrives than can be read at the moment.", retry_after=RETRY_AFTER
            )

    def _too_large(self, services: Services) -> PayloadTooLarge:
        services.telemetry.webhook_received("too_large")
        return PayloadTooLarge(f"A webhook's body may have at most {self._max_bytes} bytes.")


def _name_route(scope: Scope, key: str | None) -> None:
    scope["path_template"] = WEBHOOKS_PATH
    if key is not None:
        scope["path_template"] = f"{WEBHOOKS_PATH}/{{subscription_key}}"
        about_integration(owner_of(key))


def _is_one_part(key: str) -> bool:
    return bool(key) and "/" not in key


def _signature(scope: Scope) -> str | None:
    """Return the header; one that comes twice is no longer of the form that is accepted."""
    found = [value for name, value in scope["headers"] if name == _SIGNATURE]
    return b",".join(found).decode("latin-1") if found else None


def _announced(scope: Scope) -> int:
    """Return the length that the request announces; 0 without, the server checks its form."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:18])  # more digits than any limit has
    return 0


async def _refuse(error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
    request: Request[Any, Any, Any] = Request(scope, receive, send)
    response = error_response(request, error).to_asgi_response(app=None, request=request)
    await response(scope, receive, send)
