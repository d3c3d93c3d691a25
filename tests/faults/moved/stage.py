"""The product in one process, on real parts, with its clock and the sandbox's moved together."""

import base64
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec
import structlog

from adapters.bootstrap import open_resources
from adapters.calendly.http import open_http
from adapters.settings import Settings, load_settings
from adapters.wiring.calendly import Calendly as Way
from adapters.wiring.calendly import calendly_of
from adapters.wiring.resources import Resources
from adapters.wiring.services import Services
from adapters.wiring.wire import wire
from domain.secret import Secret
from tests.faults.moved import calendly
from tests.faults.moved.clock import MovedClock
from tests.faults.moved.database import empty, fresh_database, prepare
from tests.faults.moved.line import Line


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Everything that a scenario moves or looks at.

    Args:
        made: the resources of the use cases.
        worker: the use cases as the worker's process has them.
        web: the way to Calendly of another process, the one that serves users.

    """

    calendly: calendly.Calendly
    clock: MovedClock
    line: Line
    made: Resources
    worker: Services
    web: Way

    async def move_to(self, moment: datetime) -> None:
        """Let it be that moment for all parts, unless it is later already."""
        by = moment - self.clock.now()
        if by > timedelta():
            await self.calendly.control("POST", "/clock", move_seconds=by.total_seconds())
            self.clock.move(by)


@asynccontextmanager
async def staged(
    users: int, database: Secret | None = None, **settings: object
) -> AsyncIterator[Stage]:
    """The product and a sandbox with so many users.

    Args:
        users: how many, beside the sandbox's named ones.
        database: a migrated one, which is emptied; None starts a server.
        settings: what is not to be as it is by default.

    """
    clock, line = MovedClock(), Line()
    async with AsyncExitStack() as stack:
        stack.enter_context(_quiet())
        if database is None:
            database = stack.enter_context(fresh_database())
            await prepare(database)
        await empty(database)
        other = await stack.enter_async_context(calendly.running(users))
        made = await stack.enter_async_context(
            open_resources(
                msgspec.structs.replace(_settings(other.url, database), **settings),
                clock=clock,
                http=open_http(transport=line),
            )
        )
        yield Stage(
            calendly=other,
            clock=clock,
            line=line,
            made=made,
            worker=wire(made),
            web=calendly_of(replace(made, owner="web")),
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep tens of thousands of refreshes out of the output."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        yield
    finally:
        structlog.configure(**before)


def _settings(calendly_url: str, database: Secret) -> Settings:
    return load_settings(
        {
            "DATABASE_URL": database.reveal(),
            "CALENDLY_CLIENT_ID": "sandbox-client",
            "CALENDLY_CLIENT_SECRET": "sandbox-secret",
            "CALENDLY_WEBHOOK_SIGNING_KEY": "sandbox-signing-key",
            "CALENDLY_AUTH_URL": calendly_url,
            "CALENDLY_API_URL": calendly_url,
            "CRON_SECRET": "cron-secret-of-a-fault-scenario",
            "TOKEN_ENCRYPTION_KEYS": f"k1:{base64.b64encode(bytes(32)).decode()}",
            "PUBLIC_URL": "http://127.0.0.1:8000",
            # Scenarios call more often than people.
            "RATE_PER_KEY": "0",
            "RATE_PER_USER": "0",
            "RATE_REFUSED": "0",
            # A wait within a request passes in real time.
            "RETRY_BASE": "1ms",
            "RETRY_CAP": "10ms",
        }
    )
