from tests.faults import hostile_traffic


async def test_hostile_traffic() -> None:
    """Deliveries are taken in as usual beside any number of strangers; nothing else is kept."""
    [row] = await hostile_traffic.run(hostile_traffic.SMALL)

    assert row.holds, row.seen
