"""Work that must run to its end, no matter how often its caller is canceled."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from application.resilience.retry import RetryBudget

T = TypeVar("T")


async def shield_until_done(work: asyncio.Future[T], budget: RetryBudget) -> T:
    """Return the result of work that was begun, or raise its error.

    If canceled, any number of times, this returns only after the work has ended. Otherwise an
    interrupted shutdown would lose the value to store. The retry budget is shortened then.

    Args:
        work: under way already.
        budget: with which the work stores.

    """
    try:
        await asyncio.wait({work})
    except asyncio.CancelledError:
        budget.shorten()
        while not work.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({work})
        _mark_as_seen(work)
        raise
    return work.result()


async def run_to_completion(step: Coroutine[Any, Any, None], *, seconds: float) -> None:
    """Run a last step to its end, even if canceled; it is canceled itself after `seconds`.

    Its error is left to the event loop to report.
    """
    work = asyncio.ensure_future(step)
    limit = asyncio.get_running_loop().call_later(seconds, work.cancel)
    while not work.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait({work})
    limit.cancel()


async def wait_for_either(work: asyncio.Future[Any], event: asyncio.Event) -> None:
    """Return when the work has ended or the event is set; cancelled, leave the work alone."""
    other = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({work, other}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        other.cancel()


def _mark_as_seen(work: asyncio.Future[Any]) -> None:
    """Stop the event loop from reporting an error that no caller awaits."""
    if not work.cancelled():
        work.exception()
