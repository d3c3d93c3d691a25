import pytest
from msgspec.structs import replace

from application.bookings.merge_facts import OwnerFacts, merge_facts
from application.bookings.reassigned_hosts import reassigned
from application.ports.storage.bookings import BookingQuery, Owner
from domain.booking import LAG, Booking, BookingStatus, Facts
from domain.errors import (
    CalendlyForbidden,
    CalendlyNotFound,
    CalendlyThrottled,
    SlotkeeperError,
)
from domain.reads import as_read
from domain.reconciliation import IN_FLIGHT
from tests.application.support.building import Product
from tests.application.support.host_setup import Host, host, invalidations, subscribe
from tests.application.support.process import Process

LATER = LAG + IN_FLIGHT


async def colleague(product: Product, process: Process, name: str, of: Host | None = None) -> Host:
    """Connect a host of an organization, with a webhook subscription."""
    made = await host(product, name)
    if of is not None:
        organization = of.integration.account.organization_uri
        account = replace(made.integration.account, organization_uri=organization)
        product.calendly.accounts[account.user_uri] = account
        made = made._replace(integration=replace(made.integration, account=account))
        async with product.storage() as uow:
            await uow.integrations.put_connected(made.integration)
            await uow.commit()
    await subscribe(product, made)
    await process.reconcile(made.integration.id, backfill=True)
    return made


@pytest.fixture
async def ada(product: Product, process: Process) -> Host:
    """The first host."""
    return await colleague(product, process, "ada")


@pytest.fixture
async def bob(product: Product, process: Process, ada: Host) -> Host:
    """The new host."""
    return await colleague(product, process, "bob", ada)


@pytest.fixture
async def ada_and_bob(ada: Host, bob: Host) -> tuple[Host, Host]:
    """Both of them."""
    return ada, bob


@pytest.fixture
async def facts(product: Product, process: Process, ada: Host, bob: Host) -> Facts:
    """A booking with the first host, known here; the second one is there when it is made."""
    assert bob.integration.id != ada.integration.id
    made = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    product.clock.advance(LATER)
    await process.reconcile(ada.integration.id, backfill=False)
    product.telemetry.seen.clear()
    return made


def give(product: Product, facts: Facts, to: Host) -> None:
    """Let Calendly give the event to a host, without a word of when."""
    details = replace(facts.details, host_uris=(to.integration.account.user_uri,))
    product.calendly.put(replace(facts, details=details))
    product.clock.advance(LATER)


async def bookings(product: Product, of: Host) -> list[Booking]:
    """Return what the host is shown."""
    async with product.storage() as uow:
        return list(await uow.bookings.page(of.integration.user_id, BookingQuery(limit=9)))


async def test_the_new_host_s_comparison_moves_a_booking(
    product: Product, process: Process, ada: Host, bob: Host, facts: Facts
) -> None:
    """In one step it leaves the one and appears under the other, and no webhook counts as lost."""
    give(product, facts, bob)

    assert await process.reconcile(bob.integration.id, backfill=False) == 0

    assert await bookings(product, ada) == []
    (moved,) = await bookings(product, bob)
    assert moved.facts.invitee_uri == facts.invitee_uri
    assert product.telemetry.seen == {}
    moved_at = {(product.clock.now(), "reconciliation")}
    assert invalidations(product, ada) == invalidations(product, bob) == moved_at


async def test_a_booking_that_comes_back_keeps_its_id(
    product: Product, process: Process, ada: Host, bob: Host, facts: Facts
) -> None:
    """Given to and fro it is shown to its host alone, under the id that it had there."""
    (before,) = await bookings(product, ada)
    give(product, facts, bob)
    await process.reconcile(bob.integration.id, backfill=False)
    give(product, facts, ada)

    await process.reconcile(ada.integration.id, backfill=False)

    assert [each.id for each in await bookings(product, ada)] == [before.id]
    assert await bookings(product, bob) == []
    assert product.telemetry.seen == {}


async def test_the_old_host_s_comparison_moves_it_as_well(
    product: Product, process: Process, ada: Host, bob: Host, facts: Facts
) -> None:
    """An event that Calendly no longer lists for a host is read, and merged for its current host."""
    give(product, facts, bob)

    assert await process.reconcile(ada.integration.id, backfill=False) == 0

    assert await bookings(product, ada) == []
    assert len(await bookings(product, bob)) == 1
    assert await process.reconcile(bob.integration.id, backfill=False) == 0
    assert product.telemetry.seen == {}


async def test_a_host_who_is_not_connected_gets_nothing(
    product: Product, process: Process, ada: Host, facts: Facts
) -> None:
    """A booking that was reassigned to a host unknown here only leaves the old host."""
    details = replace(facts.details, host_uris=("https://api.calendly.com/users/NOBODY",))
    product.calendly.put(replace(facts, details=details))
    product.clock.advance(LATER)

    await process.reconcile(ada.integration.id, backfill=False)

    assert await bookings(product, ada) == []


@pytest.mark.parametrize(
    "error",
    [CalendlyForbidden("no"), CalendlyNotFound("no"), CalendlyThrottled("no", retry_after=600)],
)
async def test_what_calendly_does_not_tell_changes_nothing(
    product: Product,
    process: Process,
    facts: Facts,
    ada_and_bob: tuple[Host, Host],
    error: SlotkeeperError,
) -> None:
    """A host who may not look at the event any more keeps it until the new one's comparison."""
    ada, bob = ada_and_bob
    give(product, facts, bob)
    product.calendly.fail_next("of_event", error)

    assert await process.reconcile(ada.integration.id, backfill=False) == 0
    assert len(await bookings(product, ada)) == 1

    await process.reconcile(bob.integration.id, backfill=False)
    assert await bookings(product, ada) == []


async def test_a_co_host_keeps_the_booking(
    product: Product, process: Process, ada: Host, bob: Host, facts: Facts
) -> None:
    """Of a collective event each host has a booking, and a missed one was lost."""
    both = (ada.integration.account.user_uri, bob.integration.account.user_uri)
    product.calendly.put(replace(facts, details=replace(facts.details, host_uris=both)))
    product.clock.advance(LATER)

    assert await process.reconcile(bob.integration.id, backfill=False) == 1

    assert len(await bookings(product, ada)) == len(await bookings(product, bob)) == 1


async def test_a_late_webhook_does_not_bring_it_back(
    product: Product, process: Process, ada: Host, bob: Host, facts: Facts
) -> None:
    """A repeated webhook from before the change does not show the booking to the old host."""
    give(product, facts, bob)
    await process.reconcile(bob.integration.id, backfill=False)

    async with product.storage() as uow:
        await merge_facts(
            uow, product.randomness, [OwnerFacts(Owner.of(ada.integration), [facts])]
        )
        await uow.commit()

    assert await bookings(product, ada) == []
    assert len(await bookings(product, bob)) == 1


async def test_what_was_taken_from_the_old_host_before_is_not_lost(
    product: Product, process: Process, ada_and_bob: tuple[Host, Host], facts: Facts
) -> None:
    """The new host's find counts as no lost webhook although the old one has it no longer."""
    ada, bob = ada_and_bob
    give(product, facts, bob)
    known = product.calendly.invitees[facts.invitee_uri]
    async with product.storage() as uow:
        seen = as_read(known, product.clock.now())
        await merge_facts(uow, product.randomness, [OwnerFacts(Owner.of(ada.integration), [seen])])
        await uow.commit()
    assert await bookings(product, ada) == []
    before = invalidations(product, ada)
    async with product.storage() as uow:
        facts_by_owner, invitees = await reassigned(uow, bob.integration, [known])

    assert await process.reconcile(bob.integration.id, backfill=False) == 0

    assert len(await bookings(product, bob)) == 1
    assert product.telemetry.seen == {}
    assert invalidations(product, ada) == before
    assert [each.owner.id for each in facts_by_owner] == [bob.integration.id]
    assert invitees == {facts.invitee_uri}


async def test_a_later_change_that_the_new_host_misses_is_lost(
    product: Product, process: Process, ada: Host, bob: Host, facts: Facts
) -> None:
    """Once a booking is the new host's, a missed cancellation counts as for any host."""
    give(product, facts, bob)
    await process.reconcile(bob.integration.id, backfill=False)
    product.calendly.invitee_cancels(facts.invitee_uri)
    product.clock.advance(LATER)

    assert await process.reconcile(bob.integration.id, backfill=False) == 1

    assert await bookings(product, ada) == []


async def test_an_act_of_the_old_host_moves_it_as_well(
    product: Product, process: Process, ada: Host, bob: Host, facts: Facts
) -> None:
    """The response to canceling shows the event's new host; it is merged for both hosts."""
    (before,) = await bookings(product, ada)
    give(product, facts, bob)

    await process.cancel(before.user_id, "key", before.id, None)

    assert await bookings(product, ada) == []
    (moved,) = await bookings(product, bob)
    assert moved.facts.status is BookingStatus.CANCELED
    acted_at = {(product.clock.now(), "cancel")}
    assert invalidations(product, ada) == invalidations(product, bob) == acted_at
    assert await process.reconcile(bob.integration.id, backfill=False) == 0
