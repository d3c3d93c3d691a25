"""The rig of the ingest measurement at a small size; its floors are for quiet machines."""

import pytest

from bench.ingest.__main__ import measure
from bench.ingest.judging import figures
from bench.ingest.server import Mode
from bench.ingest.turns import Load


@pytest.mark.timeout(60)
async def test_both_ways_store_and_apply_every_delivery() -> None:
    """Under the same load either way of storing answers, stores and applies every delivery."""
    seen = await measure(Load(rounds=1, requests=64, connections=8), hosts=5, pgbench_seconds=1)

    *_, kept = seen.rows
    assert kept.holds, kept.seen
    assert seen.sides.keys() == set(Mode)
    assert all(seen.sides[mode].server_cpu > 0 for mode in (Mode.GROUPED, Mode.SINGLE))
    assert seen.inserted is not None
    assert seen.inserted.rate > 0
    assert "| group commit |" in figures(seen.sides, seen.inserted)
