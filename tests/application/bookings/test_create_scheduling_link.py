import pytest

from application.bookings.create_scheduling_link import CreateSchedulingLink
from domain.errors import (
    CalendlyUncertain,
    EventTypeNotFound,
    IntegrationNotFound,
    ReauthRequired,
    ScopeMissing,
)
from tests.application.support.building import Product
from tests.application.support.host_setup import Host, host
from tests.application.support.process import Process

SCOPE = "scheduling_links:write"


@pytest.fixture
def create(product: Product, process: Process) -> CreateSchedulingLink:
    """The use case in one process."""
    return CreateSchedulingLink(
        storage=product.storage,
        session=process.session,
        calendly=product.calendly,
        availability=process.availability,
    )


async def allowed(product: Product, external_id: str = "ada") -> Host:
    """Return a host whose grant has the scope for links."""
    found = await host(product, external_id)
    product.calendly.grants[-1].scopes += (SCOPE,)
    return found


async def test_each_call_makes_a_link_of_its_own(
    product: Product, create: CreateSchedulingLink
) -> None:
    """A link is made for the event type, by its URI or the last segment, and never the same."""
    ada = await allowed(product)
    uri = ada.event_type.uri

    made = [await create(ada.integration.user_id, name) for name in (uri, uri.rpartition("/")[2])]

    assert product.calendly.links == {each.booking_url: uri for each in made}
    assert len(product.calendly.links) == 2
    assert {each.event_type_uri for each in made} == {uri}
    assert {each.integration_id for each in made} == {ada.integration.id}


async def test_only_own_active_event_types_have_links(
    product: Product, create: CreateSchedulingLink
) -> None:
    """An inactive event type, another user's and none at all are not found; nothing is made."""
    ada, bob = await allowed(product), await allowed(product, "bob")
    product.calendly.change_event_type(ada.event_type.uri, active=False)

    for name in (ada.event_type.uri, bob.event_type.uri, ""):
        with pytest.raises(EventTypeNotFound):
            await create(ada.integration.user_id, name)

    assert product.calendly.links == {}


async def test_the_error_for_an_older_grant_names_the_missing_scope(
    product: Product, create: CreateSchedulingLink, process: Process
) -> None:
    """Without the scope the answer names it, and all else of that grant goes on working."""
    ada = await host(product)

    with pytest.raises(ScopeMissing) as caught:
        await create(ada.integration.user_id, ada.event_type.uri)

    assert caught.value.required == (SCOPE,)
    assert (await process.sync(ada.integration.id)) == "synced"
    assert product.calendly.calls["refresh"] == 0


async def test_a_lost_answer_is_handed_on_once(
    product: Product, create: CreateSchedulingLink
) -> None:
    """Nothing is repeated behind the caller's back, who may ask again."""
    ada = await allowed(product)
    lost = CalendlyUncertain("No answer came.")
    product.calendly.fail_next("create_link", lost, processed=True)

    with pytest.raises(CalendlyUncertain):
        await create(ada.integration.user_id, ada.event_type.uri)
    made = await create(ada.integration.user_id, ada.event_type.uri)

    assert product.calendly.calls["create_link"] == 2
    assert made.booking_url in product.calendly.links


async def test_without_an_account_there_are_no_links(
    product: Product, create: CreateSchedulingLink, process: Process
) -> None:
    """A missing integration and a lost grant have an error each."""
    ada = await allowed(product)
    with pytest.raises(IntegrationNotFound):
        await create(await product.user("nobody"), ada.event_type.uri)
    product.calendly.revoke_grants(ada.integration.account.user_uri)
    with pytest.raises(ReauthRequired):
        await process.refresh.run(ada.integration.id)

    with pytest.raises(ReauthRequired):
        await create(ada.integration.user_id, ada.event_type.uri)

    assert product.calendly.links == {}
