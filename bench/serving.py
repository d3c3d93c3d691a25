"""Serves an application as `slotkeeper web` serves its own, so that servers can be compared."""

from typing import Literal

import uvicorn
from litestar.types import ASGIApp

from adapters.commands.web import GRACE_SECONDS, KEEP_ALIVE_SECONDS, MAX_CONNECTIONS


def serve(application: ASGIApp, port: int, lifespan: Literal["on", "off"] = "on") -> None:
    """Serve until a signal ends the process."""
    uvicorn.run(
        application,
        host="127.0.0.1",
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan=lifespan,
        ws="none",
        limit_concurrency=MAX_CONNECTIONS + 1,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
