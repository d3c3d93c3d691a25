import asyncio

from application.resilience.priority import in_background, is_background


async def test_a_job_is_background_work_with_all_its_tasks() -> None:
    """Tasks that a job starts count as the job's; tasks beside or after it do not."""

    async def seen() -> bool:
        return is_background()

    with in_background():
        inside = [is_background(), await asyncio.create_task(seen())]
    outside = [is_background(), await asyncio.create_task(seen())]

    assert inside == [True, True]
    assert outside == [False, False]
