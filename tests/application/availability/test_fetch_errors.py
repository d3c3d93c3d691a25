from datetime import timedelta

import pytest

from application.availability.fetch_errors import ASK_AGAIN, fetch_error
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
    ("part", "code", "said"),
    [
        (CacheKind.SLOTS, "calendly_not_found", EventTypeNotFound),
        (CacheKind.EVENT_TYPES, "calendly_not_found", CalendlyNotFound),
        (CacheKind.EVENT_TYPES, "scope_missing", ScopeMissing),
        (CacheKind.SLOTS, "circuit_open", AvailabilityPending),
        (CacheKind.BUSY, "a code of yesterday", AvailabilityPending),
    ],
)
def test_a_lasting_refusal_is_not_called_pending(
    part: CacheKind, code: str, said: type[SlotkeeperError]
) -> None:
    """Only what may come by itself is called pending, and a time to ask again goes with it."""
    unfetched = CacheEntry(part=part, key="", content=b"", fetched_at=NOON, error_code=code)

    error = fetch_error(unfetched, NOON)

    assert type(error) is said
    assert (error.retry_after is not None) is (error.kind is Kind.TRANSIENT)


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (None, ASK_AGAIN),
        (timedelta(seconds=90.2), 91),
        (timedelta(), 1),
        (timedelta(seconds=-5), 1),
    ],
)
def test_who_asks_again_is_told_when_it_is_worth_it(rest: timedelta | None, said: float) -> None:
    """A pending part that rests says for how long, in whole seconds and never less than one."""
    unfetched = CacheEntry(
        part=CacheKind.BUSY,
        key="",
        content=b"",
        fetched_at=NOON,
        error_code="calendly_unavailable",
        retry_at=None if rest is None else NOON + rest,
    )

    assert fetch_error(unfetched, NOON).retry_after == said
