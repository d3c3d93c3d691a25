from tests.faults import frozen


async def test_frozen() -> None:
    """A process that stood still keeps the answers that came while it did."""
    rows = await frozen.run(frozen.SMALL)

    assert all(row.holds for row in rows), rows
