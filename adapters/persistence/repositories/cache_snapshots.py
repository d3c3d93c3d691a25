"""A snapshot of the availability cache for one response, in one statement.

It starts at the user and uses unique indexes. Its text has one row for each wanted entry, and no
set of unknown size. Otherwise PostgreSQL would plan it again for every read, which takes longer
than running it.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from adapters.persistence.rows import cache_entry, integration
from adapters.persistence.rows.integration import to_integration
from application.ports.storage.availability_cache import CacheKey, CacheSnapshot
from domain.availability import Occupied, Window
from domain.ids import UserId

# Entries of the user's other integrations are filtered in the aggregate. As a condition, the
# planner would look them up by their own index and join that to the user's entries.
# A booking that was reassigned to another host does not occupy this one.
_SNAPSHOT = f"""
SELECT {integration.COLUMNS}, found.entries, booked.times, pending.webhook_pending_at
FROM app_user u
JOIN calendly_integration i ON i.user_id = u.id AND i.status <> 'disconnecting'
CROSS JOIN LATERAL (
    SELECT array_agg(ROW({cache_entry.COLUMNS})) FILTER (WHERE c.integration_id = i.id) AS entries
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
{cache_entry.PENDING}
WHERE u.public_id = $1
"""


@cache
def statement(wanted: int) -> str:
    """Return the statement for this number of wanted entries.

    Its values are the user's id, the span whose booked times are wanted (both ends, or NULL),
    then kind and key of each entry.
    """
    pairs = [f"(${number}::text, ${number + 1}::text)" for number in range(4, 4 + 2 * wanted, 2)]
    return _SNAPSHOT % (f"VALUES {', '.join(pairs)}" if pairs else "SELECT '', '' WHERE false")


def values_of(
    user_id: UserId, wanted: Sequence[CacheKey], occupied_in: Window | None
) -> list[object]:
    span = (None, None) if occupied_in is None else (occupied_in.start, occupied_in.end)
    return [user_id, *span, *(each for key in wanted for each in (str(key.kind), key.key))]


def to_snapshot(row: Any) -> CacheSnapshot:
    changes = cache_entry.invalidations_of(row)
    entries = [cache_entry.to_entry(tuple(each), changes) for each in row["entries"] or ()]
    # A group event has many bookings of one time.
    times = {Occupied(Window(start=start, end=end), uri) for start, end, uri in row["times"] or ()}
    return CacheSnapshot(
        integration=to_integration(row),
        version=row["availability_version"],
        entries={each.cache_key: each for each in entries},
        occupied=tuple(sorted(times, key=lambda each: (each.window.start, each.window.end))),
    )
