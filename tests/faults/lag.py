"""Calendly's slot lists lag behind its webhooks, and readers come all the time."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, ClassVar

import httpx
import msgspec

from application.availability.read_slots import AvailabilityView
from domain.integration import Integration
from domain.secret import Secret
from tests.application.support.delivering import signed
from tests.fakes.calendly import bodies
from tests.faults.moved.accounts import Accounts
from tests.faults.moved.line import Send
from tests.faults.moved.stage import Stage, staged
from tests.faults.row import Row
from tests.faults.scenarios import Size as AnySize

LAGS = (timedelta(seconds=4), timedelta(seconds=40))
A_SECOND = timedelta(
    seconds=1
)  # a fetch at the very moment of a change does not count as after it
STEP = timedelta(seconds=10)  # between two readings
WITHIN = timedelta(minutes=2)
RANGE = timedelta(days=14)
MOST_CALLS = 2  # for the change itself, and one more
REFRESH_SECONDS = 10
KEY = Secret("sandbox-signing-key")


class Size(AnySize, frozen=True):
    """How many hosts there are; each has a cancellation of its own."""

    SCALES: ClassVar[tuple[str, ...]] = ("hosts",)
    hosts: int


FULL = Size(hosts=50)
SMALL = Size(hosts=2)


async def run(size: Size, database: Secret | None = None) -> list[Row]:
    """Cancel a booking of each host at Calendly, whose list shows the slot only after the lag."""
    return [await _row(size, lag, database) for lag in LAGS]


async def _row(size: Size, lag: timedelta, database: Secret | None) -> Row:
    async with staged(size.hosts, database) as stage:
        accounts = Accounts(stage)
        await accounts.connect(size.hosts)
        lagging = _Lagging(stage)
        stage.line.through = lagging
        took = [await _follow(stage, each, lagging, lag) for each in await accounts.all()]
    right = [each for each in took if each is not None and each <= WITHIN]
    calls = max(lagging.calls.values(), default=0)
    slowest = max(right, default=timedelta()).total_seconds()
    return Row(
        what=f"{size.hosts:,} cancellations; Calendly's slot list is"
        f" {lag.total_seconds():.0f} s behind its webhook",
        must="right within 2 minutes of the webhook, at most one call more a change",
        seen=f"{len(right):,} right, the slowest after {slowest:.0f} s;"
        f" {calls} calls for a change at most",
        holds=len(right) == size.hosts and 0 < calls <= MOST_CALLS,
    )


class _Lagging:
    """Leaves one slot of a list out until it is time, and counts the requests for the list."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.calls: Counter[str] = Counter()
        self.hidden: dict[str, str] = {}
        self.until: dict[str, datetime] = {}

    async def __call__(self, request: httpx.Request, send: Send) -> httpx.Response:
        response = await send(request)
        if request.url.path != "/event_type_available_times" or not response.is_success:
            return response
        event_type = request.url.params["event_type"]
        self.calls[event_type] += 1
        body: dict[str, Any] = msgspec.json.decode(await response.aread())
        slots = body["collection"]
        if event_type not in self.hidden and slots:
            # Some days from now: the first slots of the list pass while the scenario runs.
            self.hidden[event_type] = slots[len(slots) // 4]["start_time"]
        until = self.until.get(event_type)
        if until is None or self._stage.clock.now() < until:
            hidden = self.hidden.get(event_type)
            body["collection"] = [each for each in slots if each["start_time"] != hidden]
        return httpx.Response(200, json=body, request=request)


async def _follow(
    stage: Stage, host: Integration, lagging: _Lagging, lag: timedelta
) -> timedelta | None:
    """Return how long after the webhook a reader sees the slot again; None if never."""
    user = await stage.calendly.control(
        "GET", f"/users/{host.account.user_uri.rpartition('/')[2]}"
    )
    event_type = user["event_types"][0]["uri"]
    await _read(stage, host, event_type)
    await stage.move_to(stage.clock.now() + timedelta(minutes=5))
    lagging.calls[event_type] = 0
    news_at = stage.clock.now()
    lagging.until[event_type] = news_at + lag
    await _tell(stage, host, event_type, lagging.hidden[event_type])
    await stage.move_to(stage.clock.now() + A_SECOND)
    seen_after: timedelta | None = None
    while stage.clock.now() - news_at <= 2 * WITHIN:
        view = await _read(stage, host, event_type)
        shown = {each.start for each in view.slots}
        if seen_after is None and datetime.fromisoformat(lagging.hidden[event_type]) in shown:
            seen_after = stage.clock.now() - news_at
        await stage.move_to(stage.clock.now() + STEP)
    return seen_after


async def _read(stage: Stage, host: Integration, event_type: str) -> AvailabilityView:
    """Read as a caller does, and let the background refresh end."""
    now, before = stage.clock.now(), asyncio.all_tasks()
    view = await stage.worker.read_availability(host.user_id, event_type, now, now + RANGE)
    refreshes = asyncio.all_tasks() - before
    if refreshes:
        await asyncio.wait(refreshes, timeout=REFRESH_SECONDS)
    return view


async def _tell(stage: Stage, host: Integration, event_type: str, start: str) -> None:
    """Deliver the webhook of the cancellation, signed by Calendly's key."""
    now, event_uri = stage.clock.now(), f"{bodies.EVENT}-{host.id}"
    event = bodies.event(
        uri=event_uri,
        event_type=event_type,
        start_time=start,
        end_time=start,
        status="canceled",
        event_memberships=[{"user": host.account.user_uri}],
    )
    payload = bodies.payload(
        uri=f"{event_uri}/invitees/INVITEE",
        event=event_uri,
        status="canceled",
        cancellation=bodies.cancellation(),
        scheduled_event=event,
    )
    body = bodies.webhook("invitee.canceled", payload, now)
    result = await stage.worker.ingest_webhook(body, signed(body, now, KEY), None)
    if not result.applied:
        raise LookupError(f"the webhook was not applied: {result.reason}")
