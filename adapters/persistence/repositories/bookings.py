"""Bookings in calendly_booking.

Facts of one integration are settled one transaction after the other: `related` takes an advisory
lock on the integration's key. Not a lock on its row: that would make the refresh and sync jobs
pass the integration over while webhooks arrive. Whoever settles several integrations in one
transaction must go through them by ascending id.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from adapters.persistence.repositories import booking_batches
from adapters.persistence.rows.booking import COLUMNS, to_booking
from adapters.persistence.session import SETTLING_LOCK, Session
from application.ports.storage.bookings import BookingQuery, Holder, Owner
from application.ports.vault import Vault
from domain.availability import Window
from domain.booking import Booking
from domain.ids import BookingId, IntegrationId, UserId

_FROM = """
FROM calendly_booking b
JOIN calendly_integration i ON i.id = b.integration_id
JOIN app_user u ON u.id = b.user_id
"""
_RELATED = f"""
SELECT {COLUMNS} {_FROM}
WHERE i.public_id = $1
    AND (b.invitee_uri = ANY ($2) OR b.predecessor_uri = ANY ($2) OR b.successor_uri = ANY ($2))
ORDER BY b.invitee_uri FOR NO KEY UPDATE OF b
"""
# As Integrations.for_user has it: what an account left behind is not shown beside the one that
# took its place.
_OF_CURRENT = """b.integration_id = (
    SELECT id FROM calendly_integration
    WHERE user_id = (SELECT id FROM app_user WHERE public_id = $1)
    ORDER BY status = 'disconnecting', id DESC LIMIT 1
)"""
# What was given to another host is kept, as is its id, for the day when it comes back.
_HOSTED = "(cardinality(b.host_uris) = 0 OR i.account_uri = ANY (b.host_uris))"
_FIND = f"SELECT {COLUMNS} {_FROM} WHERE b.public_id = $2 AND {_OF_CURRENT}"
# By way of the user's integrations, so that the unique key serves the search. Of two that both
# have the invitee the current one counts.
_OF_USER = "i.user_id = (SELECT id FROM app_user WHERE public_id = $1)"
_BY_INVITEE = f"""
SELECT {COLUMNS} {_FROM} WHERE {_OF_USER} AND b.invitee_uri = $2
ORDER BY i.status = 'disconnecting', i.id DESC LIMIT 1
"""
_BY_INVITEES = f"""
SELECT b.invitee_uri, b.public_id
FROM calendly_booking b JOIN calendly_integration i ON i.id = b.integration_id
WHERE {_OF_USER} AND b.invitee_uri = ANY ($2)
ORDER BY i.status <> 'disconnecting', i.id
"""
_PAGE = f"""
SELECT {COLUMNS} {_FROM}
WHERE b.user_id = (SELECT id FROM app_user WHERE public_id = $1) AND {_OF_CURRENT} AND {_HOSTED}
    AND (cardinality($2::text[]) = 0 OR b.status = ANY ($2))
    AND ($3::timestamptz IS NULL OR b.start_at >= $3)
    AND ($4::timestamptz IS NULL OR b.start_at < $4)
    AND ($5::timestamptz IS NULL OR (b.start_at, b.public_id) > ($5, $6::uuid))
ORDER BY b.start_at, b.public_id LIMIT $7
"""
_HELD_ELSEWHERE = f"""
SELECT b.invitee_uri, i.public_id, i.account_uri, u.public_id AS user_public_id,
    {_HOSTED} AS hosts
FROM calendly_integration mine
JOIN calendly_integration i ON i.organization_uri = mine.organization_uri AND i.id <> mine.id
JOIN app_user u ON u.id = i.user_id
JOIN calendly_booking b ON b.integration_id = i.id AND b.invitee_uri = ANY ($2)
WHERE mine.public_id = $1 AND i.status <> 'disconnecting'
ORDER BY b.invitee_uri, i.public_id
"""
_STANDING = f"""
SELECT b.invitee_uri, b.event_uri
FROM calendly_booking b JOIN calendly_integration i ON i.id = b.integration_id
WHERE i.public_id = $1 AND b.user_id = i.user_id AND b.status = 'booked'
    AND b.start_at >= $2 AND b.start_at < $3 AND b.created_at < $4 AND {_HOSTED}
"""


class PiccoloBookings:
    """Implements the Bookings port."""

    def __init__(self, session: Session, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def related(
        self, integration_id: IntegrationId, invitee_uris: Sequence[str]
    ) -> Mapping[str, Booking]:
        """Lock the integration's facts, then read and lock the rows that matter."""
        # A statement of its own: the next one has to see what was committed before the lock.
        await self._session.row(SETTLING_LOCK, integration_id)
        rows = await self._session.rows(_RELATED, integration_id, list(invitee_uris))
        return {row["invitee_uri"]: to_booking(row, self._vault) for row in rows}

    async def put(self, bookings: Sequence[Booking]) -> None:
        """Upsert in one sorted order; nothing is stored for an integration that is gone.

        A booking that is stored under the same invitee already keeps its id.
        """
        await booking_batches.put(self._session, self._vault, bookings)

    async def lock(
        self, integration_ids: Sequence[IntegrationId], account_uris: Sequence[str]
    ) -> Sequence[Owner]:
        """Lock the facts of all of them."""
        return await booking_batches.hold(self._session, integration_ids, account_uris)

    async def related_of(
        self, named: Mapping[IntegrationId, Collection[str]]
    ) -> Mapping[IntegrationId, Mapping[str, Booking]]:
        """Read and lock the rows that matter to all of them."""
        return await booking_batches.related_of(self._session, self._vault, named)

    async def held_elsewhere(
        self, integration_id: IntegrationId, invitee_uris: Sequence[str]
    ) -> Mapping[str, Sequence[Holder]]:
        """Read whose they are; of somebody without colleagues here that is one small read."""
        found: dict[str, list[Holder]] = {}
        for row in await self._session.rows(_HELD_ELSEWHERE, integration_id, list(invitee_uris)):
            holder = Holder(booking_batches.to_owner(row), hosts=row["hosts"])
            found.setdefault(row["invitee_uri"], []).append(holder)
        return found

    async def standing(
        self, integration_id: IntegrationId, span: Window, made_before: datetime
    ) -> Mapping[str, str]:
        """Read the URIs alone."""
        rows = await self._session.rows(
            _STANDING, integration_id, span.start, span.end, made_before
        )
        return {row["invitee_uri"]: row["event_uri"] for row in rows}

    async def find(self, user_id: UserId, booking_id: BookingId) -> Booking | None:
        """Read one by its id and its user."""
        row = await self._session.row(_FIND, user_id, booking_id)
        return None if row is None else to_booking(row, self._vault)

    async def by_invitee(self, user_id: UserId, invitee_uri: str) -> Booking | None:
        """Read one by its invitee and its user."""
        row = await self._session.row(_BY_INVITEE, user_id, invitee_uri)
        return None if row is None else to_booking(row, self._vault)

    async def by_invitees(
        self, user_id: UserId, invitee_uris: Sequence[str]
    ) -> Mapping[str, BookingId]:
        """Read ids alone."""
        rows = await self._session.rows(_BY_INVITEES, user_id, list(invitee_uris))
        return {row["invitee_uri"]: BookingId(row["public_id"]) for row in rows}

    async def page(self, user_id: UserId, query: BookingQuery) -> Sequence[Booking]:
        """Read a page by keyset."""
        start, booking_id = query.after or (None, None)
        rows = await self._session.rows(
            _PAGE,
            user_id,
            [str(status) for status in query.statuses],
            query.starts_from,
            query.starts_before,
            start,
            booking_id,
            query.limit,
        )
        return [to_booking(row, self._vault) for row in rows]
