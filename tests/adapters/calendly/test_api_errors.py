from typing import Any

import httpx
import pytest

from adapters.calendly.wire.accounts import User
from adapters.calendly.wire.envelopes import Resource
from domain.errors import (
    AccessTokenRejected,
    CalendarBroken,
    CalendlyConflict,
    CalendlyError,
    CalendlyForbidden,
    CalendlyNotFound,
    CalendlyProtocolError,
    CalendlyRejected,
    CalendlyThrottled,
    CalendlyUnavailable,
    CalendlyUncertain,
    ScopeMissing,
    SlotTaken,
)
from tests.adapters.calendly.support import ACCESS, Wire, answer, refusal

INSUFFICIENT = {
    "title": "Insufficient scope",
    "message": "This operation requires the scopes listed in the 'required_scopes' array.",
    "required_scopes": ["event_types:read"],
}
TAKEN = [{"parameter": "start_time", "message": "taken", "code": "already_filled"}]


async def read(wire: Wire) -> None:
    """Any read."""
    await wire.api.get(ACCESS, "/users/me", Resource[User])


async def write(wire: Wire) -> None:
    """Any write."""
    await wire.api.post(ACCESS, "/invitees", {"a": 1}, Resource[User])


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        (refusal(400, "Invalid Argument"), CalendlyRejected),
        (refusal(422, "Invalid Argument"), CalendlyRejected),
        (refusal(401, "Unauthenticated"), AccessTokenRejected),
        (refusal(403, "Permission Denied"), CalendlyForbidden),
        (refusal(404, "Resource Not Found"), CalendlyNotFound),
        (refusal(409, "Already Exists"), CalendlyConflict),
        (refusal(424, "External Calendar Error"), CalendarBroken),
        (refusal(400, "Invalid Argument", details=TAKEN), SlotTaken),
        (refusal(404, "Resource Not Found", details=TAKEN), SlotTaken),
        (answer(403, INSUFFICIENT), ScopeMissing),
        (answer(429), CalendlyThrottled),
        (answer(401, b"<html>"), AccessTokenRejected),
        (answer(404, b""), CalendlyNotFound),
        (answer(400, [1, 2]), CalendlyRejected),
        (answer(405), CalendlyRejected),
        (answer(301), CalendlyProtocolError),
    ],
)
@pytest.mark.parametrize("call", [read, write])
async def test_a_refusal_means_the_same_for_every_call(
    refused: httpx.Response, error: type[CalendlyError], call: Any
) -> None:
    """Each of Calendly's refusals has one meaning, whatever was asked."""
    wire = Wire(refused)

    with pytest.raises(CalendlyError) as caught:
        await call(wire)

    assert type(caught.value) is error


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 520])
async def test_a_failing_calendly_is_unavailable_to_reads_and_uncertain_to_writes(
    status: int,
) -> None:
    """A 5xx leaves a read where it was, but a write may have been processed."""
    with pytest.raises(CalendlyUnavailable):
        await read(Wire(answer(status)))
    with pytest.raises(CalendlyUncertain):
        await write(Wire(answer(status)))


@pytest.mark.parametrize(
    ("failure", "of_write"),
    [
        (httpx.ConnectError("refused"), CalendlyUnavailable),
        (httpx.ConnectTimeout("slow"), CalendlyUnavailable),
        (httpx.PoolTimeout("full"), CalendlyUnavailable),
        (httpx.ReadTimeout("silent"), CalendlyUncertain),
        (httpx.ReadError("cut"), CalendlyUncertain),
        (httpx.RemoteProtocolError("noise"), CalendlyUncertain),
    ],
)
async def test_a_broken_connection_is_uncertain_only_for_a_write_that_may_have_left(
    failure: httpx.HTTPError, of_write: type[CalendlyError]
) -> None:
    """Reads have no effects, so a lost answer to one is mere unavailability."""
    with pytest.raises(CalendlyUnavailable):
        await read(Wire(failure))
    with pytest.raises(CalendlyError) as caught:
        await write(Wire(failure))

    assert type(caught.value) is of_write


async def test_a_success_that_cannot_be_read_names_the_field() -> None:
    """An unreadable 2xx is a protocol error to a read, but a write was processed."""
    body = {"resource": {"uri": 7}}

    with pytest.raises(CalendlyProtocolError, match=r"cannot be read at \$\.resource\.uri"):
        await read(Wire(answer(200, body)))
    with pytest.raises(CalendlyUncertain, match=r"answered 201 .* at \$\.resource\.uri"):
        await write(Wire(answer(201, body)))


@pytest.mark.parametrize(
    ("listed", "required"),
    [
        (["event_types:read"], ("event_types:read",)),
        (["users:read", "webhooks:write"], ("users:read", "webhooks:write")),
        (["users:read", "someone@example.com"], ("users:read",)),
        ("event_types:read", ()),
        ([], ()),
    ],
)
async def test_a_missing_scope_is_named(listed: object, required: tuple[str, ...]) -> None:
    """The error lists the scopes that Calendly asks for."""
    with pytest.raises(ScopeMissing) as caught:
        await read(Wire(answer(403, INSUFFICIENT | {"required_scopes": listed})))

    assert caught.value.required == required


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after": "12", "x_ratelimit_reset": "60"}, 12),
        ({"x_ratelimit_reset": "41"}, 41),
        ({}, 60),
        ({"retry_after": "0"}, 1),
        ({"retry_after": "7200"}, 3600),
        ({"retry_after": "soon", "x_ratelimit_reset": "9"}, 9),
        ({"retry_after": "-5"}, 60),
        ({"retry_after": "nan"}, 60),
        ({"retry_after": "1793613600"}, 60),
        ({"x_ratelimit_reset": "inf"}, 60),
        (
            {
                "retry_after": "Fri, 20 Nov 2026 09:00:30 GMT",
                "date": "Fri, 20 Nov 2026 09:00:00 GMT",
            },
            30,
        ),
        ({"retry_after": "Fri, 20 Nov 2026 09:00:30 GMT"}, 60),
        (
            {
                "retry_after": "Fri, 20 Nov 2026 08:00:00 GMT",
                "date": "Fri, 20 Nov 2026 09:00:00 GMT",
            },
            1,
        ),
    ],
)
async def test_a_429_says_how_long_to_wait_within_reason(
    headers: dict[str, str], wait: float
) -> None:
    """The wait is what Calendly asks for, from a second to an hour, a minute by default."""
    with pytest.raises(CalendlyThrottled) as caught:
        await read(Wire(answer(429, **headers)))

    assert caught.value.retry_after == wait


async def test_a_message_names_endpoint_status_and_a_documented_title_only() -> None:
    """Ids, texts and unknown titles of an answer stay out of messages."""
    wire = Wire(refusal(404, "grace@example.net"), refusal(404, "Resource Not Found"))

    with pytest.raises(CalendlyNotFound) as unknown:
        await wire.api.get(ACCESS, "/event_types/TYPE0001", Resource[User])
    with pytest.raises(CalendlyNotFound) as known:
        await wire.api.get(ACCESS, "/event_types/TYPE0001", Resource[User])

    assert str(unknown.value) == "GET /event_types/{uuid}: Calendly answered 404."
    assert (
        str(known.value) == "GET /event_types/{uuid}: Calendly answered 404 (Resource Not Found)."
    )


async def test_the_parameters_that_calendly_refuses_are_named() -> None:
    """Names of parameters reach the message, a few at most; nothing else of the details does."""
    said = [
        {"parameter": "invitee.email", "message": "grace@example.net is blocked", "code": "x"},
        {"parameter": "invitee.email", "message": "again"},
        {"parameter": "grace@example.net", "message": "not a name"},
        {"parameter": "two words", "message": "not a name"},
        {"parameter": "a" * 65, "message": "too long"},
        {"parameter": 7, "message": "not a name"},
        {"message": "none"},
        *({"parameter": f"questions_and_answers[{number}].answer"} for number in range(9)),
    ]

    with pytest.raises(CalendlyRejected) as caught:
        await write(Wire(refusal(400, "Invalid Argument", details=said)))

    answers = ", ".join(f"questions_and_answers[{number}].answer" for number in range(4))
    assert str(caught.value) == (
        f"POST /invitees: Calendly answered 400 (Invalid Argument): invitee.email, {answers}."
    )


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (httpx.ConnectError("refused"), "Calendly could not be reached (ConnectError)."),
        (httpx.ConnectTimeout("refused, or late"), "Calendly could not be reached."),
        (httpx.PoolTimeout("full"), "Calendly could not be reached (PoolTimeout)."),
    ],
)
async def test_no_cause_is_named_that_may_be_wrong(failure: httpx.HTTPError, said: str) -> None:
    """A connection that was not made is not called late, since it may have been refused."""
    with pytest.raises(CalendlyUnavailable) as caught:
        await read(Wire(failure))

    assert str(caught.value) == f"GET /users/{{uuid}}: {said}"
