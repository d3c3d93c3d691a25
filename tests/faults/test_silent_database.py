from tests.faults import silent_database


async def test_silent_database() -> None:
    """A network that swallows, and a server that refuses writes, cost time and no webhook."""
    for row in await silent_database.run(silent_database.SMALL):
        assert row.holds, row.seen
