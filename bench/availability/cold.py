"""Many simultaneous reads of a user without cache entries, by several web processes."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from urllib.parse import urlencode

import msgspec

from adapters.bootstrap import open_services
from adapters.settings import load_settings
from bench.availability.simulated_calendly import (
    LENGTHS,
    Host,
    connect_hosts,
    counters_of,
    serve_calendly,
)
from bench.child_process import child_process
from bench.http_load import http_request, send_at_once
from bench.report import Check, counts
from bench.stack import Stack, open_stack

RESOURCES = 3 + len(LENGTHS)  # event types, busy times, schedules, slots of each event type
_LATENCY = 0.02  # seconds, so that readers arrive while a fetch is under way
_API = "/api/calendly"


class Size(msgspec.Struct, frozen=True):
    """Readers of each user, processes that serve them, and users, one after the other."""

    readers: int = 500
    processes: int = 4
    users: int = 5

    @property
    def fewest(self) -> int:
        """The readers with which each process gets each request."""
        return self.processes * RESOURCES


class Result(msgspec.Struct, frozen=True):
    """Requests to Calendly by path, responses to readers by status, seconds of the slowest.

    Readers of every resource were answered, so each was fetched at least once: as many requests
    as resources are one each.
    """

    requests: dict[str, int]
    statuses: dict[int, int]
    slowest: float


async def measure(size: Size) -> list[Result]:
    """Let all readers of a user read at the same moment, user after user."""
    async with open_stack() as stack, child_process(send_at_once) as sender:
        with serve_calendly(stack, _LATENCY), ExitStack() as exits:
            ports = [exits.enter_context(stack.web()).port for _ in range(size.processes)]
            results = []
            for requests in await _requests_by_user(stack, size.users):
                # Each request as many times as there are processes, so that each process gets it.
                repeated = cycle(each for each in requests for _ in ports)
                sent = islice(zip(cycle(ports), repeated, strict=False), size.readers)
                before = Counter((await counters_of(stack)).requests)
                responses = await sender.call(list(sent))
                counted = Counter((await counters_of(stack)).requests) - before
                results.append(Result(counted, responses.statuses, max(responses.latencies)))
            return results


async def _requests_by_user(stack: Stack, users: int) -> list[list[bytes]]:
    async with open_services(load_settings(stack.environment)) as services:
        _, api_key = await services.manage_api_keys.create("bench")
    ids = await connect_hosts(stack, range(users), sync_in=timedelta(days=1))
    authorization = {"Authorization": f"Bearer {api_key.reveal()}"}
    return [
        [
            http_request("GET", f"{_API}/{path}", authorization | {"X-User-Id": str(user_id)})
            for path in _paths(Host(number))
        ]
        for number, user_id in enumerate(ids)
    ]


def _paths(host: Host) -> Sequence[str]:
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    span = {"start": start.isoformat(), "end": (start + timedelta(days=3.5)).isoformat()}
    types = (host.event_type_uri(position).rsplit("/", 1)[-1] for position in range(len(LENGTHS)))
    slots = (f"availability?{urlencode({'event_type': each, **span})}" for each in types)
    return (*slots, "event-types", f"busy-times?{urlencode(span)}", "schedules")


def check(size: Size, results: Sequence[Result]) -> Check:
    """Check that each resource was fetched once, and that every reader was answered."""
    requests, statuses = Counter[str](), Counter[int]()
    for each in results:
        requests.update(each.requests)
        statuses.update(each.statuses)
    return Check(
        subject=f"{size.readers} simultaneous readers of one cold user, {size.processes} processes,"
        f" {len(results)} users one after the other",
        requirement="exactly one fetch of each Calendly resource; every reader is answered",
        measured=f"{requests.total()} requests for {RESOURCES * len(results)} resources"
        f" ({counts(requests)}); statuses {dict(statuses)}, the slowest after"
        f" {max(each.slowest for each in results):.1f} s",
        passed=all(sum(each.requests.values()) == RESOURCES for each in results)
        and statuses == {200: size.readers * len(results)},
    )
