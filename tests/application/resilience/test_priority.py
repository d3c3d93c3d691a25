import asyncio

from application.resilience.priority import in_background, is_background


async def test_a_job_is_background_work_with_all_its_tasks() -> None:
    """What a job starts counts as the job's, and what runs beside or after it does not."""

    async def seen() -> bool:
        return is_background()

    with in_background():
        inside = [is_background(), await asyncio.create_task(seen())]
    outside = [is_background(), await asyncio.create_task(seen())]

    assert inside == [True, True]
    assert outside == [False, False]
