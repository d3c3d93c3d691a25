"""Heartbeats that carry an attempt's progress, and continue while one row takes long.

Their second detail is sealed: the token pairs that the database has not confirmed. The attempt
after a killed one stores these pairs first.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

import msgspec
from temporalio import activity

from application.jobs.job_result import JobResult
from application.ports.unsaved_tokens import UnsavedTokenPair
from domain.ids import IntegrationId

HEARTBEATS_PER_TIMEOUT = 3
# Seconds between the heartbeats of a busy page, which may finish hundreds of rows a second.
BEAT_INTERVAL = 0.5

_Key = tuple[IntegrationId, datetime, int]


class Heartbeats:
    """The heartbeats of one attempt. Implements the UnsavedTokens port.

    Args:
        before: the result of earlier attempts, shown as part of the progress.
        unsaved: pairs that earlier attempts left.

    """

    def __init__(
        self, before: JobResult | None = None, unsaved: Sequence[UnsavedTokenPair] = ()
    ) -> None:
        self._before = before or JobResult()
        self._latest = self._before
        self._last_beat = -math.inf
        self._unsaved: dict[_Key, UnsavedTokenPair] = {_key(each): each for each in unsaved}

    def note(self, job_result: JobResult) -> None:
        """Report this attempt's progress; use cases call it as their `Progress`."""
        self._latest = self._before.plus(job_result)
        if time.monotonic() - self._last_beat >= BEAT_INTERVAL:
            self.beat()

    def beat(self) -> None:
        self._last_beat = time.monotonic()
        if self._unsaved:
            activity.heartbeat(self._latest, list(self._unsaved.values()))
        else:
            activity.heartbeat(self._latest)

    def keep(self, pair: UnsavedTokenPair) -> None:
        """Include the pair from the next heartbeat on."""
        self._unsaved[_key(pair)] = pair

    def alarm(self) -> None:
        """Send the kept pairs now."""
        self.beat()

    def drop(self, pair: UnsavedTokenPair) -> None:
        """Omit the pair from the next heartbeat on."""
        self._unsaved.pop(_key(pair), None)

    def kept(self) -> Sequence[UnsavedTokenPair]:
        return tuple(self._unsaved.values())


@asynccontextmanager
async def heartbeats(
    before: JobResult | None = None, unsaved: Sequence[UnsavedTokenPair] = ()
) -> AsyncIterator[Heartbeats]:
    """Send heartbeats until the block ends, three in each heartbeat time-out.

    Args:
        before: the result of earlier attempts, shown as part of the progress.
        unsaved: pairs that earlier attempts left; each is sent until it is dropped.

    """
    beats = Heartbeats(before, unsaved)
    timeout = activity.info().heartbeat_timeout
    if timeout is None:
        yield beats
        return
    beating = asyncio.create_task(
        _keep_beating(beats, timeout.total_seconds() / HEARTBEATS_PER_TIMEOUT)
    )
    try:
        yield beats
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating


def earlier_result() -> JobResult:
    """Return the last result that a killed attempt reported, or an empty one."""
    return _detail(0, JobResult) or JobResult()


def earlier_unsaved_tokens() -> Sequence[UnsavedTokenPair]:
    """Return the pairs that a killed attempt reported as not stored."""
    pairs = (_converted(each, UnsavedTokenPair) for each in _detail(1, list[Any]) or [])
    return [pair for pair in pairs if pair is not None]


def _detail(position: int, into: Any) -> Any:
    """Return a detail of the last heartbeat; a detail with another version's shape counts as absent."""
    details = activity.info().heartbeat_details
    if len(details) <= position:
        return None
    return _converted(details[position], into)


def _converted(detail: Any, into: Any) -> Any:
    try:
        return msgspec.convert(detail, into)
    except msgspec.ValidationError:
        return None


async def _keep_beating(beats: Heartbeats, interval: float) -> None:
    while True:
        beats.beat()
        await asyncio.sleep(interval)


def _key(pair: UnsavedTokenPair) -> _Key:
    return (pair.integration_id, pair.connected_at, pair.replaces)
