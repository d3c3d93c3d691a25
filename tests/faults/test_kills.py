from tests.faults import kills


async def test_kills() -> None:
    """A worker killed at any step of a refresh costs only the grants Calendly alone knows of."""
    [row] = await kills.run(kills.SMALL)

    assert row.holds, row.seen
