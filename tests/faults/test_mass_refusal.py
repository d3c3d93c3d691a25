from tests.faults import mass_refusal


async def test_mass_refusal() -> None:
    """A refusal of all accounts informs a few users, erases nothing, and ends by itself."""
    [row] = await mass_refusal.run(mass_refusal.SMALL)

    assert row.holds, row.seen
