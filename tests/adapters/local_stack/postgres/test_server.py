import socket
from pathlib import Path

import asyncpg
import psutil
import pytest

from adapters.local_stack.errors import LocalStackError, PortUnavailableError
from adapters.local_stack.postgres.server import EmbeddedPostgres
from tests.adapters.local_stack.postgres_client import fetch
from tests.adapters.local_stack.stacks import copy_cluster


async def test_a_second_start_keeps_the_data(folder: Path) -> None:
    """Committed data is there after the next start, at another port."""
    with EmbeddedPostgres(folder / "pg") as postgres:
        await fetch(postgres.dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
        first_created = postgres.created
    with EmbeddedPostgres(folder / "pg") as postgres:
        answer = await fetch(postgres.dsn, "SELECT answer FROM kept")

    assert answer == 42
    assert (first_created, postgres.created) == (True, False)


async def test_a_wrong_password_is_refused(postgres: EmbeddedPostgres) -> None:
    """A client without the password is refused, on this machine too."""
    stranger = postgres.dsn.replace("slotkeeper:", "slotkeeper:x", 1)

    with pytest.raises(asyncpg.InvalidPasswordError):
        await fetch(stranger, "SELECT 1")


async def test_rows_stay_out_of_the_log(postgres: EmbeddedPostgres) -> None:
    """A row that breaks a constraint is not quoted in the server's log."""
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute("CREATE TEMPORARY TABLE t (a text CHECK (length(a) < 3))")
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute("INSERT INTO t VALUES ($1)", "very secret")
    await connection.close()

    log = postgres.log.read_text()
    assert "violates check constraint" in log
    assert "very secret" not in log


def test_stop_leaves_no_process_and_can_be_repeated(folder: Path) -> None:
    """After a stop no process of the server is left, and stopping again is harmless."""
    postgres = EmbeddedPostgres(folder / "pg", durable=False)
    postgres.start()
    server = psutil.Process(postgres.child.pid)
    processes = [server, *server.children(recursive=True)]
    postgres.stop()
    postgres.stop()

    assert [p for p in processes if p.is_running()] == []


def test_a_server_starts_again_at_its_port(folder: Path, cluster: Path) -> None:
    """Clients that know the address find the server there after a restart, or not at all."""
    copy_cluster(cluster, folder / "pg")
    server = EmbeddedPostgres(folder / "pg", durable=False)
    before = server.start()
    server.stop()
    with (
        socket.create_server(("127.0.0.1", server.port.number)),
        pytest.raises(PortUnavailableError, match="Address already in use"),
    ):
        server.start()
    after = server.start()
    server.stop()

    assert before == after


def test_an_interrupted_first_start_is_repeated(folder: Path) -> None:
    """A cluster that a killed first start did not finish is made again."""
    half_made = folder / "pg" / "data.making"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")

    with EmbeddedPostgres(folder / "pg", durable=False) as postgres:
        assert postgres.created


def test_a_cluster_of_an_unknown_version_is_refused(folder: Path) -> None:
    """Data of a PostgreSQL that is not installed here is not touched: it is an error."""
    data = folder / "pg" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("9\n")

    with pytest.raises(LocalStackError, match="was made by PostgreSQL 9"):
        EmbeddedPostgres(folder / "pg").start()
