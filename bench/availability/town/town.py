"""The product in one process, on a real database, with its clock moved and its Calendly beside it.

The web's use cases and the worker's stand side by side as those of two processes: they share the
database and nothing that is remembered.
"""

import logging
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import structlog

from adapters.bootstrap import open_resources
from adapters.calendly.http import open_http
from adapters.settings import load_settings
from adapters.telemetry.prometheus import PrometheusTelemetry
from adapters.wiring.resources import Resources
from adapters.wiring.services import Services
from adapters.wiring.wire import wire
from application.jobs.job_result import JobResult
from bench.availability.calendly.answers import Calendly
from bench.availability.calendly.hosts import SCOPE, Host
from bench.availability.calendly.transport import InProcess
from bench.availability.town.clock import MovedClock
from bench.population import Grant, connect
from bench.stage import Stage, staged

WEB = "web"
WORKER = "worker"
# Nobody's token dies meanwhile: renewing them is measured elsewhere.
_LASTING = timedelta(days=30)


class CountedSignals(PrometheusTelemetry):
    """A process's own signals, counted here as well.

    Attributes:
        waits: reads that waited, by how that ended.
        fetches: parts that Calendly was asked for.

    """

    def __init__(self, real: PrometheusTelemetry) -> None:
        self.__dict__.update(vars(real))
        self.waits: Counter[str] = Counter()
        self.fetches = 0

    def availability_wait(self, result: str) -> None:
        """Count it here as well."""
        self.waits[result] += 1
        super().availability_wait(result)

    def availability_part(self, part: str, result: str) -> None:
        """Count it here as well."""
        self.fetches += 1
        super().availability_part(part, result)


@dataclass(frozen=True, kw_only=True)
class Town:
    """Everything that a measurement moves or looks at.

    Args:
        ids: what the user of each host, and his integration, are called; by the host's number.
        seen: what the signals of each process counted.
        web: the use cases of the process that serves readers and takes webhooks in.
        worker: those of the process that syncs.

    """

    stage: Stage
    clock: MovedClock
    calendly: Calendly
    ids: list[UUID]
    web: Services
    worker: Services
    seen: dict[str, CountedSignals]

    async def connect(self, count: int) -> None:
        """Connect the next hosts; their availability is due now."""
        numbers = range(len(self.ids), len(self.ids) + count)
        grants = [_grant(Host(number)) for number in numbers]
        at = self.clock.now()
        self.ids.extend(
            await connect(self.stage, grants, lasting=_LASTING, at=at, sync_in=timedelta())
        )

    async def sync(self) -> JobResult:
        """Run the sync as its workflow does: page after page, until a page is not full."""
        total, more = JobResult(), True
        while more:
            page = await self.worker.sync_due_availability(
                self.worker.settings.page_size, lambda _: None
            )
            total, more = total.plus(page), page.more
        return total


@asynccontextmanager
async def open_town(**settings: str) -> AsyncIterator[Town]:
    """A town without hosts; what is not configured here is as it is by default."""
    async with staged(Stage) as stage:
        clock = MovedClock()
        calendly = Calendly(lambda: clock.now().timestamp())
        # What is waited for within a request passes in real time.
        environment = {"RETRY_BASE": "1ms", "RETRY_CAP": "10ms"} | settings
        configured = load_settings(stage.environment | environment)
        http = open_http(transport=InProcess(calendly))
        with _quiet():
            async with open_resources(configured, clock=clock, http=http) as made:
                seen = {name: CountedSignals(made.telemetry) for name in (WEB, WORKER)}
                town = Town(
                    stage=stage,
                    clock=clock,
                    calendly=calendly,
                    ids=[],
                    web=_process(made, WEB, seen),
                    worker=_process(made, WORKER, seen),
                    seen=seen,
                )
                yield town
                await town.web.usage.close()


def _process(made: Resources, name: str, seen: dict[str, CountedSignals]) -> Services:
    return wire(replace(made, owner=f"{name}/{os.getpid()}", telemetry=seen[name]))


def _grant(host: Host) -> Grant:
    return Grant(host.uri, "organization", host.token, f"refresh-{host.tag}", SCOPE)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep hundreds of thousands of syncs out of the output."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


async def settle(town: Town, count: int, batches: Sequence[timedelta]) -> None:
    """Connect so many hosts, in batches so far apart, and sync each batch as it comes."""
    for number, pause in enumerate(batches):
        left = len(batches) - number
        await town.connect((count - len(town.ids)) // left)
        await town.sync()
        town.clock.move_to(town.clock.now() + pause)
