"""A row of calendly_availability_cache as a CacheEntry.

What overtook a part is not in its row: it stands on the integration, once for all parts. And a
webhook that was answered but could not be applied yet overtakes what was fetched before it came.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from application.ports.storage.availability_cache import WEBHOOK_PENDING, CacheEntry, CacheKind
from domain.availability import Window

# Every statement that returns parts reads `c` with these, in this order.
COLUMNS = """
c.part, c.key, c.content, c.fetched_at, c.covers_from, c.covers_until, c.error_code, c.etag,
c.read_at, c.retry_at
"""
PART_COLUMNS = COLUMNS.count(",") + 1
# Of a head the content is left in the store; its length is known without reading it.
HEAD_COLUMNS = COLUMNS.replace("c.content", "octet_length(c.content) > 0")
# And, where parts are read without their integration, `i` with these; the last is from PENDING.
OVERTAKEN_COLUMNS = """
i.availability_invalidated_at, i.availability_invalidated_by,
i.event_types_invalidated_at, i.event_types_invalidated_by, pending.webhook_pending_at
"""
# Joined to `i`: the integration's own row may be held by whom the webhook could not wait for.
PENDING = """
CROSS JOIN LATERAL (
    SELECT max(e.received_at) AS webhook_pending_at FROM calendly_webhook_event e
    WHERE e.user_id = i.user_id AND e.status = 'pending'
) pending
"""


class Overtaking(NamedTuple):
    """When something changed, and why."""

    at: datetime | None
    by: str | None


class Overtaken(NamedTuple):
    """What overtook the parts of one integration."""

    bookings: Overtaking
    event_types: Overtaking

    def after(self, part: CacheKind, fetched_at: datetime) -> Overtaking:
        """Return the latest change that a part fetched then does not know, or nothing."""
        if part is CacheKind.BUSY:
            latest = self.bookings
        elif part is CacheKind.SLOTS:
            latest = _later(self.bookings, self.event_types)
        else:
            latest = self.event_types
        if latest.at is None or latest.at < fetched_at:
            return _NOTHING
        return latest


_NOTHING = Overtaking(None, None)


def overtaken(row: Any) -> Overtaken:
    """Return what a row with the integration's columns and those of `PENDING` says."""
    applied = Overtaking(row["availability_invalidated_at"], row["availability_invalidated_by"])
    return Overtaken(
        _later(applied, Overtaking(row["webhook_pending_at"], WEBHOOK_PENDING)),
        Overtaking(row["event_types_invalidated_at"], row["event_types_invalidated_by"]),
    )


def to_part(values: Sequence[Any], changed: Overtaken) -> CacheEntry:
    """Return the part of `COLUMNS`, or the head of `HEAD_COLUMNS`."""
    name, key, content, fetched_at, since, until, error_code, etag, read_at, retry_at = values
    part = CacheKind(name)
    at, by = changed.after(part, fetched_at)
    withheld = isinstance(content, bool)
    return CacheEntry(
        part=part,
        key=key,
        content=b"" if withheld else content,
        fetched_at=fetched_at,
        covers=None if since is None else Window(start=since, end=until),
        invalidated_at=at,
        invalidated_by=by,
        error_code=error_code,
        etag=etag,
        read_at=read_at,
        retry_at=retry_at,
        withheld=withheld and bool(content),
    )


def to_values(part: CacheEntry) -> tuple[object, ...]:
    """Return what is stored of a part, in the order of `COLUMNS` without `read_at`."""
    covers = part.covers
    return (
        str(part.part),
        part.key,
        part.content,
        part.fetched_at,
        None if covers is None else covers.start,
        None if covers is None else covers.end,
        part.error_code,
        part.etag,
        part.retry_at,
    )


def _later(one: Overtaking, other: Overtaking) -> Overtaking:
    if other.at is None or (one.at is not None and one.at >= other.at):
        return one
    return other
