"""The rig of the token measurements at small sizes; its floors are for quiet machines."""

import asyncio
import sys

import asyncpg
import pytest

from adapters.local_stack.postgres.server import EmbeddedPostgres
from adapters.persistence.migrate import migrate
from bench.answering import answering
from bench.row import Row, table
from bench.tokens import claims, history, memory, throughput
from bench.tokens.population import populate, states
from bench.tokens.stage import open_stage
from domain.secret import Secret

ROWS = 100


@pytest.mark.timeout(60)
async def test_the_job_and_the_loop_do_the_same_exchanges() -> None:
    """A worker refreshes every due integration once, with flat memory and a bounded history."""
    async with open_stage(users=2 * ROWS) as stage:
        await populate(stage, 2 * ROWS)
        with stage.worker(PAGE_SIZE=str(history.MEASURED_PAGE)) as worker:
            bare, service = await throughput.compare(stage, worker, ROWS, rounds=1)
            speed = await throughput.row(stage, bare, service, floor=0)
            events = await history.row(stage, pages=(1, 3))
            peaks = await memory.row(stage, worker, (20, 2 * ROWS), slack=1.3)
        kept = await states(stage)

    assert speed.holds, speed.seen
    assert events.holds, events.seen
    assert peaks.holds, peaks.seen
    assert kept == {"refreshed": 2 * ROWS, "lost": 0, "leased": 0, "unsettled": 0}


async def test_a_claim_reads_its_index_alone(postgres: EmbeddedPostgres) -> None:
    """Among thousands of integrations the job's claim fetches none that it may not take."""
    async with asyncio.timeout(30):
        connection = await asyncpg.connect(postgres.dsn)
        await connection.execute("CREATE DATABASE claims")
        address = postgres.dsn_of("claims")
        await migrate(Secret(address))
        filled = await asyncpg.connect(address)
        row = await claims.row(filled, rows=5_000, due=150)
        await filled.close()
        await connection.execute("DROP DATABASE claims WITH (FORCE)")
        await connection.close()

    assert row.holds, row.seen


async def test_a_measured_process_that_dies_is_not_waited_for() -> None:
    """A process that ends instead of answering fails the measurement immediately."""
    silent = [sys.executable, "-c", "print('{}', flush=True); input()"]

    async with answering(silent, {}) as child:
        with pytest.raises(RuntimeError):
            await child.ask({})


def test_the_table_shows_where_a_floor_is_not_reached() -> None:
    """Each row says what must hold, what was seen, and whether that is enough."""
    shown = table([Row("a", "1 or more", "2", holds=True), Row("b", "none", "1", holds=False)])

    assert shown.splitlines()[2:] == ["| a | 1 or more | 2 | ok |", "| b | none | 1 | SHORT |"]
