from domain.secret import Secret
from tests.faults.moved import in_use
from tests.faults.moved.in_use import Size


async def test_no_active_user_waits_for_a_refresh(database_url: Secret) -> None:
    """For hours, any caller finds a live access token at any moment."""
    (row,) = await in_use.run(Size(integrations=40, hours=4), database_url)

    assert row.holds, row.seen


async def test_without_the_job_users_do_wait(database_url: Secret) -> None:
    """The hourly job spares users the wait; without it they refresh themselves."""
    (row,) = await in_use.run(Size(integrations=10, hours=3, job_runs=False), database_url)

    assert not row.holds
    assert not row.seen.startswith("0 of"), row.seen
