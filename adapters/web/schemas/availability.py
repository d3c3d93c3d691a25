"""Event types, open slots, busy times and schedules, always with their age.

The rule not to break: an answer that says the same has the same bytes. So how many seconds old it
is stands in the Age header, never in a body.
"""

import datetime as dt
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class CacheAge(msgspec.Struct, frozen=True):
    """How old an answer is, and what that means; the Age header has it in seconds."""

    fetched_at: Annotated[
        datetime, Meta(description="When Calendly was asked for the oldest part of it (UTC).")
    ]
    freshness: Annotated[
        Literal["fresh", "stale", "invalidated", "expired"],
        Meta(
            description=(
                "`fresh`; `stale` or `invalidated` (served while a refresh runs behind it); "
                "`expired` (served because Calendly cannot be asked)."
            )
        ),
    ]
    stale_at: Annotated[
        datetime, Meta(description="Until when it is fresh if nothing changes (UTC).")
    ]
    expires_at: Annotated[
        datetime, Meta(description="From when on readers wait for a fetch instead (UTC).")
    ]
    invalidated_by: Annotated[
        str | None, Meta(description="What changed since it was fetched, such as a webhook.")
    ]
    error_code: Annotated[
        str | None, Meta(description="Why the last attempt to fetch again failed.")
    ]


class Slot(msgspec.Struct, frozen=True):
    """A time that can be booked."""

    start: datetime
    seats: int
    scheduling_url: str


class LocalSlot(msgspec.Struct, frozen=True):
    """A time that can be booked, as the clocks of a timezone show it."""

    start: Annotated[datetime, Meta(description="UTC.")]
    local: Annotated[
        datetime,
        Meta(description="The same moment with its local offset; an hour can come twice a day."),
    ]
    seats: int
    scheduling_url: str


class LocalDay(msgspec.Struct, frozen=True):
    """What can be booked on one day of a timezone."""

    date: dt.date
    slots: tuple[LocalSlot, ...]
