"""No error of ours repeats a secret or an e-mail, for any answer of Calendly."""

import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.calendly.bookings import CalendlyBookingsGateway
from adapters.calendly.webhooks import CalendlyWebhookReader
from application.ports.calendly.bookings import BookingRequest
from domain.availability import Window
from domain.errors import CalendlyError, MalformedWebhook
from domain.secret import Secret
from domain.token import Access
from tests.adapters.calendly.support import UNHURRIED, Wire, answer
from tests.fakes.calendly import bodies

EMAIL = "grace.leak@example.net"
TOKEN = "token-LEAK-0123456789"
SECRETS = (EMAIL, TOKEN, "client-secret-1", "Basic ")
ACCESS = Access(token=Secret(TOKEN), user_uri=bodies.USER)
SPAN = Window(bodies.START, bodies.END)
REQUEST = BookingRequest(
    event_type_uri=bodies.EVENT_TYPE,
    start=bodies.START,
    name=EMAIL,
    email=EMAIL,
    timezone="UTC",
    reference="slotkeeper:abc",
)

Call = Callable[[Wire], Awaitable[object]]
CALLS: list[Call] = [
    lambda wire: wire.oauth.refresh(Secret(TOKEN), user_uri=bodies.USER),
    lambda wire: wire.oauth.exchange_code(
        code=Secret(TOKEN), verifier=Secret(TOKEN), redirect_uri="https://slots.example/"
    ),
    lambda wire: wire.oauth.revoke(Secret(TOKEN)),
    lambda wire: CalendlyBookingsGateway(wire.api).find(ACCESS, bodies.USER, EMAIL, SPAN),
    lambda wire: CalendlyBookingsGateway(wire.api).book(ACCESS, REQUEST),
    lambda wire: CalendlyBookingsGateway(wire.api).cancel(ACCESS, bodies.EVENT, EMAIL),
    lambda wire: CalendlyBookingsGateway(wire.api).mark_no_show(ACCESS, f"{bodies.INVITEE}"),
]

LEAK = st.sampled_from([EMAIL, TOKEN, f"no such invitee: {EMAIL}"])
BODIES = st.one_of(
    LEAK.map(str.encode),
    st.fixed_dictionaries(
        {},
        optional={
            "title": LEAK,
            "message": LEAK,
            "details": st.lists(
                st.fixed_dictionaries({"message": LEAK, "code": LEAK, "parameter": LEAK}),
                max_size=2,
            ),
            "required_scopes": st.lists(LEAK, max_size=2),
            "error": LEAK | st.sampled_from(["invalid_grant", "invalid_client"]),
            "error_description": LEAK,
            "resource": LEAK,
            "collection": st.lists(LEAK, max_size=2),
            "access_token": LEAK,
            "refresh_token": st.integers(),
            EMAIL: LEAK,
        },
    ).map(msgspec.json.encode),
)


def assert_silent(error: BaseException) -> None:
    """Nothing that may be logged of an error holds what must not be."""
    shown = "".join(traceback.format_exception(error))
    for text in (str(error), repr(error), repr(vars(error)), shown):
        assert not any(secret in text for secret in SECRETS)
    assert error.__cause__ is None
    if error.__context__ is not None and not error.__suppress_context__:
        assert_silent(error.__context__)


@pytest.mark.parametrize("call", CALLS)
@settings(UNHURRIED, max_examples=60)
@given(
    status=st.sampled_from([200, 201, 302, 400, 401, 403, 404, 409, 424, 429, 500, 503]),
    body=BODIES,
)
async def test_no_answer_is_repeated_in_an_error(call: Call, status: int, body: bytes) -> None:
    """Titles, texts, details and values of an answer stay out of every error."""
    wire = Wire(by=lambda _: answer(status, body))

    try:
        await call(wire)
    except CalendlyError as error:
        assert_silent(error)


@pytest.mark.parametrize("call", CALLS)
async def test_no_transport_failure_repeats_its_request(call: Call) -> None:
    """A failure whose own text quotes the request is reported by its class alone."""
    wire = Wire(by=lambda request: httpx.ReadError(f"{request.url} {TOKEN} {EMAIL}"))

    with pytest.raises(CalendlyError) as caught:
        await call(wire)

    assert_silent(caught.value)


@UNHURRIED
@given(
    st.sampled_from(["invitee.created", "invitee_no_show.created", "event_type.updated"]),
    st.sampled_from(sorted(bodies.payload())),
    st.recursive(
        LEAK | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(LEAK, inner)
    ),
)
def test_no_webhook_is_repeated_in_an_error(kind: str, field: str, value: Any) -> None:
    """A refused body is reported by the field's name, never by its content."""
    try:
        CalendlyWebhookReader().read(bodies.webhook(kind, bodies.payload() | {field: value}))
    except MalformedWebhook as error:
        assert_silent(error)
