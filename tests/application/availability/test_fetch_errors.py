from datetime import timedelta

import pytest

from application.availability.fetch_errors import ASK_AGAIN, why_unfetched
from application.ports.storage.availability_cache import CachedPart, Part
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
        (Part.SLOTS, "calendly_not_found", EventTypeNotFound),
        (Part.EVENT_TYPES, "calendly_not_found", CalendlyNotFound),
        (Part.EVENT_TYPES, "scope_missing", ScopeMissing),
        (Part.SLOTS, "circuit_open", AvailabilityPending),
        (Part.BUSY, "a code of yesterday", AvailabilityPending),
    ],
)
def test_a_lasting_refusal_is_not_called_pending(
    part: Part, code: str, said: type[SlotkeeperError]
) -> None:
    """Only what may come by itself is called pending, and a time to ask again goes with it."""
    unfetched = CachedPart(part=part, key="", content=b"", fetched_at=NOON, error_code=code)

    error = why_unfetched(unfetched, NOON)

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
    unfetched = CachedPart(
        part=Part.BUSY,
        key="",
        content=b"",
        fetched_at=NOON,
        error_code="calendly_unavailable",
        retry_at=None if rest is None else NOON + rest,
    )

    assert why_unfetched(unfetched, NOON).retry_after == said
