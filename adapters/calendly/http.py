"""The HTTP client that every call to Calendly goes through.

The rule not to break: no POST is ever repeated here. A GET or a DELETE is repeated once by aiohttp,
on a kept connection that turns out to be closed. Redirects are not followed,
because a redirect could hand a bearer token to another host.
"""

import asyncio
import logging
from importlib.metadata import version

import httpx

from adapters.calendly.bounded_body import ACCEPTED_ENCODING
from adapters.calendly.direct_client import DirectClient
from adapters.calendly.transport import CalendlyTransport
from domain.token import REQUEST_DEADLINE

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 10.0
# A read time-out restarts with each byte, so a trickling answer needs a bound of its own. It
# stays well below the refresh lease, which must outlive every request made under it.
DEADLINE = REQUEST_DEADLINE.total_seconds()
# A timer that fires so many seconds after it was due says that this process was stopped.
LATE = 0.5
# The time for answers that came while it did, and the turns that the loop needs to read one.
GRACE = 5.0
TURNS = 10
# Shorter than the five seconds after which common servers close an idle connection: a request
# written onto a connection that is just being closed ends as "may have been processed".
KEEPALIVE = 3.0


def open_http(
    *,
    connect_timeout: float = CONNECT_TIMEOUT,
    read_timeout: float = READ_TIMEOUT,
    connections: int = 100,
    transport: httpx.AsyncBaseTransport | None = None,
) -> httpx.AsyncClient:
    """Return a client; nothing connects until the first request. Close it with `aclose()`.

    Args:
        connect_timeout: seconds to wait for a connection, from the pool or new.
        read_timeout: seconds to wait for each part of an answer.
        connections: connections at most.
        transport: what carries the requests; None means the network.

    """
    # httpx logs each request's URL at INFO, and a query may hold an invitee's e-mail.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    limits = httpx.Limits(
        max_connections=connections,
        max_keepalive_connections=connections,
        keepalive_expiry=KEEPALIVE,
    )
    return DirectClient(
        transport or CalendlyTransport(limits=limits),
        timeout=httpx.Timeout(read_timeout, connect=connect_timeout, pool=2 * connect_timeout),
        headers={
            "User-Agent": f"Slotkeeper/{version('slotkeeper')}",
            "Accept": "application/json",
            "Accept-Encoding": ACCEPTED_ENCODING,
        },
        trust_env=False,
    )


async def send_and_wait(
    client: httpx.AsyncClient, request: httpx.Request, *, deadline: float = DEADLINE
) -> httpx.Response:
    """Send a request whose answer must not be lost, and read the whole answer.

    A process that was stopped finds its timers due before it reads its sockets. So no
    timer of the transport bounds the wait for this answer, only `deadline` does. When it is over,
    the event loop first reads the sockets. If the loop itself was late, it gets GRACE seconds.

    Args:
        client: from `open_http`; its read time-out is the longest wait, from the connection on.
        request: what to send.
        deadline: seconds for everything together, at most.

    Raises:
        httpx.HTTPError: see `adapters.calendly.errors.transport_failure`.

    """
    limits = client.timeout.as_dict()
    request.extensions["timeout"] = {**limits, "read": None}
    spans = (limits["read"], limits["connect"])
    longest = deadline if None in spans else min(deadline, sum(each or 0.0 for each in spans))
    work = asyncio.ensure_future(client.send(request))
    try:
        if await _ended(work, longest):
            return work.result()
    finally:
        await _end(work)
    raise httpx.ReadTimeout("no complete answer in time", request=request)


async def _ended(work: asyncio.Future[httpx.Response], seconds: float) -> bool:
    """Return whether the work ended in time, or as soon as the loop could read its sockets."""
    loop = asyncio.get_running_loop()
    due = loop.time() + seconds
    await asyncio.wait((work,), timeout=seconds)
    was_late = loop.time() - due > LATE
    for _ in range(TURNS):
        if work.done():
            return True
        await asyncio.sleep(0)
    if was_late:
        await asyncio.wait((work,), timeout=GRACE)
    return work.done()


async def _end(work: asyncio.Future[httpx.Response]) -> None:
    """Cancel the work if it goes on, and wait until it has closed its connection."""
    if not work.done():
        work.cancel()
        await asyncio.wait((work,))
        # Its own end says nothing more; asked for here, it is not reported as overlooked.
        _ = work.cancelled() or work.exception()


async def send(
    client: httpx.AsyncClient, request: httpx.Request, *, deadline: float = DEADLINE
) -> httpx.Response:
    """Send a request once and read the whole answer.

    Args:
        client: from `open_http`.
        request: what to send.
        deadline: seconds for everything together.

    Raises:
        httpx.HTTPError: see `adapters.calendly.errors.transport_failure`.

    """
    try:
        async with asyncio.timeout(deadline):
            return await client.send(request)
    except TimeoutError as late:
        raise httpx.ReadTimeout("no complete answer in time", request=request) from late
