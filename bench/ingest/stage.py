"""What measuring ingest needs: hosts to deliver to, and servers that take deliveries in."""

import uuid
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import timedelta

import asyncpg

from bench import stage
from bench.ingest.bodies import SIGNING_KEY, Host
from bench.ingest.server import Mode
from bench.population import Grant, connect
from bench.stage import Server, staged
from domain.ids import IntegrationId
from domain.subscription import new_key

_WEBHOOKS = "/api/calendly/webhooks"
_A_DAY = timedelta(days=1)


class Stage(stage.Stage):
    """PostgreSQL, and the servers and senders that are started on it."""

    @contextmanager
    def servers(self, modes: Iterable[Mode]) -> Iterator[Mapping[Mode, Server]]:
        """Start servers, side by side; stopped at the end."""
        with ExitStack() as stack:
            yield {mode: stack.enter_context(self._server(mode)) for mode in modes}

    @contextmanager
    def _server(self, mode: Mode) -> Iterator[Server]:
        with self.serving(
            mode.name,
            lambda port: ["-m", "bench.ingest.server", mode, str(port)],
            self.environment,
            "/health/live",
        ) as server:
            yield server

    @property
    def environment(self) -> dict[str, str]:
        """What a process of the service reads."""
        return super().environment | {"CALENDLY_WEBHOOK_SIGNING_KEY": SIGNING_KEY}

    async def hosts(self, count: int) -> list[Host]:
        """Connect so many users, each with an account of its own."""
        grants = [
            Grant(
                owner=f"https://api.calendly.com/users/{uuid.uuid4()}",
                organization="organization",
                access_token="access",  # noqa: S106 - nothing is called with it
                refresh_token="refresh",  # noqa: S106
            )
            for _ in range(count)
        ]
        ids = await connect(self, grants, lasting=_A_DAY)
        return [
            Host(f"{_WEBHOOKS}/{new_key(IntegrationId(each), 'bench')}", grant.owner)
            for each, grant in zip(ids, grants, strict=True)
        ]

    async def stored(self) -> tuple[int, int]:
        """Return how many events were applied, and how many bookings there are."""
        connection = await asyncpg.connect(self.postgres.dsn)
        row = await connection.fetchrow(
            "SELECT (SELECT count(*) FROM calendly_webhook_event WHERE status = 'applied'),"
            " (SELECT count(*) FROM calendly_booking)"
        )
        await connection.close()
        return row[0], row[1]


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    """Start PostgreSQL, migrated; at the end nothing is left."""
    async with staged(Stage) as stage_:
        yield stage_
