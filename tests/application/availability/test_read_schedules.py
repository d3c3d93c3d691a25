from domain.cache_policy import Freshness
from tests.application.support.building import Product
from tests.application.support.host_setup import host
from tests.application.support.process import Process


async def test_schedules_come_with_their_age(product: Product, process: Process) -> None:
    """A host's weekly hours are answered from the cache, fetched first where they are missing."""
    ada = await host(product)

    view = await process.schedules(ada.integration.user_id)
    again = await process.schedules(ada.integration.user_id)

    assert [each.name for each in view.items] == ["Hours"]
    assert view.age.freshness is Freshness.FRESH
    assert again == view
    assert product.calendly.calls.total() == product.calendly.calls["schedules"] == 1
