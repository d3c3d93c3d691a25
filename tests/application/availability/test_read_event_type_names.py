from datetime import timedelta

import pytest

from application.ports.storage.availability_cache import Scope
from domain.errors import CalendlyUnavailable, EventTypeNotFound
from tests.application.support.building import Product
from tests.application.support.host_setup import (
    A_DAY,
    A_MOMENT,
    TOMORROW,
    Host,
    host,
    invalidate_cache,
)
from tests.application.support.process import CACHE, Process
from tests.application.support.statement_counter import CountedStorage


async def ask(process: Process, ada: Host, name: str) -> None:
    """Ask for tomorrow's slots of an event type."""
    await process.availability(ada.integration.user_id, name, TOMORROW, TOMORROW + A_DAY)


@pytest.mark.parametrize("shortened", [True, False])
async def test_a_read_costs_one_lookup(product: Product, shortened: bool) -> None:
    """A cached response takes one lookup, also by a short name once the process knows a URI."""
    ada = await host(product)
    name = ada.event_type.uri.rsplit("/", 1)[-1] if shortened else ada.event_type.uri
    store = product.storage = CountedStorage(product.storage)
    process = Process(product, "counted")
    await ask(process, ada, name)
    before = store.openings

    await ask(process, ada, name)

    assert store.openings == before + 1


@pytest.mark.parametrize("age", [timedelta(), timedelta(minutes=50)])
@pytest.mark.parametrize("named", ["URI", "last segment"])
async def test_an_event_type_of_another_user_is_not_found(
    product: Product, process: Process, named: str, age: timedelta
) -> None:
    """Another user's event type does not exist, and nothing is fetched, even if the list is old."""
    ada, bob = await host(product, "ada"), await host(product, "bob")
    await process.sync(ada.integration.id)
    product.clock.advance(age)
    product.calendly.calls.clear()
    uri = bob.event_type.uri
    name = uri if named == "URI" else uri.rsplit("/", 1)[-1]

    with pytest.raises(EventTypeNotFound):
        await ask(process, ada, name)
    with pytest.raises(EventTypeNotFound):
        await process.availability.event_type(ada.integration.user_id, name)

    await product.background.settle()
    assert product.calendly.calls.total() == 0


@pytest.mark.parametrize("name", ["", "/", "what is this", "a" * 65, "https://evil.example/%2e"])
async def test_an_invalid_name_causes_no_call(
    product: Product, process: Process, name: str
) -> None:
    """A text that can name no event type of Calendly's costs no call."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    product.calendly.calls.clear()

    with pytest.raises(EventTypeNotFound):
        await ask(process, ada, name)

    await product.background.settle()
    assert product.calendly.calls.total() == 0


async def test_an_inactive_event_type_is_not_found(product: Product, process: Process) -> None:
    """An event type that is known to be switched off is not found, and asking costs no call."""
    ada = await host(product)
    product.calendly.change_event_type(ada.event_type.uri, active=False)
    await process.sync(ada.integration.id)
    product.calendly.calls.clear()

    with pytest.raises(EventTypeNotFound):
        await ask(process, ada, ada.event_type.uri)

    assert product.calendly.calls.total() == 0


async def test_guessed_names_refresh_a_stale_list_once(product: Product, process: Process) -> None:
    """An unknown name is answered immediately from a stale list, which is refreshed as usual."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    product.clock.advance(CACHE.lists_soft_ttl + A_MOMENT)
    product.calendly.calls.clear()
    hold = product.calendly.hold_next("event_types")

    for number in range(60):
        with pytest.raises(EventTypeNotFound):
            await ask(process, ada, f"GUESS{number}")
    hold.release()
    await product.background.settle()

    # In half a day the token died, too.
    assert product.calendly.calls == {"event_types": 1, "refresh": 1}


async def test_a_new_event_type_is_found_after_its_webhook(
    product: Product, process: Process
) -> None:
    """The webhook of a new event type invalidates the list, and the next list has it."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    new = product.calendly.add_event_type(ada.integration.account.user_uri)
    product.calendly.open_slots(new.uri, ada.starts)
    await invalidate_cache(product, ada, "event_type.created", Scope.EVENT_TYPES)
    await process.sync(ada.integration.id)

    view = await process.availability(ada.integration.user_id, new.uri, TOMORROW, TOMORROW + A_DAY)

    assert tuple(each.start for each in view.slots) == ada.starts


async def test_insisting_on_an_unknown_name_costs_nothing(
    product: Product, process: Process
) -> None:
    """For a name that the list lacks nothing is fetched, even with the smallest `max_age`."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    product.clock.advance(A_MOMENT)
    product.calendly.calls.clear()

    for name in ("UNKNOWN", f"{ada.event_type.uri}X"):
        with pytest.raises(EventTypeNotFound):
            await process.availability(
                ada.integration.user_id, name, TOMORROW, TOMORROW + A_DAY, max_age=timedelta()
            )

    assert product.calendly.calls.total() == 0


async def test_an_event_type_that_was_switched_on_is_found(
    product: Product, process: Process
) -> None:
    """Calendly's word of a change lets the list be renewed behind the first who asks."""
    ada = await host(product)
    product.calendly.change_event_type(ada.event_type.uri, active=False)
    await process.sync(ada.integration.id)
    product.calendly.change_event_type(ada.event_type.uri, active=True)
    await invalidate_cache(product, ada, "event_type.updated", Scope.EVENT_TYPES)

    with pytest.raises(EventTypeNotFound):
        await ask(process, ada, ada.event_type.uri)
    await product.background.settle()
    await ask(process, ada, ada.event_type.uri)

    assert product.calendly.calls["event_types"] == 2


async def test_a_deleted_event_type_is_not_found_once_that_is_known(
    product: Product, process: Process
) -> None:
    """After a deletion the slots are served until the list lacks the event type, and then not."""
    ada = await host(product)
    await ask(process, ada, ada.event_type.uri)
    product.calendly.change_event_type(ada.event_type.uri, deleted_at=product.clock.now())
    await invalidate_cache(product, ada, "event_type.deleted", Scope.EVENT_TYPES)

    await ask(process, ada, ada.event_type.uri)
    await product.background.settle()

    with pytest.raises(EventTypeNotFound):
        await ask(process, ada, ada.event_type.uri)


async def test_an_unknown_name_is_not_found_while_calendly_is_down(
    product: Product, process: Process
) -> None:
    """When an expired list cannot be fetched again, the last known one decides."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    product.clock.advance(CACHE.ttl)
    product.calendly.fail_always("event_types", CalendlyUnavailable("down"))

    with pytest.raises(EventTypeNotFound):
        await ask(process, ada, "NEW")
