from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.privacy.erase_invitee import EraseInvitee
from domain.audit import Actor
from domain.booking import BookingStatus
from domain.errors import InvalidInput, StorageUnavailable
from domain.integration import Integration
from tests.application.support.building import Product
from tests.application.support.delivering import canceled, connect, created, deliver, events
from tests.application.support.process import Process
from tests.application.webhooks.test_apply_pending import leave
from tests.fakes.calendly import bodies
from tests.fakes.clock import NOON

CLI = Actor("cli")

GRACE, JOE = "grace@example.net", "joe@example.net"


@pytest.fixture
async def ada(product: Product) -> Integration:
    """A connected user."""
    return await connect(product)


def stored(product: Product) -> str:
    """Return everything that is stored of bookings and bodies."""
    facts = [each.facts for each in product.storage.state.bookings.values()]
    people = [(each.details.invitee.name, each.details.invitee.email) for each in facts]
    links = [each.links.cancel and each.links.cancel.reveal() for each in facts]
    return f"{people} {links} {[row.event.body for row in events(product)]}"


async def test_a_person_is_forgotten(product: Product, process: Process, ada: Integration) -> None:
    """Bookings and stored webhooks lose the person, and no other person."""
    await deliver(process, created(1), ada)
    await deliver(process, canceled(1), ada)
    await deliver(process, created(2, email=JOE, name="Joe"), ada)

    done = await process.erase_invitee(" Grace@Example.NET ", CLI)

    assert (done.bookings, done.webhook_events, done.unreadable) == (1, 2, 0)
    left = stored(product)
    assert "Grace" not in left
    assert GRACE not in left
    assert JOE in left
    assert "cancellations/" in left


async def test_availability_stays_right(
    product: Product, process: Process, ada: Integration
) -> None:
    """A forgotten invitee's booking keeps its time, its status and its host."""
    await deliver(process, created(1), ada)
    (before,) = product.storage.state.bookings.values()

    await process.erase_invitee(GRACE, CLI)

    (after,) = product.storage.state.bookings.values()
    assert (after.id, after.facts.status) == (before.id, BookingStatus.BOOKED)
    assert (after.facts.details.start, after.facts.details.end) == (
        before.facts.details.start,
        before.facts.details.end,
    )


async def test_what_calendly_tells_later_stays_anonymous(
    product: Product, process: Process, ada: Integration
) -> None:
    """A later webhook changes a forgotten booking's status, and does not bring the person back."""
    await deliver(process, created(1), ada)
    await process.erase_invitee(GRACE, CLI)

    await deliver(process, canceled(1), ada)

    (booking,) = product.storage.state.bookings.values()
    assert booking.facts.status is BookingStatus.CANCELED
    assert booking.facts.details.invitee.email == ""
    assert booking.facts.links.cancel is None


async def test_a_booking_that_was_not_known_yet(
    product: Product, process: Process, ada: Integration
) -> None:
    """A booking from before the erasure that arrives afterwards is stored anonymous."""
    await process.erase_invitee(GRACE, CLI)

    await deliver(process, created(1), ada)

    (booking,) = product.storage.state.bookings.values()
    assert booking.facts.details.invitee.email == ""


async def test_who_books_again_is_known_again(
    product: Product, process: Process, ada: Integration
) -> None:
    """A booking that the person makes after the erasure names them: they gave their name again."""
    await process.erase_invitee(GRACE, CLI)
    later = bodies.stamp(NOON + timedelta(days=1))

    await deliver(process, created(1, created_at=later, updated_at=later), ada)

    (booking,) = product.storage.state.bookings.values()
    assert booking.facts.details.invitee.email == GRACE


async def test_a_clock_that_is_behind_calendly_s(
    product: Product, process: Process, ada: Integration
) -> None:
    """A stored booking is erased and stays so, even if Calendly's clock says it was made later."""
    ahead = bodies.stamp(NOON + timedelta(minutes=2))
    await deliver(process, created(1, created_at=ahead, updated_at=ahead), ada)
    product.clock.advance(timedelta(seconds=1))

    done = await process.erase_invitee(GRACE, CLI)

    (erased,) = product.storage.state.bookings.values()
    assert (done.bookings, erased.facts.details.invitee.email) == (1, "")
    later_still = bodies.stamp(NOON + timedelta(minutes=3))
    body = canceled(1, created_at=ahead, updated_at=later_still)
    await deliver(process, body, ada)
    (again,) = product.storage.state.bookings.values()
    assert again.facts.details.invitee.email == ""
    product.storage.state.webhook_events.clear()
    await leave(product, body, ada.id)
    await process.apply(10, lambda _: None)
    (later,) = product.storage.state.bookings.values()
    assert (later.facts.status, later.facts.details.invitee.email) == (BookingStatus.CANCELED, "")


async def test_replaying_what_was_rewritten(
    product: Product, process: Process, ada: Integration
) -> None:
    """A rewritten webhook can be replayed, and changes nothing."""
    ingested = await deliver(process, created(1), ada)
    assert ingested.event_id is not None
    await process.erase_invitee(GRACE, CLI)
    before = dict(product.storage.state.bookings)

    await process.replay_webhook(ingested.event_id, CLI)
    job_result = await process.apply(10, lambda _: None)

    assert job_result.done == {"applied": 1}
    assert product.storage.state.bookings == before


async def test_a_webhook_that_still_waits_is_applied_without_the_person(
    product: Product, process: Process, ada: Integration
) -> None:
    """A pending webhook of an erased invitee still fills the calendar, without a name."""
    async with product.storage() as uow:
        await uow.integrations.get(ada.id)
    ingested = await deliver(process, created(1), ada)
    assert ingested.event_id is not None
    product.storage.state.bookings.clear()
    await process.replay_webhook(ingested.event_id, CLI)

    await process.erase_invitee(GRACE, CLI)
    await process.apply(10, lambda _: None)

    (booking,) = product.storage.state.bookings.values()
    assert booking.facts.details.start == bodies.START
    assert "Grace" not in stored(product)


async def test_it_may_be_repeated(product: Product, process: Process, ada: Integration) -> None:
    """A second erasure finds nothing more; each is recorded without who it was."""
    await deliver(process, created(1), ada)

    first = await process.erase_invitee(GRACE, CLI)
    second = await process.erase_invitee(GRACE, Actor("key:1"))

    assert (first.bookings, second.bookings, second.webhook_events) == (1, 0, 0)
    assert [row.erasure.requested_by for row in product.storage.state.erasures.values()] == [
        "cli",
        "key:1",
    ]
    assert product.telemetry.seen["invitee_erased", 1, 1, 0] == 1


async def test_a_body_that_does_not_open_is_counted(
    product: Product, process: Process, ada: Integration
) -> None:
    """Unreadable webhooks are counted, so that the erasure can be repeated once the key is back."""
    await deliver(process, created(1), ada)
    (row,) = events(product)
    sealed = replace(row, event=replace(row.event, fault="encryption_key_unknown"))
    product.storage.state.webhook_events[row.event.id] = sealed

    done = await process.erase_invitee(GRACE, CLI)

    assert (done.webhook_events, done.unreadable) == (0, 1)


@pytest.mark.parametrize(
    "email", ["", "nobody", "@x", "a@", "a@b\nc", f"{'a' * 251}@b.c", "a b@c.d"]
)
async def test_what_is_no_address(product: Product, process: Process, email: str) -> None:
    """A text that is not an address erases no person, and is not quoted."""
    with pytest.raises(InvalidInput) as caught:
        await process.erase_invitee(email, CLI)

    assert not email or email not in caught.value.message
    assert product.storage.state.erasures == {}


async def test_a_transaction_that_does_not_end_is_reported(
    product: Product, process: Process, ada: Integration
) -> None:
    """Work that began before and is still open after a minute keeps it from claiming success."""
    await deliver(process, created(1), ada)
    product.storage.state.open_elsewhere["backup"] = NOON - timedelta(seconds=1)
    with pytest.raises(StorageUnavailable, match="Repeat the erasure"):
        await process.erase_invitee(GRACE, CLI)

    product.storage.state.open_elsewhere.clear()
    done = await process.erase_invitee(GRACE, CLI)

    assert done.bookings == 1


async def test_an_outage_leaves_the_record(
    product: Product, process: Process, ada: Integration
) -> None:
    """Cut off after its record the erasure already holds for what arrives, and is repeatable."""
    await deliver(process, created(1), ada)
    product.storage.fail_next(None, StorageUnavailable("PostgreSQL is away."))
    erase: EraseInvitee = process.erase_invitee
    with pytest.raises(StorageUnavailable):
        await erase(GRACE, CLI)

    await deliver(process, created(2), ada)
    done = await erase(GRACE, CLI)

    assert done.bookings == 1
    assert "Grace Invitee" not in stored(product).partition("] ")[0]
