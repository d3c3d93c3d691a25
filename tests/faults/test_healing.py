from domain.secret import Secret
from tests.faults import healing


async def test_healing(database_url: Secret) -> None:
    """Subscriptions that died are replaced, what they lost is found, and the count is exact."""
    [row] = await healing.run(healing.SMALL, database_url)

    assert row.holds, row.seen


async def test_without_the_schedules_nothing_is_found(database_url: Secret) -> None:
    """The schedules recover lost bookings; without them the row falls short."""
    [row] = await healing.run(healing.Size(integrations=3, heals=False), database_url)

    assert not row.holds
    assert " 0 replaced" in f" {row.seen}"
