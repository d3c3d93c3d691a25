from datetime import timedelta

import pytest

from application.availability.retry_times import LONGEST, RETRY_AFTER, SPREAD, retry_times_after
from domain.errors import (
    CalendarBroken,
    CalendlyForbidden,
    CalendlyThrottled,
    CalendlyUnavailable,
    SlotkeeperError,
)
from tests.application.support.process import CACHE
from tests.fakes.clock import NOON

ASKED = timedelta(minutes=10)


@pytest.mark.parametrize("chance", [0, 0.5, 0.999])
def test_a_good_refresh_is_due_before_it_is_stale(chance: float) -> None:
    """A refreshed user is due at the soft TTL, and users are not all due at the same moment."""
    retry_times = retry_times_after([], NOON, CACHE, chance)

    assert retry_times.due_at == NOON + CACHE.soft_ttl * (1 - CACHE.jitter * chance)


@pytest.mark.parametrize(
    ("errors", "shortest"),
    [
        ([CalendlyUnavailable("down")], RETRY_AFTER),
        ([CalendlyThrottled("slow", retry_after=30)], RETRY_AFTER),
        ([CalendlyThrottled("slow", retry_after=600)], ASKED),
        ([CalendlyUnavailable("down"), CalendlyThrottled("slow", retry_after=600)], ASKED),
        ([CalendlyForbidden("no"), CalendlyUnavailable("down")], RETRY_AFTER),
    ],
)
def test_what_passes_is_tried_again_soon(
    errors: list[SlotkeeperError], shortest: timedelta
) -> None:
    """After a passing failure a user retry_times two minutes, or for as long as Calendly asked."""
    for chance in (0, 0.999):
        retry_times = retry_times_after(errors, NOON, CACHE, chance)

        assert shortest <= retry_times.due_at - NOON <= shortest * (1 + SPREAD)
        assert retry_times.temporary == retry_times.due_at
        assert retry_times.of(errors[-1]) == retry_times.temporary


@pytest.mark.parametrize("error", [CalendlyForbidden("no"), CalendarBroken("broken")])
def test_what_is_refused_for_good_keeps_the_rhythm(error: SlotkeeperError) -> None:
    """A permanent refusal makes no user due earlier; a caller may retry within the hour."""
    retry_times = retry_times_after([error], NOON, CACHE, 0.5)

    assert retry_times.due_at == NOON + 0.95 * CACHE.soft_ttl
    assert retry_times.of(error) == NOON + 0.95 * LONGEST


def test_a_very_long_backoff_delays_its_entry_only() -> None:
    """When Calendly wants one part to rest for a day, the others keep their rhythm."""
    error = CalendlyThrottled("slow", retry_after=86_400)

    retry_times = retry_times_after([error], NOON, CACHE, 0)

    assert retry_times.of(error) == NOON + timedelta(days=1)
    assert retry_times.due_at == NOON + CACHE.soft_ttl
