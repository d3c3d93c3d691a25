from tests.faults import webhook_kills


async def test_webhook_kills() -> None:
    """What was answered is stored and applied, whatever is killed the moment after."""
    [row] = await webhook_kills.run(webhook_kills.SMALL)

    assert row.holds, row.seen
