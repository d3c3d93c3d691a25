from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from application.ports.storage.bookings import BookingQuery
from application.ports.storage.erasures import Erasure
from application.ports.storage.personal_data import OpenedBody, Seat
from application.ports.storage.unit_of_work import Storage
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


async def test_no_erasure(storage: Storage) -> None:
    """Before the first erasure no address is known as erased."""
    assert await known(storage, {IVY}) == {}
    assert await known(storage, set()) == {}


async def test_known(storage: Storage) -> None:
    """Of several addresses exactly the erased ones are returned, each with its last erasure."""
    await begin(storage, erasure(1), IVY)
    await begin(storage, erasure(2, NOON + timedelta(days=1)), IVY, Secret("another key"))
    await begin(storage, erasure(3), "joe@example.com", Secret("a third key"))

    assert await known(storage, {IVY, "joe@example.com", "eve@example.com"}) == {
        IVY: NOON + timedelta(days=1),
        "joe@example.com": NOON,
    }
    assert await known(storage, set()) == {}


async def test_rolled_back(storage: Storage) -> None:
    """An erasure that is not committed is not known, and its key has no effect."""
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


async def test_unfinished(storage: Storage) -> None:
    """The oldest erasure without counts is returned, but not one that has just begun."""
    hour = timedelta(hours=1)
    later, first = erasure(1, NOON), erasure(2, NOON - hour)
    await begin(storage, later, IVY)
    await begin(storage, first, "joe@example.com")

    async with storage() as uow:
        assert await uow.erasures.unfinished(NOON + hour) == first
        assert await uow.erasures.unfinished(NOON - hour) is None
        assert await uow.erasures.find(later.id) == later
        assert await uow.erasures.find(UUID(int=3)) is None


async def test_a_later_erasure_ends_earlier_ones(storage: Storage) -> None:
    """An erasure that ended ends those of the same person that were cut off, and no others."""
    ended = replace(erasure(4), bookings=7, webhook_events=8, unreadable=0)
    await begin(storage, erasure(4), IVY)
    async with storage() as uow:
        await uow.erasures.finish(ended)
        await uow.commit()
    cut_off, other = erasure(1), erasure(2)
    done = replace(erasure(3, NOON), bookings=2, webhook_events=3, unreadable=1)
    await begin(storage, cut_off, IVY)
    await begin(storage, other, "joe@example.com")
    await begin(storage, erasure(3, NOON), IVY)
    async with storage() as uow:
        await uow.erasures.finish(done)
        await uow.commit()

    async with storage() as uow:
        assert await uow.erasures.find(done.id) == done
        assert await uow.erasures.find(ended.id) == ended
        assert await uow.erasures.find(cut_off.id) == replace(
            cut_off, bookings=0, webhook_events=0, unreadable=1
        )
        assert await uow.erasures.unfinished(NOON + timedelta(days=1)) == other


async def test_quiet(storage: Storage) -> None:
    """Without other processes no transaction is older than a moment."""
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
            host_uris=(owner.account.user_uri,),
        ),
        cancellation=Cancellation(NOON, "Ivy", "invitee", "ill"),
        links=Links(Secret("https://cancel"), Secret("https://move")),
    )
    return samples.booking(owner, world.randomness, facts)


async def seats(storage: Storage, limit: int) -> list[Seat]:
    """Return every booking that names an address, page by page."""
    seen: list[Seat] = []
    after: BookingId | None = None
    while True:
        async with storage() as uow:
            page = await uow.personal_data.seats(after, limit)
        assert len(page.seats) <= limit
        seen += page.seats
        after = page.after
        if after is None:
            return seen


@pytest.mark.parametrize("limit", [1, 2, 99])
async def test_addresses_are_returned_as_they_are_stored(
    storage: Storage, world: World, ada: Integration, limit: int
) -> None:
    """Every booking of every user that names an address is returned once, with equal letters."""
    joe = await world.connect("joe")
    made = [
        seat(world, ada, "A", IVY),
        seat(world, ada, "B", "\u0130pek@stra\u00dfe.example"),
        seat(world, joe, "A", " Ivy@EXAMPLE.com "),
        seat(world, joe, "C", ""),
    ]
    async with storage() as uow:
        await uow.bookings.put(made)
        await uow.commit()

    expected = [Seat(each.id, each.facts.details.invitee.email) for each in made[:3]]

    assert await seats(storage, limit) == expected


async def test_bookings_are_held_in_order(storage: Storage, world: World) -> None:
    """Bookings come by ascending id of their integration, in any order of the request."""
    users = [await world.connect(name) for name in ("ada", "joe")]
    made = [seat(world, owner, name, IVY) for owner in reversed(users) for name in ("B", "A")]
    async with storage() as uow:
        await uow.bookings.put(made)
        await uow.commit()

    async with storage() as uow:
        held = await uow.personal_data.lock_bookings({each.id for each in made})
        nobody = await uow.personal_data.lock_bookings([BookingId(UUID(int=1))])

    assert [each.id for each in held] == [made[each].id for each in (3, 2, 1, 0)]
    assert list(nobody) == []


async def test_bookings_are_forgotten(storage: Storage, world: World, ada: Integration) -> None:
    """A redacted booking is stored as the rule leaves it, links included."""
    theirs, other = seat(world, ada, "A", IVY), seat(world, ada, "B", "joe@example.com")
    async with storage() as uow:
        await uow.bookings.put([theirs, other])
        await uow.commit()

    async with storage() as uow:
        held = await uow.personal_data.lock_bookings([theirs.id])
        forgotten = [replace(each, facts=anonymous(each.facts)) for each in held]
        await uow.personal_data.forget_bookings(forgotten)
        await uow.commit()

    async with storage() as uow:
        stored = await uow.bookings.page(ada.user_id, BookingQuery(limit=9))
    assert {each.id: each.facts for each in stored} == {
        theirs.id: anonymous(theirs.facts),
        other.id: other.facts,
    }
    assert await seats(storage, 9) == [Seat(other.id, "joe@example.com")]


async def bodies(
    storage: Storage,
    limit: int,
    after: WebhookEventId | None,
    since: datetime | None = None,
) -> list[OpenedBody]:
    """Return every body behind a position, page by page."""
    seen: list[OpenedBody] = []
    while True:
        async with storage() as uow:
            page = await uow.personal_data.bodies(after, limit, since)
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

    expected = [OpenedBody(each.id, NOON, each.body) for each in made]

    assert await bodies(storage, limit, None) == expected
    assert await bodies(storage, limit, made[1].id) == expected[2:]


@pytest.mark.parametrize("limit", [1, 2, 9])
async def test_bodies_since(storage: Storage, world: World, limit: int) -> None:
    """Since a moment there count those that were received then, and those that were settled."""
    day = timedelta(days=1)
    made = [event(world, str(number), received_at=NOON - 9 * day) for number in range(5)]
    made[3] = replace(made[3], received_at=NOON)
    await store(storage, *made)
    async with storage() as uow:
        await uow.webhook_events.applied(made[0].id, NOON - day)
        await uow.webhook_events.ignored(made[2].id, "unknown_kind", NOON)
        await uow.commit()

    seen = await bodies(storage, limit, None, since=NOON)

    assert [each.id for each in seen] == [made[2].id, made[3].id]


async def test_body_replaced(storage: Storage, world: World) -> None:
    """A rewritten body is what is worked on from then on; all else of the event stays."""
    one, other = event(world, "one"), event(world, "other")
    await store(storage, one, other)
    async with storage() as uow:
        await uow.personal_data.replace_body(one.id, b"{}")
        await uow.commit()

    assert await claim(storage) == [replace(one, body=b"{}"), other]
