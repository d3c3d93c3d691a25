import pytest

from tests.faults import clocks
from tests.faults.faketime import MISSING, library


@pytest.mark.skipif(library() is None, reason=MISSING)
async def test_clocks() -> None:
    """A process 100 s ahead takes neither a booking nor a token from one that still works."""
    [row] = await clocks.run(clocks.SMALL)

    assert row.holds, row.seen
