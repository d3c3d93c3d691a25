"""Single-use booking links."""

from typing import Annotated

import msgspec
from msgspec import Meta

from adapters.web.schemas.text import Line


class NewSchedulingLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The event type of a new link."""

    event_type: Annotated[
        Line, Meta(description="The event type's URI, or the last segment of it.")
    ]


class SchedulingLink(msgspec.Struct, frozen=True):
    """A booking page that accepts one booking."""

    booking_url: Annotated[
        str, Meta(description="Valid for one booking; give each invitee another link.")
    ]
    event_type: Annotated[str, Meta(description="Calendly's URI of the event type.")]
