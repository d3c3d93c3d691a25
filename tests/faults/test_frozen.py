from tests.faults import frozen


async def test_frozen() -> None:
    """A stopped process keeps the answers that came during the stop."""
    rows = await frozen.run(frozen.SMALL)

    assert all(row.holds for row in rows), rows
