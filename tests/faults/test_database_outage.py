from tests.faults import database_outage


async def test_database_outage() -> None:
    """A database that goes away between Calendly's answers and their commit costs no grant."""
    [row] = await database_outage.run(database_outage.SMALL)

    assert row.holds, row.seen
