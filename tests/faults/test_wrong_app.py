from tests.faults import wrong_app


async def test_wrong_app() -> None:
    """Another client is never asked about our grants, and nothing is lost by it."""
    [row] = await wrong_app.run(wrong_app.SMALL)

    assert row.holds, row.seen
