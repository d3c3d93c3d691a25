from tests.faults import webhook_duplicates


async def test_webhook_duplicates() -> None:
    """A fact is stored once, in any order of deliveries, from any number of subscriptions."""
    [row] = await webhook_duplicates.run(webhook_duplicates.SMALL)

    assert row.holds, row.seen
