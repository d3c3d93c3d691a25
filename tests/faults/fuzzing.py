"""Anything at all, well signed and well authenticated, at the webhooks and at every operation.

The whole product in one process over a real PostgreSQL and a sandbox Calendly; only the jobs are
recorded instead of run. The operations, their parameters and bodies are taken from the document
that the product itself serves. Equal seeds send equal requests.
"""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any, ClassVar, cast
from urllib.parse import unquote, urlencode

import asyncpg
import hypothesis
import msgspec
from hypothesis import strategies as st
from litestar import Litestar

from adapters.settings import Settings
from adapters.temporal.jobs import TemporalJobs
from adapters.web.app import build_app
from adapters.wiring.services import Services
from adapters.wiring.wire import wire
from domain.integration import Integration
from domain.secret import Secret
from domain.subscription import new_key
from tests.fakes.jobs import FakeJobs
from tests.faults.fuzzing_requests import Known, Request, deliveries, good_delivery, operations
from tests.faults.moved.accounts import Accounts
from tests.faults.moved.stage import Stage, staged
from tests.faults.row import Row
from tests.faults.scenarios import Size as AnySize
from tests.table_sizes import table_sizes

ROUND, AT_ONCE, USERS, BOOKED = 1_000, 10, 6, 4
BETWEEN_ROUNDS = timedelta(minutes=1)
SHOWN, LONGEST = 3, 500  # faults, and characters of each
COUNTED_EVERY = 5
"""Of so many batches the rows of one are counted: a count reads every table."""

# Refusals of the edge. Other 4xx may leave a row: a command that Calendly refused, or a cache
# entry that was fetched before.
REFUSALS = frozenset({400, 401, 403, 405, 413, 415})
_UNAPPLIED = "SELECT count(*) FROM calendly_webhook_event WHERE reason = 'unapplied'"


class Size(AnySize, frozen=True):
    """How many requests of each kind."""

    SCALES: ClassVar[tuple[str, ...]] = ("deliveries", "calls")
    deliveries: int
    calls: int


FULL = Size(deliveries=100_000, calls=100_000)
SMALL = Size(deliveries=500, calls=500)


class Seen:
    """The outcome of all requests that were sent."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.tried: set[str] = set()
        self.refused = 0
        self.expected: set[str] = set()
        self.done: set[str] = set()
        self.faults: list[str] = []

    def note(self, request: Request, status: int, body: str) -> None:
        """Remember one answer; status 0 is none."""
        self.statuses[status] += 1
        self.tried.add(request.of)
        if HTTPStatus.OK <= status < HTTPStatus.BAD_REQUEST:
            self.done.add(request.of)
        if status == 0 or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.faults.append(f"{status} to {request!s:.{LONGEST}} ({body:.{LONGEST}})")


async def run(size: Size, database: Secret | None = None) -> list[Row]:
    """Send everything: some deliveries, so that calls find something, calls, the rest.

    An erasure and a page go through what is stored; with all deliveries there a call would mostly
    wait for that, and try nothing new.
    """
    async with staged(USERS, database) as stage, _served(stage) as app:
        known = await _prepare(stage, app)
        delivered, called = Seen(), Seen()
        signed = deliveries(known, stage.clock)
        await _fuzz(stage, app, signed, min(ROUND, size.deliveries), delivered)
        document = await _get(app, known, "/schema/openapi.json")
        called.expected = {each["operationId"] for each in _operations(document)}
        await _fuzz(stage, app, operations(document, known), size.calls, called)
        await _fuzz(stage, app, signed, size.deliveries, delivered)
        left = await _unapplied(stage)
    return [
        _row(f"{size.deliveries:,} deliveries, most of them signed, of any body", delivered, left),
        _row(f"{size.calls:,} calls over all operations of the API", called, 0),
    ]


async def _fuzz(
    stage: Stage, app: Litestar, requests: st.SearchStrategy[Request], count: int, seen: Seen
) -> None:
    """Send until so many were sent in all."""
    while (left := count - seen.statuses.total()) > 0:
        seed = seen.statuses.total() // AT_ONCE
        batches = _drawn(requests, seed, math.ceil(min(ROUND, left) / AT_ONCE))
        for number, batch in enumerate(batches):
            statuses = await _send_all(app, batch, seen)
            if number % COUNTED_EVERY == 0:
                pairs = zip(batch, statuses, strict=True)
                refused = [each for each, status in pairs if status in REFUSALS]
                await _send_refused_again(stage, app, refused, seen)
        await stage.move_to(stage.clock.now() + BETWEEN_ROUNDS)


def _drawn(requests: st.SearchStrategy[Request], number: int, batches: int) -> list[list[Request]]:
    """Return one round of requests; short rounds, for Hypothesis remembers all of one."""
    drawn: list[list[Request]] = []

    @hypothesis.seed(number)
    @hypothesis.settings(
        max_examples=batches,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(st.lists(requests, min_size=AT_ONCE, max_size=AT_ONCE))
    def collect(batch: list[Request]) -> None:
        drawn.append(batch)

    collect()
    return drawn


async def _send_all(app: Litestar, batch: Sequence[Request], seen: Seen) -> list[int]:
    """Send a batch; return the statuses of its answers, in its order."""
    return await asyncio.gather(*(_send(app, each, seen) for each in batch))


async def _send_refused_again(
    stage: Stage, app: Litestar, refused: Sequence[Request], seen: Seen
) -> None:
    """Send what the edge refused once more: no table may have more rows than before."""
    before = await table_sizes(stage.made.storage)
    if not refused or not set(await _send_all(app, refused, seen)) <= REFUSALS:
        return
    seen.refused += len(refused)
    after = await table_sizes(stage.made.storage)
    if grown := {name for name, many in after.items() if many > before[name]}:
        seen.faults.append(f"rows in {sorted(grown)} by {refused!s:.{LONGEST}}")


async def _send(app: Litestar, request: Request, seen: Seen) -> int:
    try:
        status, body = await answer_of(app, request)
    except Exception as crash:  # noqa: BLE001 - whatever it is, it is what is looked for
        seen.note(request, 0, repr(crash))
        return 0
    seen.note(request, status, body.decode("utf-8", "replace"))
    return status


async def answer_of(app: Litestar, request: Request) -> tuple[int, bytes]:
    """Return status and body of an answer, as a server would see them (ASGI)."""
    incoming = iter([{"type": "http.request", "body": request.body, "more_body": False}])
    outgoing: list[dict[str, Any]] = []

    async def receive() -> Any:
        return next(incoming, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        outgoing.append(message)

    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "root_path": "",
        "method": request.method,
        "path": unquote(request.path.decode("ascii")),
        "raw_path": request.path,
        "query_string": request.query,
        "headers": list(request.headers),
        "state": {},
    }
    await app(scope, receive, send)
    status = outgoing[0]["status"] if outgoing else 0
    return status, b"".join(each.get("body", b"") for each in outgoing[1:])


@asynccontextmanager
async def _served(stage: Stage) -> AsyncIterator[Litestar]:
    jobs = cast(TemporalJobs, FakeJobs())
    services = wire(replace(stage.made, jobs=jobs))

    @asynccontextmanager
    async def opened(_settings: Settings) -> AsyncIterator[Services]:
        yield services

    app = build_app(stage.made.settings, opened)
    async with app.lifespan():
        yield app


async def _prepare(stage: Stage, app: Litestar) -> Known:
    """Connect accounts, fetch what they offer, and deliver a booking or two of each."""
    accounts = Accounts(stage)
    await accounts.connect(USERS)
    integrations = await accounts.all()
    _, key = await stage.worker.manage_api_keys.create("fuzzing")
    settings = stage.made.settings
    known = Known(
        signing_key=settings.calendly_webhook_signing_key[0].reveal().encode(),
        api_key=key.reveal(),
        cron_secret=settings.cron_secret.reveal(),
        users=[each.account.email for each in integrations],
        hosts=[each.account.user_uri for each in integrations],
        values={},
    )
    for number in range(len(integrations) * 2):
        request = good_delivery(known, stage.clock, number)
        status, _ = await answer_of(app, request)
        assert status == HTTPStatus.NO_CONTENT
    return replace(known, values=await _values(stage, app, known, integrations))


async def _values(
    stage: Stage, app: Litestar, known: Known, integrations: Sequence[Integration]
) -> dict[str, list[str]]:
    types = await _get(app, known, "/api/calendly/event-types")
    events = await _get(app, known, "/api/webhook-events", b"limit=2")
    now = stage.clock.now()
    first = types["items"][0]["uri"]
    until = (now + timedelta(days=6)).isoformat()
    asked = urlencode({"event_type": first, "start": now.isoformat(), "end": until})
    free = await _get(app, known, "/api/calendly/availability", asked.encode())
    slots = [each["start"] for each in free["slots"]]
    booked = [await _book(app, known, first, start) for start in slots[:BOOKED]]
    page = await _get(app, known, "/api/calendly/bookings", b"limit=1")
    return {
        "event_type": [each["uri"] for each in types["items"]],
        "slot": slots[BOOKED:],
        "booking_id": booked + [each["id"] for each in page["items"]],
        "event_id": [each["id"] for each in events["items"]],
        "cursor": [page["next_cursor"], events["next_cursor"]],
        "subscription_key": [new_key(each.id, "subscription") for each in integrations],
        "start": [(now + timedelta(hours=each)).isoformat() for each in (-24, 1, 24, 60)],
        "end": [(now + timedelta(days=each)).isoformat() for each in (3, 5, 8)],
        "limit": ["1", "50", "100"],
        "with_body": ["true", "false"],
        "replace": ["true", "false"],
        "status": ["booked", "canceled", "applied", "dead_lettered"],
        "external_id": ["gone-1", "gone-2"],
        "Idempotency-Key": [f"key-{number}" for number in range(500)],
    }


async def _book(app: Litestar, known: Known, event_type: str, start: str) -> str:
    """Book at Calendly for the first user, and return the booking's id."""
    invitee = {"email": "grace@example.com", "name": "Grace", "timezone": "Europe/Paris"}
    wanted = {"event_type": event_type, "start": start, "invitee": invitee}
    body = msgspec.json.encode(wanted)
    path = "/api/calendly/bookings"
    headers = (*_callers(known, path), (b"idempotency-key", start.encode()))
    request = Request("createBooking", "POST", path.encode(), headers=headers, body=body)
    status, body = await answer_of(app, request)
    assert status == HTTPStatus.CREATED, body
    booked: str = msgspec.json.decode(body)["id"]
    return booked


def _callers(known: Known, path: str) -> tuple[tuple[bytes, bytes], ...]:
    bearer = (b"authorization", f"Bearer {known.api_key}".encode())
    of_a_user = path.startswith("/api/calendly")
    return (bearer, (b"x-user-id", known.users[0].encode())) if of_a_user else (bearer,)


async def _get(app: Litestar, known: Known, path: str, query: bytes = b"") -> Any:
    request = Request(path, "GET", path.encode(), query, _callers(known, path))
    status, body = await answer_of(app, request)
    assert status == HTTPStatus.OK, body
    return msgspec.json.decode(body)


def _operations(document: Any) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        yield from methods.values()


async def _unapplied(stage: Stage) -> int:
    """Return how many stored deliveries wait because of a fault of ours."""
    connection = await asyncpg.connect(stage.made.settings.database_url.reveal())
    found: int = await connection.fetchval(_UNAPPLIED)
    await connection.close()
    return found


def _row(what: str, seen: Seen, left: int) -> Row:
    missing = [f"never tried: {each}" for each in sorted(seen.expected - seen.tried)]
    counted = ", ".join(f"{many:,} of {status}" for status, many in sorted(seen.statuses.items()))
    return Row(
        what=f"{what}, {AT_ONCE} at once",
        must="0 answers of 5xx, 0 crashes, nothing stored that cannot be applied for our fault,"
        " each operation tried, no row by a refused request",
        seen=f"{counted}; operations tried: {len(seen.tried)}, done: {len(seen.done)}; {left}"
        f" unapplied; rows counted around {seen.refused} refused requests"
        + "".join(f"; {each}" for each in (*seen.faults[:SHOWN], *missing)),
        holds=not seen.faults and not left and not missing and seen.statuses.total() > 0,
    )
