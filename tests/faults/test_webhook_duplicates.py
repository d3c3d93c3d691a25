from tests.faults import webhook_duplicates


async def test_webhook_duplicates() -> None:
    """However often, in whatever order and by whom a fact is told, it is stored once."""
    [row] = await webhook_duplicates.run(webhook_duplicates.SMALL)

    assert row.holds, row.seen
