"""The ingest measurement at a small size; its floors are for idle machines."""

import pytest

from bench.ingest.checks import figures
from bench.ingest.measure import Size, measure
from bench.ingest.server import Mode


@pytest.mark.timeout(60)
async def test_both_ways_store_and_apply_every_delivery() -> None:
    """Under the same load either way of storing answers, stores and applies every delivery."""
    size = Size(rounds=1, requests=64, connections=8, hosts=5, pgbench_seconds=1)

    measured = await measure(size)

    *_, stored = measured.checks
    assert stored.passed, stored.measured
    assert measured.variants.keys() == set(Mode)
    for mode in (Mode.GROUPED, Mode.SINGLE):
        assert measured.variants[mode].server_cpu > 0
    assert measured.inserted is not None
    assert measured.inserted.rate > 0
    shown = figures(measured.variants, measured.memory, measured.inserted)
    assert "| group commit |" in shown
