"""Checks, in bounded time, that everything requests need is available.

The process reports an outage of Temporal but stays ready: it still serves reads, webhooks and
bookings. A load balancer that removes it would lose these. The same holds for Calendly, whose
circuit breakers are reported. Missing schedules delay jobs and no request, so they are reported
only.
"""

import asyncio
from collections.abc import Awaitable

from adapters.persistence.storage import PiccoloStorage
from adapters.system.clock_sync import ClockSkew
from adapters.temporal.jobs import TemporalJobs
from adapters.temporal.schedules import REMEDY
from adapters.web.schemas.health import Check, Circuit, Readiness
from adapters.wiring.services import Services
from application.resilience.circuit_breakers import CircuitBreakers
from domain.errors import SlotkeeperError

TIMEOUT_SECONDS = 3.0  # seconds; probes of orchestrators give up after a few


async def readiness(services: Services, timeout_seconds: float = TIMEOUT_SECONDS) -> Readiness:
    """Return the state of each; every check runs, for at most `timeout_seconds`."""
    *checks, circuits = await asyncio.gather(
        _check("database", services.probe_storage.ping(), "DATABASE_URL", timeout_seconds),
        _check("migrations", _migrated(services.probe_storage), "DATABASE_URL", timeout_seconds),
        _check("clock", _synchronized(services.clock_skew), "DATABASE_URL", timeout_seconds),
        _check(
            "temporal", services.jobs.check(), "TEMPORAL_ADDRESS", timeout_seconds, required=False
        ),
        _check(
            "schedules",
            _scheduled(services.jobs),
            "TEMPORAL_ADDRESS",
            timeout_seconds,
            required=False,
        ),
        _circuits(services.circuit_breakers, timeout_seconds),
    )
    ready = all(each.ok for each in checks if each.required)
    return Readiness(ready=ready, checks=tuple(checks), circuits=circuits)


async def _circuits(
    circuit_breakers: CircuitBreakers, timeout_seconds: float
) -> tuple[Circuit, ...]:
    """Return the state of the breakers; none when the database does not answer."""
    try:
        async with asyncio.timeout(timeout_seconds):
            states = await circuit_breakers.states()
    except (SlotkeeperError, TimeoutError):
        return ()
    return tuple(
        Circuit(
            surface.value,
            state=view.state.value,
            failures=view.failures,
            retry_at=view.retry_at,
            opened_at=view.opened_at,
        )
        for surface, view in states.items()
    )


async def _synchronized(skew: ClockSkew) -> str | None:
    return skew.fault()


async def _scheduled(jobs: TemporalJobs) -> str | None:
    fault = (await jobs.schedule_faults()).fault()
    return f"{fault}. {REMEDY}" if fault else None


async def _migrated(storage: PiccoloStorage) -> str | None:
    missing = await storage.pending_migrations()
    return f"{len(missing)} pending; run: slotkeeper migrate" if missing else None


async def _check(
    name: str,
    probe: Awaitable[str | None],
    variable: str,
    timeout_seconds: float,
    *,
    required: bool = True,
) -> Check:
    """Run one probe; it returns or raises the fault."""
    try:
        async with asyncio.timeout(timeout_seconds):
            wrong = await probe
    except SlotkeeperError as error:
        wrong = error.message
    except TimeoutError:
        wrong = f"No answer in {timeout_seconds:g} s; see {variable}."
    return Check(name, ok=wrong is None, required=required, detail=wrong)
