from tests.faults import webhooks_without_temporal


async def test_webhooks_without_temporal() -> None:
    """Deliveries need no Temporal; what it has to apply later waits for it and is applied."""
    [row] = await webhooks_without_temporal.run(webhooks_without_temporal.SMALL)

    assert row.holds, row.seen
