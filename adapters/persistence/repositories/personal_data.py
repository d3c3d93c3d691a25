"""Bookings and webhook bodies of people, found by going through all of them.

Locks are taken in the order of transactions that merge facts: first the integrations by ascending
public id, then rows in the same order. No statement compares addresses: PostgreSQL's lower()
follows the database's locale, and `domain.erasure` does not.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from adapters.persistence.repositories.bookings import lock_facts
from adapters.persistence.rows.booking import COLUMNS, FACT_COLUMNS, to_booking, to_values
from adapters.persistence.rows.webhook_body import open_body, seal_body
from adapters.persistence.session import Session
from application.ports.storage.personal_data import BodyPage, OpenedBody, Seat, SeatPage
from application.ports.vault import Vault
from domain.booking import Booking
from domain.errors import SealedValueUnreadable
from domain.ids import BookingId, IntegrationId, WebhookEventId

STRETCH = 20_000  # events that one statement looks at, wanted or not
BYTES_AT_ONCE = 8 * 1024 * 1024  # sealed bodies of a page, all in memory together; at least one

_FIRST = "'00000000-0000-0000-0000-000000000000'"
_SEATS = f"""
SELECT public_id, invitee_email FROM calendly_booking
WHERE public_id > coalesce($1::uuid, {_FIRST}) AND invitee_email <> ''
ORDER BY public_id LIMIT $2
"""
_OWNERS = """
SELECT DISTINCT i.public_id FROM calendly_booking b
JOIN calendly_integration i ON i.id = b.integration_id WHERE b.public_id = ANY ($1::uuid[])
"""
_HOLD = f"""
SELECT {COLUMNS} FROM calendly_booking b
JOIN calendly_integration i ON i.id = b.integration_id
JOIN app_user u ON u.id = b.user_id
WHERE b.public_id = ANY ($1::uuid[])
ORDER BY i.public_id, b.invitee_uri FOR NO KEY UPDATE OF b
"""
_REPLACED = ", ".join(
    f"{column} = ${number}" for number, column in enumerate(FACT_COLUMNS[1:], start=2)
)
_FORGET = f"UPDATE calendly_booking SET {_REPLACED} WHERE public_id = $1"
# The length of a body is known without reading it, so what would be too much is never read.
_BODIES = f"""
WITH part AS MATERIALIZED (
    SELECT id, public_id, received_at, settled_at FROM calendly_webhook_event
    WHERE public_id > coalesce($1::uuid, {_FIRST}) ORDER BY public_id LIMIT $4
), wanted AS MATERIALIZED (
    SELECT id, public_id FROM part
    WHERE $3::timestamptz IS NULL OR received_at >= $3 OR settled_at >= $3
    ORDER BY public_id LIMIT $2
), measured AS MATERIALIZED (
    SELECT w.id, octet_length(e.body_sealed) AS bytes,
        sum(octet_length(e.body_sealed)) OVER (ORDER BY w.public_id) AS so_far
    FROM wanted w JOIN calendly_webhook_event e ON e.id = w.id
), stretch AS (
    SELECT (SELECT count(*) FROM part) AS looked, (SELECT count(*) FROM wanted) AS wanted,
        (SELECT public_id FROM part ORDER BY public_id DESC LIMIT 1) AS last
)
SELECT s.looked, s.wanted, s.last, e.public_id, e.received_at, e.body_sealed
FROM stretch s LEFT JOIN (
    calendly_webhook_event e JOIN measured m ON m.id = e.id AND m.so_far - m.bytes < $5
) ON true
ORDER BY e.public_id
"""
_REPLACE_BODY = "UPDATE calendly_webhook_event SET body_sealed = $2 WHERE public_id = $1"


class PiccoloPersonalData:
    def __init__(self, session: Session, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def seats(self, after: BookingId | None, limit: int) -> SeatPage:
        rows = await self._session.rows(_SEATS, after, limit)
        seats = tuple(Seat(BookingId(row["public_id"]), row["invitee_email"]) for row in rows)
        return SeatPage(seats, after=seats[-1].id if len(seats) == limit else None)

    async def lock_bookings(self, booking_ids: Collection[BookingId]) -> Sequence[Booking]:
        """Lock the facts in a statement of its own: the next sees what was committed before."""
        named = list(booking_ids)
        owners = await self._session.rows(_OWNERS, named)
        ids = [IntegrationId(row["public_id"]) for row in owners]
        await lock_facts(self._session, ids, [])
        rows = await self._session.rows(_HOLD, named)
        return [to_booking(row, self._vault) for row in rows]

    async def forget_bookings(self, bookings: Sequence[Booking]) -> None:
        await self._session.run_each(
            _FORGET, [(each.id, *to_values(each, self._vault)[1:]) for each in bookings]
        )

    async def bodies(
        self, after: WebhookEventId | None, limit: int, since: datetime | None = None
    ) -> BodyPage:
        time_range = limit if since is None else max(limit, STRETCH)
        rows = await self._session.rows(_BODIES, after, limit, since, time_range, BYTES_AT_ONCE)
        bodies = tuple(self._opened(row) for row in rows if row["public_id"] is not None)
        return BodyPage(bodies, after=_reached(rows[0], bodies, limit, time_range))

    async def replace_body(self, event_id: WebhookEventId, body: bytes) -> None:
        sealed = seal_body(event_id, body, self._vault)
        await self._session.run(_REPLACE_BODY, event_id, sealed)

    def _opened(self, row: Any) -> OpenedBody:
        event_id = WebhookEventId(row["public_id"])
        try:
            body: bytes | None = open_body(row, self._vault)
        except SealedValueUnreadable:
            body = None
        return OpenedBody(event_id, row["received_at"], body)


def _reached(
    row: Any, bodies: Sequence[OpenedBody], limit: int, time_range: int
) -> WebhookEventId | None:
    """Return the position of the next page: behind the last row read, or behind an empty range."""
    if bodies and (len(bodies) == limit or len(bodies) < row["wanted"]):
        return bodies[-1].id
    return WebhookEventId(row["last"]) if row["looked"] == time_range else None
