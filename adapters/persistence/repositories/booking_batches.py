"""Settling facts of several integrations in one transaction: a constant number of statements.

Locks are taken by ascending public id of the integration, the order of whoever settles several:
two batches that overlap never wait for each other in a circle.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from adapters.persistence.rows.booking import COLUMNS, FACT_COLUMNS, to_booking, to_values
from adapters.persistence.session import Session
from application.ports.storage.bookings import Owner
from application.ports.vault import Vault
from domain.booking import Booking
from domain.ids import IntegrationId, UserId

# The key share comes first, for all of them, and then the settling lock: see SETTLING_LOCK.
_HOLD = """
WITH held AS MATERIALIZED (
    SELECT id, public_id, user_id, account_uri FROM calendly_integration
    WHERE public_id = ANY ($1) OR account_uri = ANY ($2)
    ORDER BY public_id FOR KEY SHARE
), locked AS MATERIALIZED (
    SELECT held.*, pg_advisory_xact_lock(id) FROM held
)
SELECT i.public_id, i.account_uri, u.public_id AS user_public_id
FROM locked i JOIN app_user u ON u.id = i.user_id ORDER BY i.public_id
"""
# One search by each of the three indexes; a disjunction would use none of them.
_RELATED_OF = f"""
WITH named AS MATERIALIZED (
    SELECT i.id, n.uri FROM unnest($1::uuid[], $2::text[]) AS n (owner, uri)
    JOIN calendly_integration i ON i.public_id = n.owner
)
SELECT {COLUMNS} FROM calendly_booking b
JOIN calendly_integration i ON i.id = b.integration_id
JOIN app_user u ON u.id = b.user_id
WHERE b.id IN (
    SELECT f.id FROM named n JOIN calendly_booking f
        ON f.integration_id = n.id AND f.invitee_uri = n.uri
    UNION ALL
    SELECT f.id FROM named n JOIN calendly_booking f
        ON f.integration_id = n.id AND f.predecessor_uri = n.uri
    UNION ALL
    SELECT f.id FROM named n JOIN calendly_booking f
        ON f.integration_id = n.id AND f.successor_uri = n.uri
)
ORDER BY i.public_id, b.invitee_uri FOR NO KEY UPDATE OF b
"""
_TIMES = frozenset({"created_at", "updated_at", "start_at", "end_at", "canceled_at", "no_show_at"})
_TYPES = dict.fromkeys(_TIMES, "timestamptz") | {"host_uris": "text[]"}
# Nothing takes the place of a sealed link but another: one that did not open when the booking was
# read stays for the day when its key is back.
_REPLACED = ", ".join(
    f"{column} = coalesce(excluded.{column}, b.{column})"
    if column.endswith("_sealed")
    else f"{column} = excluded.{column}"
    for column in FACT_COLUMNS[1:]
)
# The id that a booking got first stays: it left the service. JSON, because the hosts are a list
# within each row, which unnest would flatten.
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


async def hold(
    session: Session, integration_ids: Sequence[IntegrationId], account_uris: Sequence[str]
) -> list[Owner]:
    """Lock in a statement of its own: the next one sees what was committed before the lock."""
    rows = await session.rows(_HOLD, list(integration_ids), list(account_uris))
    return [to_owner(row) for row in rows]


async def related_of(
    session: Session, vault: Vault, named: Mapping[IntegrationId, Collection[str]]
) -> dict[IntegrationId, dict[str, Booking]]:
    """Read and lock the rows that matter to all of them."""
    pairs = [(owner, uri) for owner, uris in named.items() for uri in uris]
    owners, uris = [owner for owner, _ in pairs], [uri for _, uri in pairs]
    found: dict[IntegrationId, dict[str, Booking]] = {owner: {} for owner in named}
    for row in await session.rows(_RELATED_OF, owners, uris):
        booking = to_booking(row, vault)
        found[booking.integration_id][booking.facts.invitee_uri] = booking
    return found


async def put(session: Session, vault: Vault, bookings: Sequence[Booking]) -> None:
    """Upsert in one sorted order; nothing is stored for an integration that is gone."""
    if bookings:
        rows = [_to_json(each, vault) for each in bookings]
        await session.run(_PUT, msgspec.json.encode(rows).decode())


def _to_json(booking: Booking, vault: Vault) -> dict[str, object]:
    owners = (booking.id, booking.integration_id, booking.user_id)
    return dict(zip(_NAMES, (*owners, *to_values(booking, vault)), strict=True))


def to_owner(row: Any) -> Owner:
    """Return the owner that a row of an integration, with its user's public id, names."""
    return Owner(
        id=IntegrationId(row["public_id"]),
        user_id=UserId(row["user_public_id"]),
        account_uri=row["account_uri"],
    )
