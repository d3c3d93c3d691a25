from tests.faults import hostile_traffic


async def test_hostile_traffic() -> None:
    """However many strangers send, deliveries are taken in as ever, and nothing else is kept."""
    [row] = await hostile_traffic.run(hostile_traffic.SMALL)

    assert row.holds, row.seen
