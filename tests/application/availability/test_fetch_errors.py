from datetime import timedelta

import pytest

from application.availability.read_through_cache import UNFETCHED_RETRY_SECONDS, fetch_error
from application.ports.storage.availability_cache import CacheEntry, CacheKind
from domain.errors import (
    AvailabilityPending,
    CalendlyNotFound,
    EventTypeNotFound,
    Kind,
    ScopeMissing,
    SlotkeeperError,
)
from tests.fakes.clock import NOON


@pytest.mark.parametrize(
    ("kind", "code", "expected"),
    [
        (CacheKind.SLOTS, "calendly_not_found", EventTypeNotFound),
        (CacheKind.EVENT_TYPES, "calendly_not_found", CalendlyNotFound),
        (CacheKind.EVENT_TYPES, "scope_missing", ScopeMissing),
        (CacheKind.SLOTS, "circuit_open", AvailabilityPending),
        (CacheKind.BUSY, "a code of yesterday", AvailabilityPending),
    ],
)
def test_a_permanent_refusal_is_not_pending(
    kind: CacheKind, code: str, expected: type[SlotkeeperError]
) -> None:
    """Only what may come by itself is called pending, and a time to ask again goes with it."""
    unfetched = CacheEntry(kind=kind, key="", content=b"", fetched_at=NOON, error_code=code)

    error = fetch_error(unfetched, NOON)

    assert type(error) is expected
    assert (error.retry_after is not None) is (error.kind is Kind.TRANSIENT)


@pytest.mark.parametrize(
    ("backoff", "expected"),
    [
        (None, UNFETCHED_RETRY_SECONDS),
        (timedelta(seconds=90.2), 91),
        (timedelta(), 1),
        (timedelta(seconds=-5), 1),
    ],
)
def test_a_pending_error_has_the_time_of_the_retry(
    backoff: timedelta | None, expected: float
) -> None:
    """A pending entry that backs off reports the rest of it, in whole seconds, at least one."""
    unfetched = CacheEntry(
        kind=CacheKind.BUSY,
        key="",
        content=b"",
        fetched_at=NOON,
        error_code="calendly_unavailable",
        retry_at=None if backoff is None else NOON + backoff,
    )

    assert fetch_error(unfetched, NOON).retry_after == expected
