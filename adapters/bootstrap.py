"""The composition root: the only place that creates adapters and passes them to use cases.

Resources open in the order settings → storage → HTTP → Temporal → services, and close in reverse.
Temporal is connected lazily, so a process starts and serves while Temporal is down.
"""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from importlib.metadata import version

import httpx

from adapters.calendly.http import open_http
from adapters.persistence.bulkheads import PROBES, READS, WEBHOOKS, jobs
from adapters.persistence.database_clock import CALLERS_CLOCK
from adapters.persistence.storage import open_storage
from adapters.security.vault import KeyRingVault
from adapters.settings import Settings
from adapters.system.background import AsyncBackground
from adapters.system.clock import DatabaseClock
from adapters.system.clock_sync import ClockSkew, ClockSync
from adapters.system.randomness import SystemRandomness
from adapters.telemetry.metrics import Counters
from adapters.telemetry.prometheus import PrometheusTelemetry
from adapters.temporal.connect import connect
from adapters.temporal.jobs import TemporalJobs
from adapters.wiring.resources import Resources
from adapters.wiring.services import Services
from adapters.wiring.wire import wire
from application.ports.clock import Clock
from domain.errors import StorageUnavailable


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Open everything a process needs and yield its use cases.

    Raises:
        StorageUnavailable: the database cannot be reached.

    """
    async with open_resources(settings) as resources:
        services = wire(resources)
        try:
            yield services
        finally:
            with suppress(StorageUnavailable):
                await services.usage.close()
                await services.key_usage.close()


@asynccontextmanager
async def open_resources(
    settings: Settings, *, clock: Clock | None = None, http: httpx.AsyncClient | None = None
) -> AsyncIterator[Resources]:
    """Open the resources that use cases need, and close them at the end.

    Args:
        settings: of the process.
        clock: the time, for the process and its statements; None means PostgreSQL's clock.
        http: from `open_http`; this function closes it. None means one with its defaults.

    Raises:
        StorageUnavailable: the database cannot be reached.

    """
    async with AsyncExitStack() as stack:
        vault = KeyRingVault(settings.token_encryption_keys)
        # A clock that tests move also moves the database's.
        session = None if clock is None else CALLERS_CLOCK
        own, webhooks, probes, reads = [
            await stack.enter_async_context(
                open_storage(settings.database_url, vault, bulkhead, min_size=0, session=session)
            )
            for bulkhead in (jobs(_connections(settings)), WEBHOOKS, PROBES, READS)
        ]
        http = http or open_http()
        stack.push_async_callback(http.aclose)
        temporal = await connect(settings.temporal_address, settings.temporal_namespace, lazy=True)
        telemetry = PrometheusTelemetry(Counters(version("slotkeeper")))
        skew = ClockSkew()
        if clock is None:
            clock = database_clock = DatabaseClock()
            sync = ClockSync(
                read=probes.database_time,
                clock=database_clock,
                skew=skew,
                report=telemetry.clock_compared,
            )
            await stack.enter_async_context(sync.running())
        else:
            skew.value = timedelta()
        background = await stack.enter_async_context(AsyncBackground())
        yield Resources(
            settings=settings,
            storage=own,
            webhook_storage=webhooks,
            probe_storage=probes,
            read_storage=reads,
            vault=vault,
            http=http,
            jobs=TemporalJobs(temporal),
            background=background,
            telemetry=telemetry,
            clock=clock,
            clock_skew=skew,
            randomness=SystemRandomness(),
            owner=f"{socket.gethostname()}/{os.getpid()}/{os.urandom(4).hex()}",
        )


def _connections(settings: Settings) -> int:
    # One for each row that a job works at the same time, and a few for commands.
    return settings.concurrency + 4
