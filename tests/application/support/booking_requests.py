"""Requests to book."""

from typing import Any

import msgspec

from application.bookings.create_booking import BookingInput
from tests.application.support.host_setup import Host

KEY = "order-4711"


def wanted(ada: Host, **changed: Any) -> BookingInput:
    """Return a request for the first open slot."""
    plain = BookingInput(
        event_type=ada.event_type.uri,
        start=ada.starts[0],
        name="Grace Invitee",
        email="grace@example.net",
        timezone="Europe/Zurich",
    )
    return msgspec.structs.replace(plain, **changed)
