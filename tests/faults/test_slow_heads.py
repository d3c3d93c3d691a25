from tests.faults import slow_heads


async def test_slow_heads() -> None:
    """Connections that send nothing, or never end their head, cost no request its answer."""
    for row in await slow_heads.run(slow_heads.SMALL):
        assert row.holds, row.seen
