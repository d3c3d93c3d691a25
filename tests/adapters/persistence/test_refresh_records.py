import uuid

import asyncpg
import msgspec
import pytest

from adapters.persistence.repositories import refresh_queue
from tests.fakes.clock import NOON

IDS = [uuid.UUID(int=number) for number in range(3)]
STARTS = (
    *(IDS, ["me"] * 3, [1] * 3, [False] * 3, [NOON] * 3, [NOON] * 3, [NOON] * 3),
    [1] * 3,
)
RECORDS = msgspec.json.encode([dict.fromkeys(refresh_queue._NAMES)] * 3).decode()


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (refresh_queue._BEGIN, STARTS),
        (refresh_queue._REQUESTS_SINCE, STARTS),
        (refresh_queue._FINISH, (RECORDS,)),
    ],
    ids=["begin", "requests_since", "finish"],
)
async def test_a_batch_finds_its_rows_by_their_ids(
    sql: asyncpg.Connection, statement: str, values: tuple[object, ...]
) -> None:
    """Recording many refreshes reads their rows alone, for any size of the table."""
    # On a table this small PostgreSQL would rather read everything.
    await sql.execute("SET enable_seqscan = off; SET enable_hashjoin = off")
    await sql.execute("SET enable_mergejoin = off; SET enable_bitmapscan = off")

    plan = await sql.fetch(f"EXPLAIN (COSTS OFF) {statement}", *values)

    assert "Index Scan using calendly_integration_public_id_key" in "\n".join(
        row[0] for row in plan
    )


def test_every_value_of_an_outcome_has_a_name() -> None:
    """Each stored value of an outcome has one name, as the statement declares it."""
    declared = refresh_queue._FINISH.split("json_to_recordset($1::json) AS a (")[1]
    columns = [each.split()[0] for each in declared.split(")")[0].split(",")]

    assert list(refresh_queue._NAMES) == columns
