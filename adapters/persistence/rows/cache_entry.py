"""A row of calendly_availability_cache as a CacheEntry.

The invalidation of an entry is stored on the integration, once for all entries. In addition, a
webhook that is stored but not applied yet invalidates the entries that were fetched before it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from application.ports.storage.availability_cache import WEBHOOK_PENDING, CacheEntry, CacheKind
from domain.availability import Window
from domain.cache_policy import settles_at

# Every statement that returns entries reads `c` with these, in this order.
COLUMNS = """
c.part, c.key, c.content, c.fetched_at, c.covers_from, c.covers_until, c.error_code, c.etag,
c.read_at, c.retry_at, c.skipped
"""
ENTRY_COLUMNS = COLUMNS.count(",") + 1
# The same without the content, whose length is known without reading it.
METADATA_COLUMNS = COLUMNS.replace("c.content", "octet_length(c.content) > 0")
# Where entries are read without their integration, also `i` with these; the last is from PENDING.
INVALIDATION_COLUMNS = """
i.availability_invalidated_at, i.availability_invalidated_by,
i.event_types_invalidated_at, i.event_types_invalidated_by, pending.webhook_pending_at
"""
# Joined to `i`, because another transaction may hold the lock of the integration's row, for which
# the webhook did not wait.
PENDING = """
CROSS JOIN LATERAL (
    SELECT max(e.received_at) AS webhook_pending_at FROM calendly_webhook_event e
    WHERE e.user_id = i.user_id AND e.status = 'pending'
) pending
"""


class Invalidation(NamedTuple):
    """When something changed (UTC), and why; when Calendly's lists show it, if that matters."""

    at: datetime | None
    by: str | None
    settles_at: datetime | None = None


class Invalidations(NamedTuple):
    """The latest changes of one integration's bookings and event types."""

    bookings: Invalidation
    event_types: Invalidation

    def since(self, kind: CacheKind, fetched_at: datetime) -> Invalidation:
        """Return the latest change after an entry's fetch, or an empty one.

        Of a change shortly before the fetch only `settles_at` is returned.
        """
        if kind is CacheKind.BUSY:
            latest = self.bookings
        elif kind is CacheKind.SLOTS:
            latest = _later(self.bookings, self.event_types)
        else:
            latest = self.event_types
        if latest.at is None:
            return _NONE
        if latest.at < fetched_at:
            return Invalidation(None, None, settles_at(fetched_at, latest.at))
        return latest


_NONE = Invalidation(None, None)


def invalidations_of(row: Any) -> Invalidations:
    """Return the changes in a row with the integration's columns and those of `PENDING`."""
    applied = Invalidation(row["availability_invalidated_at"], row["availability_invalidated_by"])
    return Invalidations(
        _later(applied, Invalidation(row["webhook_pending_at"], WEBHOOK_PENDING)),
        Invalidation(row["event_types_invalidated_at"], row["event_types_invalidated_by"]),
    )


def to_entry(values: Sequence[Any], invalidations: Invalidations) -> CacheEntry:
    """Return the entry of `COLUMNS`, or of `METADATA_COLUMNS`."""
    name, key, content, fetched_at, since, until, error_code, etag, read_at, retry_at, skipped = (
        values
    )
    kind = CacheKind(name)
    at, by, settled_at = invalidations.since(kind, fetched_at)
    omitted = isinstance(content, bool)
    return CacheEntry(
        kind=kind,
        key=key,
        content=b"" if omitted else content,
        fetched_at=fetched_at,
        covers=None if since is None else Window(start=since, end=until),
        invalidated_at=at,
        invalidated_by=by,
        settles_at=settled_at,
        error_code=error_code,
        etag=etag,
        read_at=read_at,
        retry_at=retry_at,
        content_omitted=omitted and bool(content),
        skipped=skipped or 0,
    )


def to_values(entry: CacheEntry) -> tuple[object, ...]:
    """Return the stored values of an entry, in the order of `COLUMNS` without `read_at`."""
    covers = entry.covers
    return (
        str(entry.kind),
        entry.key,
        entry.content,
        entry.fetched_at,
        None if covers is None else covers.start,
        None if covers is None else covers.end,
        entry.error_code,
        entry.etag,
        entry.retry_at,
        entry.skipped,
    )


def _later(one: Invalidation, other: Invalidation) -> Invalidation:
    if other.at is None or (one.at is not None and one.at >= other.at):
        return one
    return other
