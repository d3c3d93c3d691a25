"""Heartbeats that carry how far an attempt is, and go on while a row makes us wait.

The second detail is the one thing that is sealed rather than open to read: token pairs whose
storing is not confirmed. The attempt after a killed one stores them first.
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

BEATS_PER_TIMEOUT = 3
# Seconds between the beats of a busy page; rows may end by the hundred a second.
NOTED_EVERY = 0.5

_Key = tuple[IntegrationId, datetime, int]


class Heartbeats:
    """What the heartbeats of one attempt say. Implements the Rescue port.

    Args:
        before: what earlier attempts did, to be shown as part of the progress.
        unsaved: pairs that earlier attempts left.

    """

    def __init__(
        self, before: JobResult | None = None, unsaved: Sequence[UnsavedTokenPair] = ()
    ) -> None:
        self._before = before or JobResult()
        self._latest = self._before
        self._beaten_at = -math.inf
        self._unsaved: dict[_Key, UnsavedTokenPair] = {_key(each): each for each in unsaved}

    def note(self, job_result: JobResult) -> None:
        """Tell how far this attempt is; it is the Progress of a use case."""
        self._latest = self._before.plus(job_result)
        if time.monotonic() - self._beaten_at >= NOTED_EVERY:
            self.beat()

    def beat(self) -> None:
        """Say it all again."""
        self._beaten_at = time.monotonic()
        if self._unsaved:
            activity.heartbeat(self._latest, list(self._unsaved.values()))
        else:
            activity.heartbeat(self._latest)

    def keep(self, pair: UnsavedTokenPair) -> None:
        """Take the pair along from the next heartbeat on."""
        self._unsaved[_key(pair)] = pair

    def alarm(self) -> None:
        """Send what is kept now."""
        self.beat()

    def drop(self, pair: UnsavedTokenPair) -> None:
        """Leave the pair out from the next heartbeat on."""
        self._unsaved.pop(_key(pair), None)

    def kept(self) -> Sequence[UnsavedTokenPair]:
        """Return what is kept."""
        return tuple(self._unsaved.values())


@asynccontextmanager
async def heartbeats(
    before: JobResult | None = None, unsaved: Sequence[UnsavedTokenPair] = ()
) -> AsyncIterator[Heartbeats]:
    """Beat until the block ends.

    Args:
        before: what earlier attempts did, to be shown as part of the progress.
        unsaved: pairs that earlier attempts left, to be carried on until they are dropped.

    """
    beats = Heartbeats(before, unsaved)
    timeout = activity.info().heartbeat_timeout
    if timeout is None:
        yield beats
        return
    beating = asyncio.create_task(_go_on(beats, timeout.total_seconds() / BEATS_PER_TIMEOUT))
    try:
        yield beats
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating


def tally_of_earlier_attempts() -> JobResult:
    """Return the last tally that a killed attempt reported, or an empty one."""
    return _detail(0, JobResult) or JobResult()


def stranded_by_earlier_attempts() -> Sequence[UnsavedTokenPair]:
    """Return the pairs that a killed attempt could not store, as far as it could tell of them."""
    pairs = (_converted(each, UnsavedTokenPair) for each in _detail(1, list[Any]) or [])
    return [pair for pair in pairs if pair is not None]


def _detail(position: int, into: Any) -> Any:
    """Return a detail of the last heartbeat; one of another version's shape counts as absent."""
    details = activity.info().heartbeat_details
    if len(details) <= position:
        return None
    return _converted(details[position], into)


def _converted(detail: Any, into: Any) -> Any:
    try:
        return msgspec.convert(detail, into)
    except msgspec.ValidationError:
        return None


async def _go_on(beats: Heartbeats, interval: float) -> None:
    while True:
        beats.beat()
        await asyncio.sleep(interval)


def _key(pair: UnsavedTokenPair) -> _Key:
    return (pair.integration_id, pair.connected_at, pair.replaces)
