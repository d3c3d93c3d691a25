from tests.faults import webhook_kills


async def test_webhook_kills() -> None:
    """An answered delivery is stored and applied, even if any process is killed right after."""
    [row] = await webhook_kills.run(webhook_kills.SMALL)

    assert row.holds, row.seen
