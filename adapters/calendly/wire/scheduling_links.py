"""Single-use booking links (Calendly: Create Single-Use Scheduling Link)."""

import msgspec


class SchedulingLink(msgspec.Struct):
    """All that is read of a link's answer."""

    booking_url: str
