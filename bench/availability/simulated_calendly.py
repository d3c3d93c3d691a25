"""A Calendly of many hosts that answers in a fraction of a millisecond; its only fault is an outage.

The sandbox is too slow for hundreds of thousands of requests. This one has the sandbox's response
shapes, remembers bookings, and counts requests. `python -m bench.availability.simulated_calendly
LATENCY PORT` serves it.

Times are quarters: whole quarter-hours since the Unix epoch. A host works from nine to five on
weekdays, in a time zone of whole hours without daylight saving.
"""

import asyncio
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple
from urllib.parse import parse_qs
from uuid import UUID

import httpx
import msgspec
from litestar.types import Receive, Scope, Send

from bench.calendly_account import ACCOUNT, ACCOUNT_URI, EVENT_TYPES, TAG, WORLD
from bench.calendly_bookings import book, cancel
from bench.population import Grant, connect
from bench.serving import serve
from bench.stack import Stack
from sandbox.clock import Clock
from sandbox.rates import REQUESTS_PER_MINUTE, Rates
from sandbox.shapes import availability as shapes
from sandbox.shapes.event_types import event_type as event_type_shape
from sandbox.state.bookings import Invitee
from sandbox.state.slots import Slot

QUARTER = 900  # seconds
DAY = 96  # quarters
LENGTHS = [each.duration // 15 for each in EVENT_TYPES]  # quarters
COUNTERS = "/_counters"
SCOPE = "availability:read event_types:read scheduled_events:read users:read webhooks:write"
_NINE, _OPEN = 36, 32  # quarters from midnight, and from opening to closing
_ZONES = (0, 1, -5, 9, 3)  # hours east of Greenwich
_THURSDAY, _WEEKDAYS = 3, 5  # the epoch's first day, and the days of a working week
_NOTHING: frozenset[int] = frozenset()
_POSITIONS = {each.uuid.removeprefix(TAG): each.position for each in EVENT_TYPES}


class Span(NamedTuple):
    """From `start`, before `end` (quarters)."""

    start: int
    end: int


class Host(NamedTuple):
    """A host, known by a number."""

    number: int

    @property
    def uri(self) -> str:
        """The address of the account."""
        return self.personalize(ACCOUNT_URI.encode()).decode()

    @property
    def token(self) -> str:
        """The only access token, which never expires."""
        return f"token-{self.number:08x}"

    def event_type_uri(self, position: int) -> str:
        """Return the address of an event type, by its position in EVENT_TYPES."""
        uri = WORLD.uri("event_types", EVENT_TYPES[position].uuid)
        return self.personalize(uri.encode()).decode()

    def personalize(self, template: bytes) -> bytes:
        """Return content of the template account as content of this one."""
        return template.replace(TAG.encode(), b"%08x" % self.number)

    def openings(self, span: Span) -> Iterator[int]:
        """Return when the host opens on each day whose working hours overlap a span."""
        east = 4 * _ZONES[self.number % len(_ZONES)]
        for day in range((span.start + east) // DAY, (span.end + east) // DAY + 1):
            opens = day * DAY + _NINE - east
            if (day + _THURSDAY) % 7 < _WEEKDAYS and span.start - _OPEN < opens < span.end:
                yield opens


async def connect_hosts(
    stack: Stack, numbers: range, *, sync_in: timedelta, at: datetime | None = None
) -> list[UUID]:
    """Connect the hosts of these numbers, as `connect` does; their tokens do not expire."""
    grants = [
        Grant(host.uri, "organization", host.token, f"refresh-{host.number}", SCOPE)
        for host in map(Host, numbers)
    ]
    return await connect(stack, grants, lasting=timedelta(days=30), at=at, sync_in=sync_in)


class Booking(NamedTuple):
    """A booking in the sandbox's records, and its host."""

    host: Host
    invitee: Invitee

    @property
    def quarters(self) -> range:
        """The quarters of the meeting."""
        return range(self.invitee.event.start // QUARTER, self.invitee.event.end // QUARTER)

    @property
    def day(self) -> tuple[int, int]:
        """The number of the host, and when it opens on the day of the meeting."""
        start = self.quarters.start
        return self.host.number, next(self.host.openings(Span(start, start + 1)))


class Counters(msgspec.Struct, frozen=True):
    """The count of requests by path, and of responses by status."""

    requests: dict[str, int]
    statuses: dict[int, int]


class Response(NamedTuple):
    """The response to a request."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


class SimulatedCalendly:
    """All hosts, as their owners see them; an ASGI application.

    Args:
        clock: opens the windows of the rate limit.
        latency: the average time (seconds) that each request and each response travels.

    Attributes:
        requests: the count of requests by path.
        requests_of: the count of requests by the number of the host.
        statuses: the count of responses by status.
        is_down: whether every request is answered 503.

    """

    def __init__(self, clock: Clock, latency: float) -> None:
        self.requests: Counter[str] = Counter()
        self.requests_of: Counter[int] = Counter()
        self.statuses: Counter[int] = Counter()
        self.is_down = False
        self._rates = Rates(clock)
        self._latency = latency
        self._random = Random("latency")  # noqa: S311 - the same in every run
        self._bookings: defaultdict[int, list[Booking]] = defaultdict(list)
        self._taken: dict[tuple[int, int], frozenset[int]] = {}

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Answer a request over HTTP."""
        await self._travel()
        if scope["path"] == COUNTERS:
            counters = Counters(self.requests, self.statuses)
            response = Response(200, {}, msgspec.json.encode(counters))
        else:
            fields = {name: value.decode() for name, value in scope["headers"]}
            query, token = scope["query_string"].decode(), fields[b"authorization"]
            response = self.respond(scope["path"], query, token, fields.get(b"if-none-match"))
        await self._travel()
        headers = [(name.encode(), value.encode()) for name, value in response.headers.items()]
        if response.body:
            headers.append((b"content-length", b"%d" % len(response.body)))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body, "more_body": False})

    async def _travel(self) -> None:
        if self._latency:
            await asyncio.sleep(2 * self._latency * self._random.random())

    def respond(
        self, path: str, query: str, authorization: str, if_none_match: str | None = None
    ) -> Response:
        """Answer a GET with these headers."""
        host = Host(int(authorization.removeprefix("Bearer token-"), 16))
        self.requests[path] += 1
        self.requests_of[host.number] += 1
        response = Response(503, {})
        if not self.is_down:
            response = self._respond(host, path, query, if_none_match)
        self.statuses[response.status] += 1
        return response

    def open_starts(self, host: Host, position: int, span: Span) -> Iterator[tuple[int, ...]]:
        """Return the starts in a span at which an event type can be booked, day by day."""
        for opens in host.openings(span):
            within = Span(max(span.start, opens), min(span.end, opens + _OPEN))
            taken = self._taken.get((host.number, opens), _NOTHING)
            yield _open_starts(opens, LENGTHS[position], within, taken)

    def book(self, host: Host, position: int, start: int, now: datetime) -> Booking:
        """Book an open start (quarters) of an event type at that time (UTC)."""
        booking = Booking(host, book(EVENT_TYPES[position], start * QUARTER, now))
        self._bookings[host.number].append(booking)
        taken = self._taken.get(booking.day, _NOTHING)
        self._taken[booking.day] = taken.union(booking.quarters)
        return booking

    def cancel(self, booking: Booking, now: datetime) -> None:
        """Cancel a booking, so that its time is open again."""
        cancel(booking.invitee, now)
        self._bookings[booking.host.number].remove(booking)
        self._taken[booking.day] = self._taken[booking.day].difference(booking.quarters)

    def _respond(self, host: Host, path: str, query: str, if_none_match: str | None) -> Response:
        standing = self._rates.take(host.token, REQUESTS_PER_MINUTE["paid"])
        headers = {
            "content-type": "application/json",
            "x-ratelimit-limit": str(standing.limit),
            "x-ratelimit-remaining": str(standing.remaining),
            "x-ratelimit-reset": str(standing.reset),
        }
        if standing.exceeded:
            return Response(429, headers)
        params = {name: values[0] for name, values in parse_qs(query).items()}
        body = host.personalize(self._body(host, path, params))
        etag = headers["etag"] = f'W/"{hash(body):x}"'
        if if_none_match == etag:
            return Response(304, headers)
        return Response(200, headers, body)

    def _body(self, host: Host, path: str, params: dict[str, str]) -> bytes:
        if path == "/event_types":
            return _EVENT_TYPES
        if path == "/user_availability_schedules":
            return _SCHEDULES
        span = Span(*(_quarter(params[name]) for name in ("start_time", "end_time")))
        if path == "/user_busy_times":
            events = (each.invitee.event for each in self._bookings[host.number])
            start, end = span.start * QUARTER, span.end * QUARTER
            found = (each for each in events if each.start < end and each.end > start)
            busy = sorted(found, key=lambda each: each.start)
            return _list([shapes.calendly_busy(WORLD, each) for each in busy])
        position = _POSITIONS[params["event_type"].rsplit("/", 1)[-1][len(TAG) :]]
        days = self.open_starts(host, position, span)
        return b'{"collection":[%b]}' % b",".join(_slots(position, day) for day in days if day)


@lru_cache(maxsize=4_096)
def _open_starts(opens: int, length: int, span: Span, taken: frozenset[int]) -> tuple[int, ...]:
    return tuple(
        start
        for start in range(opens, opens + _OPEN - length + 1, length)
        if span.start <= start < span.end and taken.isdisjoint(range(start, start + length))
    )


@lru_cache(maxsize=4_096)
def _slots(position: int, starts: tuple[int, ...]) -> bytes:
    slots = (Slot(each * QUARTER, 1) for each in starts)
    return msgspec.json.encode(shapes.available_times(EVENT_TYPES[position], slots))[1:-1]


def _quarter(stamp: str) -> int:
    """Return the first quarter at or after a time."""
    return -int(-datetime.fromisoformat(stamp).timestamp() // QUARTER)


def _list(items: list[dict[str, Any]], **more: Any) -> bytes:
    return msgspec.json.encode({"collection": items} | more)


_NO_PAGES = dict.fromkeys(("next_page", "next_page_token", "previous_page", "previous_page_token"))
_EVENT_TYPES = _list(
    [event_type_shape(WORLD, each) for each in EVENT_TYPES],
    pagination={"count": len(EVENT_TYPES), **_NO_PAGES},
)
_SCHEDULES = _list([shapes.schedule(WORLD, each) for each in WORLD.schedules.of(ACCOUNT)])


@contextmanager
def serve_calendly(stack: Stack, latency: float = 0.0) -> Iterator[None]:
    """Serve a simulated Calendly to the processes of a stack; stopped at the end."""
    argv = ["bench.availability.simulated_calendly", str(latency)]
    with stack.calendly("Calendly", lambda port: [*argv, str(port)], COUNTERS):
        yield


async def counters_of(stack: Stack) -> Counters:
    """Return the counters of the Calendly that a stack serves."""
    async with httpx.AsyncClient(base_url=stack.calendly_url) as http:
        return msgspec.json.decode((await http.get(COUNTERS)).content, type=Counters)


if __name__ == "__main__":
    serve(SimulatedCalendly(Clock(), float(sys.argv[1])), int(sys.argv[2]), lifespan="off")
