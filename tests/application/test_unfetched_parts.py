import pytest

from application.ports.availability_cache import CachedPart, Part
from application.unfetched_parts import why_unfetched
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

    error = why_unfetched(unfetched)

    assert type(error) is said
    assert (error.retry_after is not None) is (error.kind is Kind.TRANSIENT)
