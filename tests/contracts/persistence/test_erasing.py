from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from application.ports.bookings import BookingQuery
from application.ports.erasures import Erasure
from application.ports.personal_data import OpenedBody
from application.ports.unit_of_work import Storage
from domain.booking import Booking, Cancellation, Invitee, Links, Location
from domain.erasure import anonymous
from domain.ids import BookingId, WebhookEventId
from domain.integration import Integration
from domain.secret import Secret
from tests import samples
from tests.contracts.persistence.test_webhook_events import claim, event, store
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON

IVY = "ivy@example.com"
KEY = Secret("key-of-the-hashes")


def erasure(number: int, erased_at: datetime = NOON) -> Erasure:
    """Return an erasure that was begun."""
    return Erasure(id=UUID(int=number), erased_at=erased_at, requested_by="cli")


async def begin(storage: Storage, what: Erasure, email: str, key: Secret = KEY) -> None:
    """Begin an erasure, committed."""
    async with storage() as uow:
        await uow.erasures.begin(what, email, key)
        await uow.commit()


async def known(storage: Storage, emails: Iterable[str]) -> Mapping[str, datetime]:
    """Return which of these were erased."""
    async with storage() as uow:
        return await uow.erasures.known(set(emails))


async def test_nobody(storage: Storage) -> None:
    """Before the first erasure nobody is known as erased."""
    assert await known(storage, {IVY}) == {}
    assert await known(storage, set()) == {}


async def test_known(storage: Storage) -> None:
    """Of several addresses exactly the erased ones are told, each with its last erasure."""
    await begin(storage, erasure(1), IVY)
    await begin(storage, erasure(2, NOON + timedelta(days=1)), IVY, Secret("another key"))
    await begin(storage, erasure(3), "joe@example.com", Secret("a third key"))

    assert await known(storage, {IVY, "joe@example.com", "eve@example.com"}) == {
        IVY: NOON + timedelta(days=1),
        "joe@example.com": NOON,
    }
    assert await known(storage, set()) == {}


async def test_rolled_back(storage: Storage) -> None:
    """An erasure that is not committed is not known, and its key binds nobody."""
    async with storage() as uow:
        await uow.erasures.begin(erasure(1), IVY, Secret("lost key"))
        assert await uow.erasures.known({IVY}) == {IVY: NOON}

    assert await known(storage, {IVY}) == {}
    await begin(storage, erasure(2), IVY)
    assert await known(storage, {IVY}) == {IVY: NOON}


async def test_finished(storage: Storage) -> None:
    """An erasure that ended is still known."""
    begun = erasure(1)
    await begin(storage, begun, IVY)
    async with storage() as uow:
        await uow.erasures.finish(replace(begun, bookings=2, webhook_events=3, unreadable=0))
        await uow.commit()

    assert await known(storage, {IVY}) == {IVY: NOON}


async def test_quiet(storage: Storage) -> None:
    """With nobody else at work nothing older than a moment is under way."""
    async with storage() as uow:
        moment = await uow.erasures.moment()
    async with storage() as uow:
        assert await uow.erasures.is_quiet_since(moment)


def seat(world: World, owner: Integration, name: str, email: str) -> Booking:
    """Return a booking that is full of one person."""
    facts = samples.facts(
        name,
        details=samples.details(
            invitee=Invitee("Ivy", email, "Europe/Berlin"),
            location=Location("outbound_call", "+49 30 1", "https://meet/1"),
            calendar_event_id="calendar-1",
            host_uris=("host",),
        ),
        cancellation=Cancellation(NOON, "Ivy", "invitee", "ill"),
        links=Links(Secret("https://cancel"), Secret("https://move")),
    )
    return samples.booking(owner, world.entropy, facts)


async def found(storage: Storage, email: str, limit: int) -> list[BookingId]:
    """Return the ids of a person's bookings, walked through in stretches."""
    ids: list[BookingId] = []
    after: BookingId | None = None
    while True:
        async with storage() as uow:
            page, after = await uow.personal_data.bookings_of(email, after, limit)
        ids += [each.id for each in page]
        if after is None:
            return ids


@pytest.mark.parametrize("limit", [1, 2, 99])
async def test_bookings_are_found(
    storage: Storage, world: World, ada: Integration, limit: int
) -> None:
    """A person's bookings of every user are found, in any spelling, and nobody else's."""
    joe = await world.connect("joe")
    made = [
        seat(world, ada, "A", IVY),
        seat(world, ada, "B", "divy@example.com"),
        seat(world, joe, "A", " Ivy@EXAMPLE.com"),
        seat(world, joe, "C", ""),
    ]
    async with storage() as uow:
        await uow.bookings.put(made)
        await uow.commit()

    assert sorted(await found(storage, IVY, limit)) == sorted([made[0].id, made[2].id])
    assert await found(storage, "nobody@example.com", limit) == []


async def test_bookings_are_forgotten(storage: Storage, world: World, ada: Integration) -> None:
    """What is stored of a forgotten booking is what the rule leaves of it, links included."""
    theirs, other = seat(world, ada, "A", IVY), seat(world, ada, "B", "joe@example.com")
    async with storage() as uow:
        await uow.bookings.put([theirs, other])
        await uow.commit()

    async with storage() as uow:
        page, _ = await uow.personal_data.bookings_of(IVY, None, 9)
        forgotten = [replace(each, facts=anonymous(each.facts)) for each in page]
        await uow.personal_data.forget_bookings(forgotten)
        await uow.commit()

    async with storage() as uow:
        stored = await uow.bookings.page(ada.user_id, BookingQuery(limit=9))
    assert {each.id: each.facts for each in stored} == {
        theirs.id: anonymous(theirs.facts),
        other.id: other.facts,
    }
    assert await found(storage, IVY, 9) == []


async def bodies(storage: Storage, limit: int, after: WebhookEventId | None) -> list[OpenedBody]:
    """Return every body behind a position, page by page."""
    seen: list[OpenedBody] = []
    while True:
        async with storage() as uow:
            page = await uow.personal_data.bodies(after, limit)
        assert len(page.bodies) <= limit
        seen += page.bodies
        after = page.after
        if after is None:
            return seen


@pytest.mark.parametrize("limit", [1, 2, 9])
async def test_bodies(storage: Storage, world: World, limit: int) -> None:
    """Pages of any size hold every body once, the oldest first, or those behind a position."""
    made = [event(world, str(number), body=b"%d" % number) for number in range(4)]
    await store(storage, *made)

    expected = [OpenedBody(each.id, each.body) for each in made]

    assert await bodies(storage, limit, None) == expected
    assert await bodies(storage, limit, made[1].id) == expected[2:]


async def test_body_replaced(storage: Storage, world: World) -> None:
    """A rewritten body is what is worked on from then on; all else of the event stays."""
    one, other = event(world, "one"), event(world, "other")
    await store(storage, one, other)
    async with storage() as uow:
        await uow.personal_data.replace_body(one.id, b"{}")
        await uow.commit()

    assert await claim(storage) == [replace(one, body=b"{}"), other]
