"""The rig of the availability measurements at small sizes; its floors are for quiet machines."""

import pytest

from bench.availability import cold
from bench.availability.parts import PARTS
from bench.availability.reads import judging as reads_judging
from bench.availability.reads import turns as reads
from bench.availability.sync import judging as sync_judging
from bench.availability.sync import turns as sync
from bench.availability.town import day, down, towns
from bench.availability.town import judging as day_judging
from bench.stage import Stage, staged
from domain.cache_policy import Freshness


@pytest.mark.timeout(60)
async def test_a_remembered_answer_costs_a_round_trip_at_most() -> None:
    """Cached reads and their 304s are answered with at most one look at the database each."""
    load = reads.Load(users=3, rounds=1, requests=200, connections=8)
    async with staged(Stage) as stage:
        seen = await reads.measure(stage, load)

    cached, unchanged = (seen.trips[side] for side in (reads.CACHED, reads.UNCHANGED))
    assert cached.trips <= cached.requests
    assert unchanged.trips <= unchanged.requests
    assert seen.trips[reads.ROUTE].each <= 2 * (1 + reads_judging.MARKS)
    for name, side in seen.sides.items():
        assert side.statuses == {304 if name == reads.UNCHANGED else 200}
    assert seen.sides[reads.UNCHANGED].statuses == {304}
    assert [row.what for row in reads_judging.rows(seen, load)]
    assert "| cached, by the route |" in reads_judging.figures(seen)


@pytest.mark.timeout(60)
async def test_a_crowd_before_a_cold_cache_costs_one_fetch_of_each_resource() -> None:
    """Readers of everything there is, in two processes, make one request for each resource."""
    size = cold.Size(readers=48, processes=2, users=1)

    row = cold.row(size, await cold.measure(size))

    assert row.holds, row.seen


@pytest.mark.timeout(60)
async def test_two_moved_hours_of_reads_bookings_and_cancellations() -> None:
    """While people book and cancel, reads do not wait, and none offers a slot that is taken."""
    size = day.Size(users=60, reads=1_500, hours=2, every=3, towns=2)

    seen = await towns.play_all(size)

    fresh = seen.answers.get(Freshness.FRESH, 0)
    assert sum(seen.waits.values()) == 0
    assert seen.wrong == {}
    assert sum(seen.answers.values()) > fresh > 0
    assert seen.done["booked"] > 0
    assert "not applied" not in seen.done
    assert sum(group.reads for group in seen.groups) == sum(seen.answers.values())
    assert sum(group.calls for group in seen.groups) == sum(seen.calls.values())
    assert seen.filling == 8 * len(size.ranks)
    # A call that is still under way as the day ends is counted under no cause yet.
    assert 0 <= sum(seen.calls.values()) - seen.by_readers - seen.by_sync <= size.towns
    calls_a_user = sum(seen.calls.values()) / len(size.ranks)
    most_a_user = day_judging.CALLS * size.reads / size.users
    assert day_judging.row(size, seen).holds is (calls_a_user <= most_a_user)
    assert "calls a host" in day_judging.figures(seen)


@pytest.mark.timeout(60)
async def test_the_sync_and_the_loop_make_the_same_calls() -> None:
    """A worker fills every cache that is due with as many calls as a bare loop, in flat memory."""
    size = sync.Size(users=24, rounds=2, few=8)

    seen = await sync.measure(size)

    row = sync_judging.row(size, seen, faster=0, flat=1.3)
    assert row.holds, row.seen
    assert "ms of CPU a call" in sync_judging.figures(seen)


@pytest.mark.timeout(60)
async def test_six_moved_hours_without_calendly() -> None:
    """While Calendly is down every known user is answered, marked, and Calendly hardly called."""
    size = down.Size(users=10, reads=60, hours=6)

    row = down.row(size, await down.play(size))

    assert row.holds, row.seen


def test_every_row_has_a_part_to_ask_for() -> None:
    """Each measurement can be asked for by its name."""
    assert list(PARTS) == ["reads", "cold", "day", "sync", "down"]
