"""Writing cached parts: many of one integration in one statement.

The rule not to break: the integration's row is locked before its parts, as whoever erases it
does; every statement here begins with that.
"""

from collections.abc import Sequence

from adapters.persistence.rows.cache_entry import to_values
from adapters.persistence.session import Session
from application.ports.storage.availability_cache import CacheEntry
from domain.ids import IntegrationId, UserId


def _owner(news: str) -> str:
    """Lock the integration, and tell those who hold an answer that it may be another now."""
    return f"""
WITH owner AS (
    UPDATE calendly_integration i SET availability_version = i.availability_version + {news}
    FROM app_user u
    WHERE u.public_id = $1 AND i.public_id = $2 AND i.user_id = u.id
    RETURNING i.id, i.user_id
)
"""


_GIVEN = """
unnest($3::text[], $4::text[], $5::bytea[], $6::timestamptz[], $7::timestamptz[],
    $8::timestamptz[], $9::text[], $10::text[], $11::timestamptz[]) AS given (part, key, content,
    fetched_at, covers_from, covers_until, error_code, etag, retry_at)
"""
# What fails once more, as in an outage all parts do, is no news.
_FAILED_OTHERWISE = f"""(
    SELECT count(*) FROM (
        SELECT FROM {_GIVEN} LEFT JOIN calendly_availability_cache c
            ON c.user_id = i.user_id AND c.part = given.part AND c.key = given.key
        WHERE c.error_code IS DISTINCT FROM given.error_code LIMIT 1
    ) AS changed
)"""
_UPSERT = f"""
INSERT INTO calendly_availability_cache AS c (
    user_id, integration_id, part, key, content, fetched_at, covers_from, covers_until,
    error_code, etag, retry_at
)
SELECT owner.user_id, owner.id, given.* FROM owner, {_GIVEN}
ON CONFLICT (user_id, part, key) DO UPDATE SET
"""
PUT = f"""{_owner("1")}{_UPSERT}
    integration_id = excluded.integration_id, content = excluded.content,
    fetched_at = excluded.fetched_at, covers_from = excluded.covers_from,
    covers_until = excluded.covers_until, error_code = excluded.error_code,
    etag = excluded.etag, retry_at = excluded.retry_at
WHERE c.fetched_at <= excluded.fetched_at
"""
MARK_FAILED = f"""{_owner(_FAILED_OTHERWISE)}{_UPSERT}
    error_code = excluded.error_code, retry_at = excluded.retry_at
"""
RENEW = f"""{_owner("1")}
UPDATE calendly_availability_cache c SET
    fetched_at = given.fetched_at, covers_from = given.covers_from,
    covers_until = given.covers_until, error_code = NULL, retry_at = NULL
FROM owner, {_GIVEN}
WHERE c.user_id = owner.user_id AND c.part = given.part AND c.key = given.key
    AND c.integration_id = owner.id AND c.fetched_at <= given.fetched_at
    AND c.etag = given.etag AND octet_length(c.content) > 0
"""


async def write_parts(
    session: Session,
    statement: str,
    user_id: UserId,
    integration_id: IntegrationId,
    parts: Sequence[CacheEntry],
) -> None:
    """Run one of the statements for all parts; nothing is written for what is gone."""
    if not parts:
        return
    # One of a key: of two changes of one row a statement makes an arbitrary one.
    of_key = {each.at: each for each in parts}
    values = zip(*(to_values(of_key[at]) for at in sorted(of_key)), strict=True)
    await session.run(statement, user_id, integration_id, *map(list, values))
