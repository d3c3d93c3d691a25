"""All that a reader needs of the availability cache, in one statement.

It goes from the user down by unique indexes. Its text names as many parts as are wanted, and
nothing in it is a set of unknown size: else PostgreSQL would plan it anew for every reader, which
takes longer than running it.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from adapters.persistence.rows import cache_entry as cached_part
from adapters.persistence.rows import integration
from adapters.persistence.rows.integration import to_integration
from application.ports.storage.availability_cache import CacheKey, CacheSnapshot
from domain.availability import Occupied, Window
from domain.ids import UserId

# What belongs to another integration of the user is filtered where it is gathered: as a
# condition it would be looked up by its own index, and joined to what the user's key finds.
# A booking that was given to another host keeps this one from nothing.
_SHELF = f"""
SELECT {integration.COLUMNS}, found.parts, booked.times, pending.webhook_pending_at
FROM app_user u
JOIN calendly_integration i ON i.user_id = u.id AND i.status <> 'disconnecting'
CROSS JOIN LATERAL (
    SELECT array_agg(ROW({cached_part.COLUMNS})) FILTER (WHERE c.integration_id = i.id) AS parts
    FROM (%s) AS wanted (part, key)
    JOIN calendly_availability_cache c
        ON c.user_id = u.id AND c.part = wanted.part AND c.key = wanted.key
) found
CROSS JOIN LATERAL (
    SELECT array_agg(ROW(b.start_at, b.end_at, b.event_type_uri)) FILTER (
        WHERE b.integration_id = i.id
            AND (cardinality(b.host_uris) = 0 OR i.account_uri = ANY (b.host_uris))
    ) AS times
    FROM calendly_booking b
    WHERE b.user_id = u.id AND b.status = 'booked' AND b.end_at > $2 AND b.start_at < $3
) booked
{cached_part.PENDING}
WHERE u.public_id = $1
"""


@cache
def statement(wanted: int) -> str:
    """Return the statement that looks for so many parts.

    Its values are the user's id, the span whose booked times are wanted (both ends, or NULL),
    then part and key of each.
    """
    pairs = [f"(${number}::text, ${number + 1}::text)" for number in range(4, 4 + 2 * wanted, 2)]
    return _SHELF % (f"VALUES {', '.join(pairs)}" if pairs else "SELECT '', '' WHERE false")


def values_of(
    user_id: UserId, wanted: Sequence[CacheKey], occupied_in: Window | None
) -> list[object]:
    """Return the values of the statement."""
    span = (None, None) if occupied_in is None else (occupied_in.start, occupied_in.end)
    return [user_id, *span, *(each for at in wanted for each in (str(at.part), at.key))]


def to_shelf(row: Any) -> CacheSnapshot:
    """Return what the statement found."""
    changed = cached_part.overtaken(row)
    parts = [cached_part.to_part(tuple(each), changed) for each in row["parts"] or ()]
    # A group has many bookings of one time.
    times = {Occupied(Window(start=start, end=end), uri) for start, end, uri in row["times"] or ()}
    return CacheSnapshot(
        integration=to_integration(row),
        version=row["availability_version"],
        parts={each.at: each for each in parts},
        occupied=tuple(sorted(times, key=lambda each: (each.window.start, each.window.end))),
    )
