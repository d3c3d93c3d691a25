import asyncio
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.calendly.webhooks import CalendlyWebhookReader
from application.webhooks.delivery import DUPLICATE, STORED, Delivery, IngestResult
from domain.booking import BookingStatus
from domain.errors import StorageUnavailable, SubscriptionNotFound
from domain.ids import IntegrationId
from domain.integration import Integration
from tests.application.support import delivering
from tests.application.support.building import Product
from tests.application.support.delivering import canceled, created, deliver, events, statuses
from tests.application.support.delivery_streams import Outcome, cut, outcome_of, seeded, stream
from tests.application.support.process import Process
from tests.fakes.calendly import bodies


@pytest.fixture
async def ada(product: Product) -> Integration:
    """A connected user."""
    return await delivering.connect(product)


async def at_once(process: Process, to: Integration, *bodies: bytes) -> list[IngestResult]:
    """Deliver a body by itself, and the others while it is being written."""
    return await asyncio.gather(*(deliver(process, each, to) for each in bodies))


async def connected(product: Product) -> list[Integration]:
    """Connect three users; the accounts are the same ones in every product."""
    return [await product.connect(name) for name in ("ada", "bob", "cyd")]


async def by_itself(random: Random) -> Outcome:
    """Store a stream's deliveries each in a transaction of its own."""
    product = Product()
    process = Process(product, "single")
    for each in stream(random, await connected(product)):
        await process.single.store(each)
    return outcome_of(product.storage.state)


async def in_groups(random: Random, sizes: Random) -> Outcome:
    """Store the same stream's deliveries group by group."""
    product = Product()
    batch = Process(product, "grouped").batch
    for group in cut(sizes, stream(random, await connected(product))):
        await batch.store(group)
    return outcome_of(product.storage.state)


@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_any_grouping_leaves_the_same_store(seed: int, sizes: int) -> None:
    """Any grouping of deliveries leaves the same data as single deliveries."""
    grouped = asyncio.run(in_groups(seeded(seed), seeded(sizes)))

    assert grouped == asyncio.run(by_itself(seeded(seed)))


async def test_a_group_is_one_commit(product: Product, process: Process, ada: Integration) -> None:
    """Deliveries that come together are stored and applied by one commit."""
    commits = product.storage.commits

    ingested = await at_once(process, ada, *(created(number) for number in range(9)))

    assert [each.result for each in ingested] == [STORED] * 9
    assert statuses(product) == [BookingStatus.BOOKED] * 9
    assert product.storage.commits == commits + 1


async def test_a_group_knows_its_own_duplicates(
    product: Product, process: Process, ada: Integration
) -> None:
    """Of the same fact twice in one group one is stored, and the other one is a duplicate."""
    ingested = await at_once(process, ada, created(), canceled(), created())

    assert [each.result for each in ingested] == [STORED, STORED, DUPLICATE]
    assert statuses(product) == [BookingStatus.CANCELED]
    assert len(events(product)) == 2


async def test_nothing_but_duplicates_is_no_commit(
    product: Product, process: Process, ada: Integration
) -> None:
    """A group in which nothing is new writes nothing."""
    await deliver(process, created(), ada)
    commits = product.storage.commits

    again = await at_once(process, ada, created(), created())

    assert again == [IngestResult(DUPLICATE)] * 2
    assert product.storage.commits == commits


async def test_an_unknown_address_costs_its_neighbours_nothing(
    product: Product, process: Process, ada: Integration
) -> None:
    """A delivery to an unknown address is refused alone; the others of its group are stored."""
    unknown = IntegrationId(product.randomness.new_id())

    ended = await asyncio.gather(
        deliver(process, created(1), ada),
        deliver(process, created(2), ada, key=f"{unknown.hex}-token"),
        deliver(process, created(3), ada),
        return_exceptions=True,
    )

    assert [type(each) for each in ended] == [IngestResult, SubscriptionNotFound, IngestResult]
    assert len(events(product)) == 2


async def test_an_outage_refuses_the_whole_group(
    product: Product, process: Process, ada: Integration
) -> None:
    """While the database is unavailable, no delivery of a group is stored or accepted."""
    product.storage.fail_next_commit()

    ended = await asyncio.gather(
        *(deliver(process, created(number), ada) for number in range(3)), return_exceptions=True
    )

    assert [type(each) for each in ended] == [StorageUnavailable] * 3
    assert (events(product), statuses(product)) == ([], [])


async def test_a_bad_one_costs_its_neighbours_nothing(
    product: Product, process: Process, ada: Integration
) -> None:
    """When a group cannot be stored for a bug of ours, each of it is stored alone."""
    product.storage.fail_next_commit(RuntimeError("a bug"))

    ingested = await at_once(process, ada, created(1), created(2), created(3))

    assert [each.applied for each in ingested] == [True] * 3
    assert statuses(product) == [BookingStatus.BOOKED] * 3


async def test_an_unreadable_one_waits_among_applied_ones(
    product: Product, process: Process, ada: Integration
) -> None:
    """A group with a payload that cannot be read keeps that one for later and applies the rest."""
    unreadable = created(2, email=["grace@example.net"])

    ingested = await at_once(process, ada, created(1), unreadable)

    assert [each.applied for each in ingested] == [True, False]
    assert sorted(row.status for row in events(product)) == ["applied", "pending"]
    assert product.telemetry.places == {ingested[1].event_id: "payload.email"}


async def test_each_change_of_a_group_invalidates_its_entries(
    product: Product, process: Process, ada: Integration
) -> None:
    """Each change in a group invalidates its own entries; the last change of a scope is kept."""
    changed = bodies.webhook("event_type.updated", bodies.event_type())
    reader, now = CalendlyWebhookReader(), process.clock.now()

    await process.batch.store(
        [
            Delivery(each, reader.read(each), ada.id, now)
            for each in (created(), changed, canceled(2))
        ]
    )

    assert product.storage.state.integrations[ada.id].invalidated == {
        "bookings": (now, "invitee.canceled"),
        "event_types": (now, "event_type.updated"),
    }


async def test_a_delivery_shows_nothing_of_its_body(ada: Integration, process: Process) -> None:
    """The repr of a delivery shows nothing of its body."""
    delivery = Delivery(
        created(), CalendlyWebhookReader().read(created()), ada.id, process.clock.now()
    )

    assert "grace" not in repr(delivery)
