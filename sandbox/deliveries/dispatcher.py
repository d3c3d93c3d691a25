"""Sends what is due: signed, bounded, retried with back-off, disabling after a day of failure.

Success is 2xx alone; redirects are failures (Calendly: webhook errors).
"""

import asyncio
import time
from contextlib import suppress

import aiohttp
import httpx
import msgspec
from httpx_aiohttp import AiohttpTransport

from sandbox.deliveries.backoff import next_attempt
from sandbox.deliveries.outbox import Attempt, Delivery
from sandbox.deliveries.signature import HEADER, sign
from sandbox.settings import Settings
from sandbox.state.subscriptions import Subscription
from sandbox.timestamps import whole_second
from sandbox.world import World

_LONGEST_SLEEP = 60.0
_FAILURES = (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError)


class Dispatcher:
    """The background task that empties the outbox."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._free = asyncio.Semaphore(world.settings.delivery_concurrency)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Send until cancelled; deliveries under way are then cut off."""
        async with _client(self._world.settings) as client:
            try:
                while True:
                    await self._send_due(client)
                    await self._world.outbox.changed(self._idle_seconds())
            finally:
                await self._cut_off()

    async def _send_due(self, client: httpx.AsyncClient) -> None:
        while True:
            await self._free.acquire()
            delivery = self._world.outbox.take_due(self._world.clock.now())
            if delivery is None:
                self._free.release()
                return
            task = asyncio.create_task(self._send(client, delivery))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, client: httpx.AsyncClient, delivery: Delivery) -> None:
        try:
            attempt = await self._attempt(client, delivery)
        finally:
            delivery.in_flight = False
            self._free.release()
        delivery.attempts.append(attempt)
        if delivery.state != "pending":
            return  # the subscription was deleted, or the sandbox was reset
        if attempt.result == "delivered":
            self._succeeded(delivery)
        else:
            self._failed(delivery)

    async def _attempt(self, client: httpx.AsyncClient, delivery: Delivery) -> Attempt:
        at = self._world.clock.now()
        started = time.monotonic()
        body, headers = self._request_of(delivery)
        status, result = await self._post(client, delivery.subscription, body, headers)
        return Attempt(
            at=at, result=result, status=status, duration=round(time.monotonic() - started, 4)
        )

    async def _post(
        self,
        client: httpx.AsyncClient,
        subscription: Subscription,
        body: bytes,
        headers: dict[str, str],
    ) -> tuple[int | None, str]:
        settings = self._world.settings
        longest = settings.delivery_connect_timeout + settings.delivery_read_timeout
        try:
            async with asyncio.timeout(longest):
                answer = await client.post(
                    subscription.callback_url, content=body, headers=headers
                )
        except TimeoutError:
            return None, "timeout"
        except _FAILURES as failure:
            # httpx-aiohttp 0.2 calls every broken connection a time-out; its cause knows better.
            late = isinstance(failure.__cause__, TimeoutError)
            return None, "timeout" if late else "unreachable"
        return answer.status_code, "delivered" if answer.is_success else "refused"

    def _request_of(self, delivery: Delivery) -> tuple[bytes, dict[str, str]]:
        world, subscription = self._world, delivery.subscription
        now = world.clock.now()
        stamped = now if world.switches.envelope_created_at == "fresh" else delivery.created_at
        body = msgspec.json.encode(
            {
                "event": delivery.event,
                "created_at": whole_second(stamped),
                "created_by": world.uri("users", subscription.creator.uuid),
                "payload": delivery.payload,
            }
        )
        first = delivery.attempts[0].at if delivery.attempts else now
        signed_at = first if world.switches.signature_time == "frozen" else now
        key = subscription.app.signing_key
        if world.switches.hook_signing_key == "subscription" and subscription.signing_key:
            key = subscription.signing_key
        signature = sign(key, body, int(signed_at.timestamp()))
        return body, {"Content-Type": "application/json", HEADER: signature}

    def _succeeded(self, delivery: Delivery) -> None:
        subscription = delivery.subscription
        subscription.last_success_at = self._world.clock.now()
        subscription.retry_started_at = None
        self._world.outbox.finish(delivery, "delivered")
        self._world.counters.deliveries["delivered"] += 1

    def _failed(self, delivery: Delivery) -> None:
        world, subscription = self._world, delivery.subscription
        world.counters.deliveries[delivery.attempts[-1].result] += 1
        now, first_at = world.clock.now(), delivery.attempts[0].at
        if subscription.retry_started_at is None:
            subscription.retry_started_at = subscription.updated_at = now
        due_at = next_attempt(first_at, now, len(delivery.attempts))
        if due_at is not None:
            delivery.due_at = due_at
            world.outbox.schedule(delivery)
            return
        world.outbox.finish(delivery, "abandoned")
        world.counters.deliveries["abandoned"] += 1
        succeeded = subscription.last_success_at
        if succeeded is None or succeeded < first_at:
            disable(world, subscription)

    def _idle_seconds(self) -> float:
        due_at = self._world.outbox.next_due()
        if due_at is None:
            return _LONGEST_SLEEP
        wait = (due_at - self._world.clock.now()).total_seconds()
        return min(max(wait, 0.0), _LONGEST_SLEEP)

    async def _cut_off(self) -> None:
        for task in list(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def _client(settings: Settings) -> httpx.AsyncClient:
    """An httpx client over aiohttp, which takes a sixth of the time that httpx's own pool takes."""
    limits = httpx.Limits(max_connections=settings.delivery_concurrency)
    timeout = httpx.Timeout(
        settings.delivery_read_timeout, connect=settings.delivery_connect_timeout, pool=None
    )
    transport = AiohttpTransport(limits=limits, trust_env=False)
    return httpx.AsyncClient(timeout=timeout, transport=transport, trust_env=False)


def disable(world: World, subscription: Subscription) -> None:
    """Disable a subscription: what waits for it is lost, and nothing re-enables it."""
    subscription.state = "disabled"
    subscription.updated_at = world.clock.now()
    dropped = world.outbox.drop(subscription)
    world.counters.deliveries["dropped"] += dropped
    world.counters.deliveries["disabled_subscriptions"] += 1
