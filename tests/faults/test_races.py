from tests.faults import races


async def test_races() -> None:
    """Any number of processes find the same tokens expired; each is exchanged exactly once."""
    [row] = await races.run(races.SMALL)

    assert row.holds, row.seen
