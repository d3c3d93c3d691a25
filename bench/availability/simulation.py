"""The product in one process on a real database, with a moved clock and a simulated Calendly.

The use cases of a web process and those of a worker share the database, but nothing in memory.
"""

import logging
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import prometheus_client
import structlog

from adapters.bootstrap import open_resources
from adapters.calendly.http import open_http
from adapters.settings import load_settings
from adapters.telemetry.metrics import Counters
from adapters.telemetry.prometheus import PrometheusTelemetry
from adapters.wiring.resources import Resources
from adapters.wiring.services import Services
from adapters.wiring.wire import wire
from application.jobs.job_result import JobResult
from bench.availability.simulated_calendly import SimulatedCalendly, connect_hosts
from bench.stack import Stack, open_stack
from sandbox.clock import Clock

_LATENCY = 0.004  # seconds, so that things happen while a request travels
# Waits within a request pass in real time.
_SETTINGS = {"RETRY_BASE": "1ms", "RETRY_CAP": "10ms"}


class MovedClock(Clock):
    """A clock for the product and Calendly; begins on the next Monday at midnight and moves only by a call."""

    def __init__(self) -> None:
        super().__init__()
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self._now = today + timedelta(days=7 - today.weekday())

    def now(self) -> datetime:
        """Return the moved time (UTC)."""
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Move to this time (UTC), never back."""
        self._now = max(self._now, moment)


class Process:
    """The use cases of one process, and its metrics."""

    def __init__(self, resources: Resources, name: str) -> None:
        self.counters = Counters(name)
        telemetry = PrometheusTelemetry(self.counters)
        owner = f"{name}/{os.getpid()}"
        self.services: Services = wire(replace(resources, owner=owner, telemetry=telemetry))

    def waits(self) -> int:
        """Return how many reads waited for Calendly."""
        return _total(self.counters.availability_waits)

    def fetches(self) -> int:
        """Return how many requests Calendly answered, or failed to."""
        return _total(self.counters.availability_fetches)


def _total(counter: prometheus_client.Counter) -> int:
    samples = (sample for metric in counter.collect() for sample in metric.samples)
    return int(sum(each.value for each in samples if each.name.endswith("_total")))


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """Everything that a measurement moves or reads; `ids` has the id of each host's user."""

    stack: Stack
    clock: MovedClock
    calendly: SimulatedCalendly
    ids: list[UUID]
    web: Process
    worker: Process

    async def fill(self, count: int, pauses: Sequence[timedelta]) -> None:
        """Connect so many hosts in batches, and sync each batch; time passes after each."""
        for number, pause in enumerate(pauses):
            first, now = len(self.ids), self.clock.now()
            numbers = range(first, first + (count - first) // (len(pauses) - number))
            self.ids.extend(await connect_hosts(self.stack, numbers, sync_in=timedelta(), at=now))
            await self.sync()
            self.clock.move_to(now + pause)

    async def sync(self) -> JobResult:
        """Sync as the workflow does: page after page, until a page is not full."""
        total, more, services = JobResult(), True, self.worker.services
        while more:
            page = await services.sync_due_availability(
                services.settings.page_size, lambda _: None
            )
            total, more = total.plus(page), page.more
        return total


@asynccontextmanager
async def open_simulation() -> AsyncIterator[Simulation]:
    """Start a simulation without hosts, with the service's default settings."""
    clock = MovedClock()
    calendly = SimulatedCalendly(clock, _LATENCY)
    http = open_http(transport=httpx.ASGITransport(calendly))
    async with open_stack() as stack:
        settings = load_settings(stack.environment | _SETTINGS)
        with _no_logs():
            async with open_resources(settings, clock=clock, http=http) as resources:
                web = Process(resources, "web")
                yield Simulation(
                    stack=stack,
                    clock=clock,
                    calendly=calendly,
                    ids=[],
                    web=web,
                    worker=Process(resources, "worker"),
                )
                await web.services.usage.close()


@contextmanager
def _no_logs() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)
