"""`slotkeeper web`: serves the API, Calendly's webhooks and the page, in one process."""

import os
import sys
from contextlib import suppress

import click
import structlog
import uvicorn
from temporalio.runtime import Runtime

from adapters.settings import load_settings
from adapters.system.listeners import inherited, listen
from adapters.system.open_files import raise_open_files
from adapters.telemetry.logs import configure_logging
from adapters.telemetry.temporal_runtime import create_temporal_runtime
from adapters.web.http.bounded_protocol import BoundedProtocol

GRACE_SECONDS = 10
# Longer than a load balancer keeps an idle connection (60 s is common), so that this process never
# closes a connection just as a request arrives on it.
KEEP_ALIVE_SECONDS = 75
# Twice as many as deliveries that may wait for their commit. Each takes at most about 100 KB while
# its body arrives, so the memory of a flood of connections is bounded; the webhook fast path bounds
# larger bodies.
MAX_CONNECTIONS = 4_000

log = structlog.get_logger(__name__)


@click.command("web")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8000,
    show_default=True,
    help="Port to listen at; 0 takes a free one.",
)
@click.option(
    "--fd",
    "descriptors",
    type=click.IntRange(min=0),
    multiple=True,
    help="Serve an inherited listening socket instead of --host and --port. Repeatable.",
)
@click.option(
    "--most-connections",
    type=click.IntRange(min=1),
    default=MAX_CONNECTIONS,
    show_default=True,
    help="With more connections, idle ones are closed; more requests are answered 503.",
)
def web_command(host: str, port: int, descriptors: tuple[int, ...], most_connections: int) -> None:
    """Serve the API, the webhooks and the page.

    Behind a proxy, list its addresses in uvicorn's FORWARDED_ALLOW_IPS. After SIGTERM, running
    requests have up to 10 seconds to finish.
    """
    settings = load_settings(os.environ)
    raise_open_files()
    configure_logging(settings.log_level, settings.log_format)
    Runtime.set_default(create_temporal_runtime())
    try:
        sockets = inherited(descriptors) if descriptors else listen([host], port)
    except OSError as error:
        raise click.ClickException(
            f"cannot listen at {host}:{port} ({error.strerror}); "
            "stop the program that listens there, or choose another port with --port"
        ) from error
    for each in sockets:
        log.info("web_socket_opened", address=each.getsockname()[:2])
    config = uvicorn.Config(
        "adapters.asgi:create_app",
        factory=True,
        host=host,
        port=port,
        log_config=None,  # keep our configuration
        access_log=False,  # the application logs requests itself, without query strings
        server_header=False,
        lifespan="on",
        ws="none",
        http=BoundedProtocol,
        limit_concurrency=most_connections,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):
        server.run(sockets=sockets)
    if not server.started:
        sys.exit(1)
