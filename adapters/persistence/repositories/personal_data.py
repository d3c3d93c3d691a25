"""Bookings and webhook bodies of one person, found by going through all of them."""

from collections.abc import Sequence
from typing import Any

from adapters.persistence.rows.booking import COLUMNS, FACT_COLUMNS, to_booking, to_values
from adapters.persistence.rows.webhook_body import open_body, seal_body
from adapters.persistence.session import Session
from application.ports.personal_data import BodyPage, OpenedBody
from application.ports.vault import Vault
from domain.booking import Booking
from domain.errors import SealedValueUnreadable
from domain.ids import BookingId, WebhookEventId

_FIRST = "'00000000-0000-0000-0000-000000000000'"
_STRETCH = f"""
SELECT max(public_id::text)::uuid AS last, count(*) AS looked FROM (
    SELECT public_id FROM calendly_booking
    WHERE public_id > coalesce($1::uuid, {_FIRST}) ORDER BY public_id LIMIT $2
) part
"""
# In the order in which whoever settles facts locks them.
_BOOKINGS = f"""
SELECT {COLUMNS} FROM calendly_booking b
JOIN calendly_integration i ON i.id = b.integration_id
JOIN app_user u ON u.id = b.user_id
WHERE b.public_id > coalesce($1::uuid, {_FIRST}) AND b.public_id <= $2
    AND lower(btrim(b.invitee_email)) = $3
ORDER BY b.integration_id, b.invitee_uri FOR NO KEY UPDATE OF b
"""
_REPLACED = ", ".join(
    f"{column} = ${number}" for number, column in enumerate(FACT_COLUMNS[1:], start=2)
)
_FORGET = f"UPDATE calendly_booking SET {_REPLACED} WHERE public_id = $1"
_BODIES = f"""
SELECT public_id, body_sealed FROM calendly_webhook_event
WHERE public_id > coalesce($1::uuid, {_FIRST})
ORDER BY public_id LIMIT $2
"""
_REPLACE_BODY = "UPDATE calendly_webhook_event SET body_sealed = $2 WHERE public_id = $1"


class PiccoloPersonalData:
    """Implements the PersonalData port."""

    def __init__(self, session: Session, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def bookings_of(
        self, email: str, after: BookingId | None, limit: int
    ) -> tuple[Sequence[Booking], BookingId | None]:
        """Measure the stretch, then lock what is theirs in it."""
        stretch = await self._session.row(_STRETCH, after, limit)
        if stretch is None or stretch["last"] is None:
            return [], None
        rows = await self._session.rows(_BOOKINGS, after, stretch["last"], email)
        ends = stretch["looked"] < limit
        found = [to_booking(row, self._vault) for row in rows]
        return found, None if ends else BookingId(stretch["last"])

    async def forget_bookings(self, bookings: Sequence[Booking]) -> None:
        """Replace every column; unlike elsewhere a link that is not given is removed."""
        await self._session.run_each(
            _FORGET, [(each.id, *to_values(each, self._vault)[1:]) for each in bookings]
        )

    async def bodies(self, after: WebhookEventId | None, limit: int) -> BodyPage:
        """Read and open a page."""
        rows = await self._session.rows(_BODIES, after, limit)
        bodies = tuple(self._opened(row) for row in rows)
        return BodyPage(bodies, after=bodies[-1].id if len(bodies) == limit else None)

    async def replace_body(self, event_id: WebhookEventId, body: bytes) -> None:
        """Seal and store."""
        sealed = seal_body(event_id, body, self._vault)
        await self._session.run(_REPLACE_BODY, event_id, sealed)

    def _opened(self, row: Any) -> OpenedBody:
        event_id = WebhookEventId(row["public_id"])
        try:
            return OpenedBody(event_id, open_body(row, self._vault))
        except SealedValueUnreadable:
            return OpenedBody(event_id, None)
