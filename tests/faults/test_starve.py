from tests.faults import starve


async def test_starve() -> None:
    """Reads that wait for a lock, and more of them than can be answered, refuse no webhook."""
    for row in await starve.run(starve.SMALL):
        assert row.holds, row.seen
