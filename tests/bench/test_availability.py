"""The availability measurements at small sizes; their floors are for idle machines."""

import pytest

from bench.availability import cold, day, outage, reads, sync
from bench.availability.__main__ import MEASUREMENTS
from bench.stack import open_stack
from domain.cache_policy import Freshness


@pytest.mark.timeout(60)
async def test_a_cached_read_costs_a_round_trip_at_most() -> None:
    """Cached reads and their 304s are answered with at most one database round trip each."""
    size = reads.Size(users=3, rounds=1, requests=200, connections=8)
    async with open_stack() as stack:
        measured = await reads.measure(stack, size)

    assert measured.trips_of(reads.CACHED) <= 1
    assert measured.trips_of(reads.UNCHANGED) <= 1
    trips, count = measured.round_trips[reads.ROUTE]
    # One more is the record of the reads, which is written once for all of them.
    assert trips <= 2 * count + 1
    for name, variant in measured.variants.items():
        assert variant.statuses == {304 if name == reads.UNCHANGED else 200}
    assert [check.subject for check in reads.checks(measured, size)]
    assert "| cached, by the route |" in reads.figures(measured)


@pytest.mark.timeout(60)
async def test_many_reads_of_a_cold_cache_cost_one_fetch_of_each_resource() -> None:
    """Readers of every resource, in two processes, cause one request for each resource."""
    size = cold.Size(readers=48, processes=2, users=1)

    check = cold.check(size, await cold.measure(size))

    assert check.passed, check.measured


@pytest.mark.timeout(60)
async def test_two_moved_hours_of_reads_bookings_and_cancellations() -> None:
    """While people book and cancel, reads are served immediately, and none offers a taken slot."""
    size = day.Size(users=60, reads=1_500, hours=2, every=3, processes=2)

    result = await day.simulate_all(size)

    totals, calls = result.totals, sum(result.calls.values())
    assert "waited" not in totals
    assert result.wrong == {}
    assert sum(result.answers.values()) > result.answers[Freshness.FRESH] > 0
    assert result.done["booked"] > 0
    assert "not applied" not in result.done
    assert sum(result.reads.values()) == sum(result.answers.values())
    assert sum(result.calls_of.values()) == calls
    assert totals["to fill"] == sync.CALLS * len(size.ranks)
    # A call that is under way as the day ends is not counted yet by the process that made it.
    counted = totals["for readers"] + totals.get("by the sync", 0)
    assert 0 <= calls - counted <= size.processes
    most_calls = day.CALLS * size.reads / size.users * len(size.ranks)
    assert day.check(size, result).passed is (calls <= most_calls)
    assert "calls a host" in day.figures(result)


@pytest.mark.timeout(60)
async def test_the_sync_and_the_loop_make_the_same_calls() -> None:
    """A worker fills every cache that is due with as many calls as a bare loop, in flat memory."""
    size = sync.Size(users=24, rounds=2, few=8)

    measured = await sync.measure(size)

    check = sync.check(size, measured, faster=0, tolerance=1.3)
    assert check.passed, check.measured
    assert "ms of CPU a call" in measured.figures()


@pytest.mark.timeout(60)
async def test_six_moved_hours_without_calendly() -> None:
    """While Calendly is down every known user is answered, marked, and Calendly hardly called."""
    check = await outage.measure(outage.Size(users=10, reads=60, hours=6))

    assert check.passed, check.measured


def test_every_measurement_has_a_name() -> None:
    """Each measurement can be requested by its name."""
    assert list(MEASUREMENTS) == ["reads", "cold", "day", "sync", "outage"]
