from typing import Any, cast

import pytest
from litestar.types import Receive, Scope, Send

from adapters.web.middleware.uniform_requests import AsciiQuery
from tests.adapters.web.scenario import API_KEY
from tests.adapters.web.serving import CALLER, Client, problem_in

DEEP = b"[" * 50_000
HALF_A_PAIR = b'{"event_type": "\xed\xa0\x80"}'


@pytest.mark.parametrize("body", [DEEP, HALF_A_PAIR])
async def test_a_body_that_cannot_be_read_is_the_senders_fault(
    client: Client, body: bytes
) -> None:
    """A body nested without end, or with bytes that are not UTF-8, is refused as invalid JSON."""
    headers = {**CALLER, "Idempotency-Key": "once", "Content-Type": "application/json"}

    answer = await client.post("/api/calendly/bookings", content=body, headers=headers)

    problem_in(answer, 400, "invalid_input")


@pytest.mark.parametrize(
    ("sent", "read"),
    [(b"a=%C3%A9&b=\xe9", b"a=%C3%A9&b=%E9"), (b"a=%00&b[]=+%zz", b"a=%00&b[]=+%zz")],
)
async def test_bytes_that_no_query_string_may_hold_are_escaped(sent: bytes, read: bytes) -> None:
    """A query string with bytes beyond ASCII is read as if escaped; any other is kept."""
    seen: list[bytes] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["query_string"])

    scope: Any = {"type": "http", "query_string": sent}
    await AsciiQuery(app)(scope, cast(Any, None), cast(Any, None))

    assert seen == [read]


@pytest.mark.parametrize("reason", ["%00", "a%00b", "a%20b"])
async def test_a_reason_that_is_no_code_is_refused(client: Client, reason: str) -> None:
    """A reason that is not a code, for example a NUL, does not reach the database."""
    headers = {"Authorization": f"Bearer {API_KEY}"}

    answer = await client.post(
        f"/api/webhook-events/replay-dead-letters?reason={reason}", headers=headers
    )

    problem_in(answer, 400, "invalid_input")
