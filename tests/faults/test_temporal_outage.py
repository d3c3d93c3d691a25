from tests.faults import temporal_outage


async def test_temporal_outage() -> None:
    """A refresh job that Temporal deserted goes on where it was, and no grant is lost."""
    [row] = await temporal_outage.run(temporal_outage.SMALL)

    assert row.holds, row.seen
