import socket

import asyncpg
import pytest

from adapters.persistence.address import connect_arguments
from adapters.persistence.bulkheads import Bulkhead
from adapters.persistence.storage import open_storage
from adapters.variables.secret_parsing import postgres_url
from domain.secret import Secret
from tests.fakes.clock import NOON
from tests.fakes.vault import FakeVault


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_schemes(scheme: str) -> None:
    """Both schemes of PostgreSQL's URLs are taken."""
    arguments = connect_arguments(Secret(f"{scheme}://me:pw@db.example:5432/app"))

    assert arguments["dsn"] == f"{scheme}://me:pw@db.example:5432/app"
    assert "statement_cache_size" not in arguments


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:pw@pooler.example:6543/postgres",
        "postgresql://me:pw@pooler.example:5432/postgres?pgbouncer=true",
        "postgresql://me:pw@pooler.example:5432/postgres?pgbouncer=1&sslmode=require",
        "postgresql://me:pw@pooler.example/postgres?statement_cache_size=0",
    ],
)
def test_poolers(url: str) -> None:
    """Behind a pooler in transaction mode no statement is cached."""
    assert connect_arguments(Secret(url))["statement_cache_size"] == 0


def test_pooler_gets_no_settings() -> None:
    """A pooler in transaction mode is sent no setting that it would refuse."""
    arguments = connect_arguments(Secret("postgresql://me@pooler.example:6543/postgres"))

    assert "server_settings" not in arguments


def test_foreign_parameters() -> None:
    """Parameters of other drivers are left out; those of PostgreSQL stay."""
    url = (
        "postgresql://me:p%40w@db.example/app?sslmode=require&channel_binding=require"
        "&connect_timeout=3&connection_limit=5&host=%2Frun%2Fpostgresql"
    )

    arguments = connect_arguments(Secret(url))

    kept = "sslmode=require&host=%2Frun%2Fpostgresql"
    assert arguments["dsn"] == f"postgresql://me:p%40w@db.example/app?{kept}"
    assert arguments["timeout"] == 3


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:hunter2@db.example/app",
        "hunter2",
        "postgresql://me:hunter2@h/d?connect_timeout=x",
    ],
)
def test_malformed(url: str) -> None:
    """A URL that cannot be used is refused without being quoted."""
    with pytest.raises(ValueError, match="DATABASE_URL") as caught:
        connect_arguments(Secret(url))

    assert "hunter2" not in str(caught.value)


async def test_uncached_statements(database_url: Secret) -> None:
    """The store works without cached statements, and with other drivers' parameters."""
    url = Secret(f"{database_url.reveal()}?pgbouncer=true&channel_binding=prefer")

    async with open_storage(url, FakeVault(), Bulkhead(size=1)) as storage, storage() as uow:
        assert await uow.api_keys.all() == []
        assert await uow.webhook_events.claim_pending(NOON, NOON, 1) == []


async def test_named_to_the_server(database_url: Secret, sql: asyncpg.Connection) -> None:
    """A database administrator sees whose connections these are."""
    async with open_storage(database_url, FakeVault(), Bulkhead(size=1)):
        names = await sql.fetch("SELECT application_name FROM pg_stat_activity")

    assert "slotkeeper" in [row[0] for row in names]


async def test_several_hosts(database_url: Secret) -> None:
    """The first host that takes writes is used, as libpq does (PostgreSQL manual, 34.1.1.3)."""
    login, _, rest = database_url.reveal().rpartition("@")
    several = f"{login}@127.0.0.1:1,{rest}?target_session_attrs=read-write"
    for url in (postgres_url(several), Secret(several)):
        async with open_storage(url, FakeVault(), Bulkhead(size=1)) as storage:
            await storage.ping()


async def test_a_silent_host_leaves_time_for_the_next(database_url: Secret) -> None:
    """A host that never answers takes its share of the time, and not that of the others."""
    login, _, rest = database_url.reveal().rpartition("@")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = Secret(f"{login}@127.0.0.1:{port},{rest}?target_session_attrs=read-write")
        limits = Bulkhead(size=1, wait=2.0)
        async with open_storage(url, FakeVault(), limits, min_size=0) as storage:
            await storage.ping()


@pytest.mark.parametrize("hosts", ["h1:x,h2:5432", "h1:5432,h2:x", "[::1]:x"])
def test_a_port_of_several_hosts_that_is_none(hosts: str) -> None:
    """Each port is checked, and the URL is not quoted."""
    url = f"postgresql://me:hunter2@{hosts}/app"
    for read in (postgres_url, lambda value: connect_arguments(Secret(value))):
        with pytest.raises(ValueError, match=r"is not a URL|A port in DATABASE_URL") as caught:
            read(url)
        assert "hunter2" not in str(caught.value)


def test_a_pooler_among_several_hosts() -> None:
    """One pooler's port is enough."""
    url = Secret("postgresql://me@h1:5432,h2:6543/app")

    assert connect_arguments(url)["statement_cache_size"] == 0
