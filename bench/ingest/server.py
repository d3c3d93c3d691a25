"""The server under measurement: the whole application, as `slotkeeper web` serves it.

In one way of storing deliveries or the other; or, as a ceiling, a bare route of Litestar.
"""

import dataclasses
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

import uvicorn
from litestar import Litestar, get, post
from litestar.params import RawBody

from adapters.bootstrap import open_resources
from adapters.settings import Settings, load_settings
from adapters.telemetry.logs import configure_logging
from adapters.web.app import build_app
from adapters.wiring import webhooks
from adapters.wiring.services import Services
from adapters.wiring.wire import wire


class Mode(StrEnum):
    """How the server answers a delivery."""

    GROUPED = "group commit"
    SINGLE = "one transaction a request"
    BARE = "bare Litestar POST to 204"


@post("/{path:path}", status_code=204)
async def _nothing(body: RawBody) -> None:
    """Read the body, and answer."""


@get("/health/live")
async def _live() -> None:
    """Answer."""


def application(mode: Mode) -> Litestar:
    """Return the application, configured by the environment."""
    if mode is Mode.BARE:
        return Litestar([_nothing, _live], openapi_config=None, logging_config=None)
    settings = load_settings(os.environ)
    configure_logging(settings.log_level, settings.log_format)

    @asynccontextmanager
    async def services(settings: Settings) -> AsyncIterator[Services]:
        async with open_resources(settings) as made:
            ingest = webhooks.ingest_webhook(made, grouped=mode is Mode.GROUPED)
            yield dataclasses.replace(wire(made), ingest_webhook=ingest)

    return build_app(settings, services)


if __name__ == "__main__":
    uvicorn.run(
        application(Mode(sys.argv[1])),
        host="127.0.0.1",
        port=int(sys.argv[2]),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        ws="none",
    )
