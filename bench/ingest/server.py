"""`python -m bench.ingest.server MODE PORT`: a server of deliveries.

It is the whole application, which stores deliveries in one way or the other, or a bare route of
Litestar for comparison.
"""

import dataclasses
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

from litestar import Litestar

from adapters.bootstrap import open_resources
from adapters.settings import Settings, load_settings
from adapters.telemetry.logs import configure_logging
from adapters.web.app import build_app
from adapters.wiring import webhooks
from adapters.wiring.services import Services
from adapters.wiring.wire import wire
from bench import bare_server
from bench.serving import serve


class Mode(StrEnum):
    """How the server handles a delivery."""

    GROUPED = "group commit"
    SINGLE = "one transaction a request"
    BARE = "bare Litestar POST to 204"


def application(mode: Mode) -> Litestar:
    """Return the application, configured by the environment."""
    if mode is Mode.BARE:
        return bare_server.application([])
    settings = load_settings(os.environ)
    configure_logging(settings.log_level, settings.log_format)

    @asynccontextmanager
    async def services(settings: Settings) -> AsyncIterator[Services]:
        async with open_resources(settings) as made:
            ingest = webhooks.ingest_webhook(made, grouped=mode is Mode.GROUPED)
            yield dataclasses.replace(wire(made), ingest_webhook=ingest)

    return build_app(settings, services)


if __name__ == "__main__":
    serve(application(Mode(sys.argv[1])), int(sys.argv[2]))
