from datetime import timedelta

from msgspec.structs import replace

from adapters.persistence.storage import PiccoloStorage
from application.ports.storage.bookings import BookingQuery
from application.ports.storage.webhook_events import NewEvent, WebhookEvent
from domain.booking import Invitee, Links
from domain.ids import WebhookEventId
from domain.integration import Integration
from domain.secret import Secret
from tests import samples
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON
from tests.fakes.vault import FakeVault

MINUTE = timedelta(minutes=1)


async def test_lost_key_comes_with_its_fault(
    piccolo_storage: PiccoloStorage, world: World, vault: FakeVault
) -> None:
    """A webhook whose key is gone is handed out as such, and as a whole once the key is back."""
    sealed_before, sealed_after = (
        WebhookEvent(
            id=WebhookEventId(world.randomness.new_id()),
            dedupe_key=key,
            kind="invitee.created",
            body=key.encode(),
            received_at=NOON,
            occurred_at=NOON,
        )
        for key in ("before", "after")
    )
    async with piccolo_storage() as uow:
        await uow.webhook_events.store([NewEvent(sealed_before)])
        vault.rotate()
        await uow.webhook_events.store([NewEvent(sealed_after)])
        vault.lose("key-1")
        await uow.commit()

    async with piccolo_storage() as uow:
        claimed = await uow.webhook_events.claim_pending(NOON, NOON + MINUTE, 9)
        await uow.webhook_events.applied(sealed_after.id, NOON)
        await uow.commit()
    vault.regain("key-1")
    async with piccolo_storage() as uow:
        later = await uow.webhook_events.claim_pending(NOON + MINUTE, NOON + 2 * MINUTE, 9)

    unopened = replace(sealed_before, body=b"", fault="encryption_key_unknown")
    assert claimed == [unopened, sealed_after]
    assert later == [sealed_before]


async def test_moved_value(
    piccolo_storage: PiccoloStorage, world: World, ada: Integration
) -> None:
    """A sealed link that was copied to another booking does not open there; the booking does."""
    links = Links(cancel=Secret("https://calendly.com/cancellations/1"))
    await world.book(ada, samples.facts("A", links=links), samples.facts("B", links=links))
    async with piccolo_storage() as uow:
        await uow.bookings._session.run(
            "UPDATE calendly_booking SET cancel_link_sealed = (SELECT cancel_link_sealed"
            " FROM calendly_booking WHERE invitee_uri = $1)",
            samples.invitee_uri("A"),
        )
        await uow.commit()

    async with piccolo_storage() as uow:
        page = await uow.bookings.page(ada.user_id, BookingQuery(limit=9))

    assert {each.facts.invitee_uri: each.facts.links for each in page} == {
        samples.invitee_uri("A"): links,
        samples.invitee_uri("B"): Links(),
    }


async def test_unopened_links_are_kept(
    piccolo_storage: PiccoloStorage, world: World, vault: FakeVault, ada: Integration
) -> None:
    """A booking that changes while the key of its links is missing has them once it is back."""
    links = Links(cancel=Secret("https://calendly.com/cancellations/1"))
    await world.book(ada, samples.facts("A", links=links))
    vault.rotate()
    vault.lose("key-1")
    async with piccolo_storage() as uow:
        unopened = await uow.bookings.by_invitee(ada.user_id, samples.invitee_uri("A"))
        assert unopened is not None
        await uow.bookings.put([unopened])
        await uow.commit()
    vault.regain("key-1")

    async with piccolo_storage() as uow:
        found = await uow.bookings.by_invitee(ada.user_id, samples.invitee_uri("A"))

    assert unopened.facts.links == Links()
    assert found is not None
    assert found.facts.links == links


async def test_nul(piccolo_storage: PiccoloStorage, world: World, ada: Integration) -> None:
    """A NUL that an invitee typed, which PostgreSQL cannot store, does not stop the booking."""
    odd = samples.details(invitee=Invitee(name="Nu\x00l", email="nul@example.com"))
    await world.book(ada, samples.facts("A", details=odd))

    async with piccolo_storage() as uow:
        found = await uow.bookings.by_invitee(ada.user_id, samples.invitee_uri("A"))

    assert found is not None
    assert found.facts.details.invitee.name == "Nu\ufffdl"
