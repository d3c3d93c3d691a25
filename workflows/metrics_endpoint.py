"""The worker's `/metrics`: a worker serves nothing else over HTTP."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from adapters.telemetry.metrics import CONTENT_TYPE

Render = Callable[[], bytes]


@contextmanager
def metrics_endpoint(render: Render, listener: socket.socket) -> Iterator[None]:
    """Serve `GET /metrics`, in Prometheus' text format, from a thread while the block runs.

    The listening socket is closed at the end.
    """
    address = listener.getsockname()
    server = ThreadingHTTPServer(address, _handler(render), bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(render: Render) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/metrics":
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            body = render()
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            """Log nothing: Prometheus scrapes every few seconds."""

    return Handler
