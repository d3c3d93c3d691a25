"""The token measurements at small sizes; their floors are for idle machines."""

import asyncio

import asyncpg
import pytest

from adapters.local_stack.postgres.server import EmbeddedPostgres
from adapters.persistence.migrate import migrate
from bench.child_process import child_process
from bench.http_load import send_over
from bench.report import Check, check_table
from bench.tokens import claims, history, memory, throughput
from bench.tokens.population import open_token_stack, populate, states
from domain.secret import Secret

ROWS = 100
CLOSED_PORT = 1


@pytest.mark.timeout(60)
async def test_the_job_and_the_loop_do_the_same_exchanges() -> None:
    """A worker refreshes every due integration once, with flat memory and a bounded history."""
    async with open_token_stack(2 * ROWS) as stack:
        await populate(stack, 2 * ROWS)
        with stack.worker(PAGE_SIZE=str(history.MEASURED_PAGE)) as worker:
            bare, service = await throughput.compare(stack, worker, ROWS, rounds=1)
            speed = await throughput.check(stack, bare, service, floor=0)
            events = await history.check(stack, pages=(1, 3))
            peaks = await memory.check(stack, worker, (20, 2 * ROWS), tolerance=1.3)
        left = await states(stack)

    assert speed.passed, speed.measured
    assert events.passed, events.measured
    assert peaks.passed, peaks.measured
    assert left == {"refreshed": 2 * ROWS, "lost": 0, "leased": 0, "unsettled": 0}


async def test_a_claim_reads_its_index_alone(postgres: EmbeddedPostgres) -> None:
    """Among thousands of integrations the job's claim fetches none that it may not take."""
    async with asyncio.timeout(30):
        connection = await asyncpg.connect(postgres.dsn)
        await connection.execute("CREATE DATABASE claims")
        address = postgres.dsn_of("claims")
        await migrate(Secret(address))
        filled = await asyncpg.connect(address)
        check = await claims.check(filled, rows=5_000, due=150)
        await filled.close()
        await connection.execute("DROP DATABASE claims WITH (FORCE)")
        await connection.close()

    assert check.passed, check.measured


async def test_a_measured_process_that_dies_is_not_waited_for() -> None:
    """A process that ends instead of answering fails the measurement immediately."""
    async with child_process(send_over) as child:
        with pytest.raises(RuntimeError):
            await child.call(CLOSED_PORT, [b""], 1)


def test_the_table_shows_which_checks_failed() -> None:
    """Each row has the requirement, the measured value, and whether that is enough."""
    checks = [Check("a", "1 or more", "2", passed=True), Check("b", "none", "1", passed=False)]

    shown = check_table(checks)

    assert shown.splitlines()[2:] == ["| a | 1 or more | 2 | ok |", "| b | none | 1 | FAILED |"]
