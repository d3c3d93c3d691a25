"""Single-use booking links (Calendly: Create Single-Use Scheduling Link)."""

import msgspec


class SchedulingLink(msgspec.Struct):
    """The only field that is read from the response."""

    booking_url: str
