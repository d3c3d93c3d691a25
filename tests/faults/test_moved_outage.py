import pytest

from domain.secret import Secret
from tests.faults.moved import outage
from tests.faults.moved.outage import Kind, Size


@pytest.mark.parametrize("kind", ["503", "hangs"])
async def test_an_outage_of_calendly_costs_no_account(database_url: Secret, kind: Kind) -> None:
    """Six hours without Calendly take few calls and no grant, and are over soon afterwards."""
    size = Size(integrations=400, without_breakers=3, kinds=(kind,))

    (row,) = await outage.run(size, database_url)

    assert row.holds, row.seen
