"""Single-use booking links."""

from typing import Annotated

import msgspec
from msgspec import Meta

from adapters.web.schemas.bookings import Line


class NewSchedulingLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which event type a link is for."""

    event_type: Annotated[
        Line, Meta(description="The event type's URI, or the last segment of it.")
    ]


class SchedulingLink(msgspec.Struct, frozen=True):
    """A booking page that takes one booking."""

    booking_url: Annotated[str, Meta(description="Good once; give each invitee one of their own.")]
    event_type: Annotated[str, Meta(description="Calendly's URI of the event type.")]
