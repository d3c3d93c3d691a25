"""Serves the sandbox with uvicorn, so that a fault can cut a connection for real."""

import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from litestar.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.faults.middleware import ABORT


class AbortableProtocol(HttpToolsProtocol):
    """Offers each request a way to close its connection without an answer."""

    def on_message_begin(self) -> None:
        """Put the transport's abort into the ASGI scope."""
        super().on_message_begin()
        # ASGI types an extension as a dict; ours is the deed itself.
        self.scope["extensions"] = {ABORT: self.transport.abort}  # type: ignore[dict-item]


class AnnouncingServer(uvicorn.Server):
    """Calls `on_ready` with the real host and port once requests are accepted."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[str, int], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then announce."""
        await super().startup(sockets)
        if sockets:
            host, port = sockets[0].getsockname()[:2]
            self._on_ready(host, port)


def make_server(app: ASGIApp, on_ready: Callable[[str, int], None]) -> AnnouncingServer:
    """A server for the sandbox, not yet started."""
    config = uvicorn.Config(
        app,
        http=AbortableProtocol,
        ws="none",
        lifespan="on",
        log_config=None,  # the process's logging is not a library's to change
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    return AnnouncingServer(config, on_ready)


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. Raises OSError if it is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only where the protocol is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def serve(
    app: ASGIApp, listeners: list[socket.socket], on_ready: Callable[[str, int], None]
) -> None:
    """Serve until SIGTERM or SIGINT, then end cleanly."""
    server = make_server(app, on_ready)
    # uvicorn raises the signal again after its shutdown; this handler ignores it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _already_stopping)
    server.run(sockets=listeners)


def _already_stopping(_number: int, _frame: FrameType | None) -> None:
    pass
