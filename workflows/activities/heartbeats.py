"""Heartbeats that carry the tally so far and go on while a row makes us wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import msgspec
from temporalio import activity

from application.tally import Progress, Tally

BEATS_PER_TIMEOUT = 3


@asynccontextmanager
async def heartbeats(before: Tally | None = None) -> AsyncIterator[Progress]:
    """Beat until the block ends; call what is yielded to say how far it is.

    Args:
        before: what earlier attempts did, to be shown as part of the progress.

    """
    latest = before or Tally()

    def note(tally: Tally) -> None:
        nonlocal latest
        latest = before.plus(tally) if before else tally
        activity.heartbeat(latest)

    async def beat(interval: float) -> None:
        while True:
            activity.heartbeat(latest)
            await asyncio.sleep(interval)

    timeout = activity.info().heartbeat_timeout
    if timeout is None:
        yield note
        return
    beating = asyncio.create_task(beat(timeout.total_seconds() / BEATS_PER_TIMEOUT))
    try:
        yield note
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating


def tally_of_earlier_attempts() -> Tally:
    """Return the last tally that a killed attempt reported, or an empty one."""
    details = activity.info().heartbeat_details
    if not details:
        return Tally()
    try:
        return msgspec.convert(details[0], Tally)
    except msgspec.ValidationError:
        return Tally()
