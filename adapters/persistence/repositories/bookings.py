"""Bookings in calendly_booking.

The transactions that merge facts into one integration's bookings run one after the other: `lock`
takes an advisory lock for the integration. A lock on its row would make the refresh and sync jobs
skip the integration while webhooks arrive.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from adapters.persistence.rows.booking import COLUMNS, FACT_COLUMNS, to_booking, to_values
from adapters.persistence.session import Session
from application.ports.storage.bookings import BookingQuery, Holder, Owner
from application.ports.vault import Vault
from domain.availability import Window
from domain.booking import Booking
from domain.ids import BookingId, IntegrationId, UserId

# Held to the end of the transaction. The key share locks come first, as in a transaction that
# stores a webhook, so that the transaction that erases the row waits. Locks are taken by ascending
# public id: two transactions that overlap never wait for each other in a circle.
_LOCK = """
WITH shared AS MATERIALIZED (
    SELECT id, public_id, user_id, account_uri FROM calendly_integration
    WHERE public_id = ANY ($1) OR account_uri = ANY ($2)
    ORDER BY public_id FOR KEY SHARE
), locked AS MATERIALIZED (
    SELECT shared.*, pg_advisory_xact_lock(id) FROM shared
)
SELECT i.public_id, i.account_uri, u.public_id AS user_public_id
FROM locked i JOIN app_user u ON u.id = i.user_id ORDER BY i.public_id
"""
_FROM = """
FROM calendly_booking b
JOIN calendly_integration i ON i.id = b.integration_id
JOIN app_user u ON u.id = b.user_id
"""
# One search by each of the four indexes; a disjunction would use none of them. A canceled event
# needs its active bookings only; another event needs to know whether it was canceled before.
_RELATED = f"""
WITH named AS MATERIALIZED (
    SELECT i.id, n.uri FROM unnest($1::uuid[], $2::text[]) AS n (owner, uri)
    JOIN calendly_integration i ON i.public_id = n.owner
), events AS MATERIALIZED (
    SELECT i.id, e.uri, e.canceled
    FROM unnest($3::uuid[], $4::text[], $5::bool[]) AS e (owner, uri, canceled)
    JOIN calendly_integration i ON i.public_id = e.owner
)
SELECT {COLUMNS} {_FROM}
WHERE b.id IN (
    SELECT f.id FROM named n JOIN calendly_booking f
        ON f.integration_id = n.id AND f.invitee_uri = n.uri
    UNION ALL
    SELECT f.id FROM named n JOIN calendly_booking f
        ON f.integration_id = n.id AND f.predecessor_uri = n.uri
    UNION ALL
    SELECT f.id FROM named n JOIN calendly_booking f
        ON f.integration_id = n.id AND f.successor_uri = n.uri
    UNION ALL
    SELECT f.id FROM events e JOIN calendly_booking f
        ON f.integration_id = e.id AND f.event_uri = e.uri
    WHERE e.canceled AND f.status = 'booked'
    UNION ALL
    SELECT f.id FROM events e CROSS JOIN LATERAL (
        SELECT id FROM calendly_booking
        WHERE integration_id = e.id AND event_uri = e.uri AND event_canceled_at IS NOT NULL
        LIMIT 1
    ) f
    WHERE NOT e.canceled
)
ORDER BY i.public_id, b.invitee_uri FOR NO KEY UPDATE OF b
"""
_TIMES = frozenset(name for name in FACT_COLUMNS if name.endswith("_at"))
_TYPES = dict.fromkeys(_TIMES, "timestamptz") | {"host_uris": "text[]"}
# A sealed link is replaced only by another one. A link that did not open when the booking was read
# stays until its key is back.
_REPLACED = ", ".join(
    f"{column} = coalesce(excluded.{column}, b.{column})"
    if column.endswith("_sealed")
    else f"{column} = excluded.{column}"
    for column in FACT_COLUMNS[1:]
)
# A booking keeps its first id, because callers know it. JSON, because the hosts are a list in each
# row, which unnest would flatten.
_PUT = f"""
INSERT INTO calendly_booking AS b (public_id, integration_id, user_id, {", ".join(FACT_COLUMNS)})
SELECT a.public_id, i.id, i.user_id, {", ".join(f"a.{column}" for column in FACT_COLUMNS)}
FROM json_to_recordset($1::json) AS a (public_id uuid, owner uuid, owner_user uuid,
    {", ".join(f"{column} {_TYPES.get(column, 'text')}" for column in FACT_COLUMNS)})
JOIN calendly_integration i ON i.public_id = a.owner
JOIN app_user u ON u.id = i.user_id AND u.public_id = a.owner_user
ORDER BY a.owner, a.invitee_uri
ON CONFLICT (integration_id, invitee_uri) DO UPDATE SET {_REPLACED}
"""
_NAMES = ("public_id", "owner", "owner_user", *FACT_COLUMNS)
# The integration that Integrations.for_user returns: bookings of a replaced account are not shown
# beside those of the current one.
_OF_CURRENT = """b.integration_id = (
    SELECT id FROM calendly_integration
    WHERE user_id = (SELECT id FROM app_user WHERE public_id = $1)
    ORDER BY status = 'disconnecting', id DESC LIMIT 1
)"""
# A booking reassigned to another host is kept with its id, because it may be reassigned back.
_HOSTED = "(cardinality(b.host_uris) = 0 OR i.account_uri = ANY (b.host_uris))"
_FIND = f"SELECT {COLUMNS} {_FROM} WHERE b.public_id = $2 AND {_OF_CURRENT}"
# The join through the user's integrations lets the search use the unique key. If two integrations
# have the invitee, the current one counts.
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
_ACTIVE_EVENTS = f"""
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

    async def lock(
        self, integration_ids: Sequence[IntegrationId], account_uris: Sequence[str]
    ) -> Sequence[Owner]:
        return await lock_facts(self._session, integration_ids, account_uris)

    async def related(
        self,
        named: Mapping[IntegrationId, Collection[str]],
        events: Mapping[IntegrationId, Mapping[str, bool]],
    ) -> Mapping[IntegrationId, Mapping[str, Booking]]:
        pairs = [(owner, uri) for owner, uris in named.items() for uri in uris]
        owners, uris = [owner for owner, _ in pairs], [uri for _, uri in pairs]
        triples = [(owner, uri, events[owner][uri]) for owner in events for uri in events[owner]]
        event_columns = [list(column) for column in zip(*triples, strict=True)] or [[], [], []]
        found: dict[IntegrationId, dict[str, Booking]] = {owner: {} for owner in named}
        for row in await self._session.rows(_RELATED, owners, uris, *event_columns):
            booking = to_booking(row, self._vault)
            found[booking.integration_id][booking.facts.invitee_uri] = booking
        return found

    async def put(self, bookings: Sequence[Booking]) -> None:
        """Upsert in one sorted order; nothing is stored for an integration that is gone.

        A booking that is already stored under the same invitee keeps its id.
        """
        if bookings:
            rows = [_to_json(each, self._vault) for each in bookings]
            await self._session.run(_PUT, msgspec.json.encode(rows).decode())

    async def held_elsewhere(
        self, integration_id: IntegrationId, invitee_uris: Sequence[str]
    ) -> Mapping[str, Sequence[Holder]]:
        found: dict[str, list[Holder]] = {}
        for row in await self._session.rows(_HELD_ELSEWHERE, integration_id, list(invitee_uris)):
            holder = Holder(_to_owner(row), hosts=row["hosts"])
            found.setdefault(row["invitee_uri"], []).append(holder)
        return found

    async def active_events(
        self, integration_id: IntegrationId, span: Window, made_before: datetime
    ) -> Mapping[str, str]:
        rows = await self._session.rows(
            _ACTIVE_EVENTS, integration_id, span.start, span.end, made_before
        )
        return {row["invitee_uri"]: row["event_uri"] for row in rows}

    async def find(self, user_id: UserId, booking_id: BookingId) -> Booking | None:
        row = await self._session.row(_FIND, user_id, booking_id)
        return None if row is None else to_booking(row, self._vault)

    async def by_invitee(self, user_id: UserId, invitee_uri: str) -> Booking | None:
        row = await self._session.row(_BY_INVITEE, user_id, invitee_uri)
        return None if row is None else to_booking(row, self._vault)

    async def by_invitees(
        self, user_id: UserId, invitee_uris: Sequence[str]
    ) -> Mapping[str, BookingId]:
        rows = await self._session.rows(_BY_INVITEES, user_id, list(invitee_uris))
        return {row["invitee_uri"]: BookingId(row["public_id"]) for row in rows}

    async def page(self, user_id: UserId, query: BookingQuery) -> Sequence[Booking]:
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


async def lock_facts(
    session: Session, integration_ids: Sequence[IntegrationId], account_uris: Sequence[str]
) -> list[Owner]:
    """Lock in a statement of its own: the next one sees everything committed before the lock."""
    rows = await session.rows(_LOCK, list(integration_ids), list(account_uris))
    return [_to_owner(row) for row in rows]


def _to_json(booking: Booking, vault: Vault) -> dict[str, object]:
    owners = (booking.id, booking.integration_id, booking.user_id)
    return dict(zip(_NAMES, (*owners, *to_values(booking, vault)), strict=True))


def _to_owner(row: Any) -> Owner:
    return Owner(
        id=IntegrationId(row["public_id"]),
        user_id=UserId(row["user_public_id"]),
        account_uri=row["account_uri"],
    )
