"""Work that must not be left half done, however often its caller is cancelled."""

import asyncio
from contextlib import suppress
from typing import Any, TypeVar

from application.storing import Patience

T = TypeVar("T")


class StillAtItError(Exception):
    """The work goes on, but its caller need not wait for it."""


async def see_through(work: asyncio.Future[T], patience: Patience, *, let_go: bool = False) -> T:
    """Return the result of work that was begun, or raise its error.

    Cancelled, however often, this gives way only once the work has ended: a shutdown or time-out
    half-way would lose what it was about to store. The patience is hurried then.

    Args:
        work: under way already.
        patience: with which the work stores.
        let_go: do not wait beyond the moment when storing has failed for a while.

    Raises:
        StillAtItError: let go; the work must be kept alive by somebody else.

    """
    worn = asyncio.ensure_future(patience.worn.wait()) if let_go else None
    waits: set[asyncio.Future[Any]] = {work} if worn is None else {work, worn}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        patience.hurry()
        while not work.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({work})
        _mark_as_seen(work)
        raise
    finally:
        if worn is not None:
            worn.cancel()
    if not work.done():
        raise StillAtItError
    return work.result()


def _mark_as_seen(work: asyncio.Future[Any]) -> None:
    """Keep the event loop from complaining of an error that nobody is left to hear."""
    if not work.cancelled():
        work.exception()
