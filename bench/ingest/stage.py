"""What a measurement needs, for real: PostgreSQL that syncs to disk, hosts, servers, a sender."""

import asyncio
import base64
import os
import secrets
import shutil
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

import asyncpg

from adapters.local_stack.child import Child, ChildSpec
from adapters.local_stack.environment import plain_environment
from adapters.local_stack.guardian import Guardian
from adapters.local_stack.http_probe import answers_ok
from adapters.local_stack.ports import LOOPBACK, free_port
from adapters.local_stack.postgres import EmbeddedPostgres
from adapters.local_stack.waiting import wait_until_ready
from adapters.persistence.migrate import migrate
from bench.ingest.bodies import SIGNING_KEY, Host
from bench.ingest.server import Mode
from domain.ids import IntegrationId
from domain.secret import Secret
from domain.subscription import new_key

_CODE = Path(__file__).parents[2]
_READY_SECONDS = 60.0
_WEBHOOKS = "/api/calendly/webhooks"
_USERS = """
INSERT INTO app_user (public_id, external_id, created_at)
SELECT id, id::text, $2 FROM unnest($1::uuid[]) id
"""
_INTEGRATIONS = """
INSERT INTO calendly_integration (public_id, user_id, status, account_uri, organization_uri,
    account_name, account_email, account_timezone, scheduling_url, scopes, connected_at,
    access_token_sealed, refresh_token_sealed, token_expires_at, token_version,
    breaker_state, failed_refresh_count, breaker_trips, breaker_failed_at,
    refresh_fence, token_requests, sync_due_at)
SELECT one.id, u.id, 'active', one.owner, 'organization', 'Host', 'host@example.com', 'UTC',
    'https://calendly.com/host', '{}', $3, 'access', 'refresh', $4, 1, 'closed', 0, 0, '{}', 0, 0,
    $4
FROM unnest($1::uuid[], $2::text[]) AS one (id, owner)
JOIN app_user u ON u.public_id = one.id
"""


class Server(NamedTuple):
    """A server that answers at a port of this machine."""

    mode: Mode
    port: int
    child: Child


class Stage:
    """PostgreSQL, and the servers and senders that are started on it."""

    def __init__(self, folder: Path, guardian: Guardian) -> None:
        self.folder = folder
        self._guardian = guardian
        self._key = base64.b64encode(secrets.token_bytes(32)).decode()
        self.postgres = EmbeddedPostgres(folder / "postgres", guardian=guardian)

    @contextmanager
    def servers(self, modes: Iterable[Mode]) -> Iterator[list[Server]]:
        """Start servers, side by side; stopped at the end."""
        started = [self._launch(mode) for mode in modes]
        try:
            for each in started:
                url = f"http://{LOOPBACK}:{each.port}/health/live"
                wait_until_ready(each.child, partial(answers_ok, url), _READY_SECONDS)
            yield started
        finally:
            for each in started:
                each.child.stop()

    def _launch(self, mode: Mode) -> Server:
        port = free_port()
        argv = [sys.executable, "-m", "bench.ingest.server", mode, str(port)]
        log = self.folder / f"{mode.name}.log"
        spec = ChildSpec(
            name=mode.name, argv=argv, env=self._environment(), log=log, stage=3, cwd=_CODE
        )
        return Server(mode, port, self._guardian.spawn(spec))

    async def hosts(self, count: int) -> list[Host]:
        """Connect so many users, each with an account of its own."""
        ids = [uuid.uuid4() for _ in range(count)]
        accounts = [f"https://api.calendly.com/users/{each}" for each in ids]
        now = datetime.now(UTC)
        connection = await asyncpg.connect(self.postgres.dsn)
        await connection.execute(_USERS, ids, now)
        await connection.execute(_INTEGRATIONS, ids, accounts, now, now + timedelta(days=1))
        await connection.execute("ANALYZE")
        await connection.close()
        return [
            Host(f"{_WEBHOOKS}/{new_key(IntegrationId(each), 'bench')}", account)
            for each, account in zip(ids, accounts, strict=True)
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

    def _environment(self) -> dict[str, str]:
        return plain_environment() | {
            "DATABASE_URL": self.postgres.dsn,
            "CALENDLY_CLIENT_ID": "bench-client",
            "CALENDLY_CLIENT_SECRET": "bench-secret",
            "CALENDLY_WEBHOOK_SIGNING_KEY": SIGNING_KEY,
            "CRON_SECRET": secrets.token_hex(16),
            "TOKEN_ENCRYPTION_KEYS": f"bench:{self._key}",
            "PUBLIC_URL": "http://localhost:8000",
        }


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    """Start PostgreSQL, migrated; at the end nothing is left."""
    folder = Path(tempfile.mkdtemp(prefix="slotkeeper-bench-", dir=os.environ.get("TMPDIR")))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        guardian = stack.enter_context(Guardian(folder / "guardian.log"))
        stage = Stage(folder, guardian)
        await asyncio.to_thread(stage.postgres.start)
        await migrate(Secret(stage.postgres.dsn))
        yield stage
