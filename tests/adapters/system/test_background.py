import asyncio
from contextvars import ContextVar
from datetime import timedelta

import pytest
import structlog
from structlog.testing import capture_logs

from adapters.system.background import AsyncBackground
from domain.errors import CalendlyUnavailable

bound_by_caller: ContextVar[str] = ContextVar("bound_by_caller", default="nothing")


async def test_work_goes_on_behind_the_caller() -> None:
    """Starting work returns immediately; the work is done later."""
    done: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0)
        done.append("work")

    async with AsyncBackground() as background:
        background.run("work", work())
        assert done == []

    assert done == ["work"]


async def test_errors_are_logged_with_their_code_and_never_raised() -> None:
    """A failing work costs a log entry with the error's code, nothing else."""

    async def fails() -> None:
        raise CalendlyUnavailable("Calendly does not answer.")

    async def breaks() -> None:
        raise ZeroDivisionError

    with capture_logs() as logs:
        async with AsyncBackground() as background:
            background.run("one", fails())
            background.run("two", breaks())

    logged = {entry["work"]: (entry["event"], entry["error_code"]) for entry in logs}
    assert logged == {
        "one": ("background_work_failed", "calendly_unavailable"),
        "two": ("background_work_failed", "internal"),
    }


async def test_the_number_of_tasks_is_bounded() -> None:
    """Work beyond the limit is refused and said, not piled up."""
    begun: list[int] = []

    async def work(number: int) -> None:
        begun.append(number)
        await asyncio.sleep(0)

    with capture_logs() as logs:
        async with AsyncBackground(limit=2) as background:
            for number in range(3):
                background.run(f"work {number}", work(number))

    assert begun == [0, 1]
    assert [(entry["work"], entry["reason"]) for entry in logs] == [("work 2", "full")]


async def test_a_finished_task_makes_room() -> None:
    """The limit counts what runs, not what ever ran."""
    begun: list[int] = []

    async def work(number: int) -> None:
        begun.append(number)

    async with AsyncBackground(limit=1) as background:
        for number in range(3):
            background.run("work", work(number))
            await asyncio.sleep(0.01)

    assert begun == [0, 1, 2]


async def test_closing_waits_for_a_bounded_time_only() -> None:
    """Work that does not end within the grace time is canceled, and that is logged."""
    ended: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("endless")

    background = AsyncBackground(grace=timedelta(milliseconds=20))
    background.run("endless", endless())
    await asyncio.sleep(0)
    with capture_logs() as logs:
        await background.close()

    assert ended == ["endless"]
    assert [entry["event"] for entry in logs] == ["background_work_cut_off"]


async def test_nothing_starts_after_closing() -> None:
    """Work that comes after the end is refused without a warning of an unawaited coroutine."""
    begun: list[str] = []

    async def work() -> None:
        begun.append("work")

    background = AsyncBackground()
    await background.close()
    with capture_logs() as logs:
        background.run("late", work())

    assert begun == []
    assert [(entry["work"], entry["reason"]) for entry in logs] == [("late", "closed")]


async def test_work_takes_the_log_s_ids_along_and_nothing_else() -> None:
    """The request's id is on the work's log; what else is bound to the caller stays with it."""
    seen: list[tuple[object, str]] = []

    async def work() -> None:
        ids = structlog.contextvars.get_contextvars()
        seen.append((ids.get("request_id"), bound_by_caller.get()))

    bound_by_caller.set("a transaction")
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        async with AsyncBackground() as background:
            background.run("work", work())

    assert seen == [("r-1", "nothing")]


async def test_cancelling_work_from_outside_is_no_error() -> None:
    """A task that the process cancels ends silently."""

    async def work() -> None:
        current = asyncio.current_task()
        assert current is not None
        current.cancel()
        await asyncio.sleep(0)

    with capture_logs() as logs:
        async with AsyncBackground() as background:
            background.run("work", work())

    assert logs == []


def test_outside_an_event_loop_it_cannot_work() -> None:
    """Background work needs a running loop, and reports a missing one."""

    async def work() -> None:
        pass

    coroutine = work()
    with pytest.raises(RuntimeError, match="no running event loop"):
        AsyncBackground().run("work", coroutine)
    coroutine.close()
