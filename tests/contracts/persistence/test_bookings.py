from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.ports.storage.bookings import BookingQuery, Holder, Owner
from application.ports.storage.unit_of_work import Storage
from domain.availability import Window
from domain.booking import Booking, BookingStatus, Cancellation, Invitee, Links, Location, NoShow
from domain.ids import BookingId, IntegrationId
from domain.integration import Integration
from domain.secret import Secret
from tests import samples
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON

HOUR = timedelta(hours=1)
FULL = samples.facts(
    "FULL",
    status=BookingStatus.RESCHEDULED,
    details=samples.details(
        invitee=Invitee(name="Zoë 🦊", email="zoe@example.com", timezone="Asia/Tokyo"),
        location=Location(kind="zoom", text="Room", join_url="https://zoom.example/1"),
        host_uris=("https://api.calendly.com/users/A", "https://api.calendly.com/users/B"),
        calendar_event_id="cal-1",
    ),
    cancellation=Cancellation(at=NOON, by="Zoë", by_kind="invitee", reason="ill"),
    predecessor=samples.invitee_uri("BEFORE"),
    successor=samples.invitee_uri("AFTER"),
    no_show=NoShow(at=NOON, uri=None),
    event_canceled_at=NOON,
    reference="slotkeeper:abc",
    links=Links(
        cancel=Secret("https://calendly.com/cancellations/1"),
        reschedule=Secret("https://calendly.com/reschedulings/1"),
    ),
)


async def test_reads_back(storage: Storage, world: World, ada: Integration) -> None:
    """A booking is read back with everything that is known of it, and with as little as there is."""
    bare = samples.facts("BARE", details=samples.details(event_type_uri=None))
    full, plain = await world.book(ada, FULL, bare)

    async with storage() as uow:
        assert await uow.bookings.find(ada.user_id, plain.id) == plain
        assert await uow.bookings.by_invitee(ada.user_id, FULL.invitee_uri) == full


async def test_put_replaces(storage: Storage, world: World, ada: Integration) -> None:
    """A booking is replaced by integration and invitee; the id that left the service stays.

    So do links, which none takes the place of.
    """
    (first,) = await world.book(ada, FULL)
    emptied = samples.facts("FULL")
    await world.book(ada, emptied)

    async with storage() as uow:
        found = await uow.bookings.by_invitee(ada.user_id, FULL.invitee_uri)
    assert found == replace(first, facts=replace(emptied, links=FULL.links))


async def test_put_replaces_links(storage: Storage, world: World, ada: Integration) -> None:
    """The links stay readable when the same invitee is stored a second time under another id."""
    (first,) = await world.book(ada, samples.facts("FULL"))
    await world.book(ada, FULL)

    async with storage() as uow:
        found = await uow.bookings.by_invitee(ada.user_id, FULL.invitee_uri)
    assert found is not None
    assert (found.id, found.facts.links) == (first.id, FULL.links)


async def test_given_to_another_host(storage: Storage, world: World, ada: Integration) -> None:
    """A previous host finds an event by its id only; a co-host lists it."""
    uri, other = ada.account.user_uri, f"{samples.CALENDLY}/users/OTHER"
    hosts = {"MINE": (uri,), "OURS": (other, uri), "THEIRS": (other,), "UNTOLD": ()}
    starts = {name: NOON + number * HOUR for number, name in enumerate(hosts, start=1)}
    made = await world.book(
        ada,
        *(
            samples.facts(name, details=samples.details(starts[name], host_uris=whose))
            for name, whose in hosts.items()
        ),
    )
    shown = [each for each in made if each.facts.details.host_uris != (other,)]
    span = Window(start=NOON, end=NOON + 9 * HOUR)

    async with storage() as uow:
        page = await uow.bookings.page(ada.user_id, BookingQuery(limit=9))
        found = [await uow.bookings.find(ada.user_id, each.id) for each in made]
        active = await uow.bookings.active_events(ada.id, span, NOON + HOUR)
    assert list(page) == shown
    assert found == made
    assert active == {each.facts.invitee_uri: each.facts.event_uri for each in shown}


async def test_active_events(storage: Storage, world: World, ada: Integration) -> None:
    """Active events are selected by start, including the ends of the span, and creation time."""
    span = Window(start=NOON, end=NOON + HOUR)
    starts = {"EARLY": NOON - HOUR, "FIRST": NOON, "LATE": NOON + HOUR}
    all_facts = [samples.facts(n, details=samples.details(at)) for n, at in starts.items()]
    canceled = samples.facts(
        "CANCELED",
        status=BookingStatus.CANCELED,
        details=samples.details(NOON),
        cancellation=Cancellation(at=NOON, by="Ada", by_kind="host"),
    )
    young = samples.facts("YOUNG", created_at=NOON + HOUR, details=samples.details(NOON))
    await world.book(ada, *all_facts, canceled, young)

    async with storage() as uow:
        active = await uow.bookings.active_events(ada.id, span, NOON + HOUR)
    assert list(active) == [samples.invitee_uri("FIRST")]


async def test_held_elsewhere(storage: Storage, world: World, ada: Integration) -> None:
    """Colleagues are found by the bookings they have or had; strangers and leavers are none."""
    bob, cid = await world.connect("bob"), await world.connect("cid")
    gone, account = await world.connect("gone"), ada.account
    stranger = replace(account, organization_uri="OTHER", user_uri="STRANGER")
    dan = await world.connect("dan", account=stranger)
    one, given = samples.facts("ONE"), samples.facts("GIVEN")
    away = replace(given, details=samples.details(host_uris=(account.user_uri,)))
    for owner in (ada, bob, cid, gone, dan):
        await world.book(owner, one, away if owner is bob else given)
    async with storage() as uow:
        await uow.integrations.mark_disconnecting(gone.id)
        await uow.commit()

    async with storage() as uow:
        found = await uow.bookings.held_elsewhere(
            ada.id, [one.invitee_uri, given.invitee_uri, "unknown"]
        )
    bobs, cids = (Owner(each.id, each.user_id, each.account.user_uri) for each in (bob, cid))
    still, no_more = (
        [Holder(bobs, hosts=True), Holder(cids, hosts=True)],
        Holder(bobs, hosts=False),
    )
    assert found == {one.invitee_uri: still, given.invitee_uri: [no_more, still[1]]}


async def test_put_after_erase(storage: Storage, world: World, ada: Integration) -> None:
    """Nothing is stored for an erased integration."""
    async with storage() as uow:
        await uow.integrations.erase(ada.id)
        await uow.commit()

    (late,) = await world.book(ada, FULL)

    async with storage() as uow:
        assert await uow.bookings.find(ada.user_id, late.id) is None


async def test_others_bookings(storage: Storage, world: World, ada: Integration) -> None:
    """No query finds another user's booking."""
    grace = await world.connect("grace")
    (hers,) = await world.book(grace, FULL)

    async with storage() as uow:
        assert await uow.bookings.find(ada.user_id, hers.id) is None
        assert await uow.bookings.by_invitee(ada.user_id, FULL.invitee_uri) is None
        assert await uow.bookings.by_invitees(ada.user_id, [FULL.invitee_uri]) == {}
        assert list(await uow.bookings.page(ada.user_id, BookingQuery(limit=9))) == []
        assert await uow.bookings.related({ada.id: [FULL.invitee_uri]}, {}) == {ada.id: {}}


async def test_absent(storage: Storage, world: World, ada: Integration) -> None:
    """Unknown ids and URIs find nothing."""
    async with storage() as uow:
        unknown = BookingId(world.randomness.new_id())
        assert await uow.bookings.find(ada.user_id, unknown) is None
        assert await uow.bookings.by_invitee(ada.user_id, "nobody") is None
        absent = IntegrationId(world.randomness.new_id())
        assert await uow.bookings.related({absent: ["nobody"]}, {}) == {absent: {}}


async def test_by_invitees(storage: Storage, world: World, ada: Integration) -> None:
    """Ids are found for the invitees that are known."""
    one, two, _ = await world.book(ada, *(samples.facts(name) for name in "ABC"))

    async with storage() as uow:
        found = await uow.bookings.by_invitees(
            ada.user_id, [samples.invitee_uri(name) for name in "BAX"]
        )
        none = await uow.bookings.by_invitees(ada.user_id, [])

    assert found == {one.facts.invitee_uri: one.id, two.facts.invitee_uri: two.id}
    assert none == {}


async def test_related(storage: Storage, world: World, ada: Integration) -> None:
    """The rows to settle facts against are the named ones and those that name one of them."""
    uri = samples.invitee_uri
    named, before, after, _ = await world.book(
        ada,
        samples.facts("N"),
        samples.facts("P", successor=uri("N")),
        samples.facts("S", predecessor=uri("ABSENT")),
        samples.facts("X", predecessor=uri("P"), successor=uri("S")),
    )

    async with storage() as uow:
        found = (await uow.bookings.related({ada.id: [uri("N"), uri("ABSENT")]}, {}))[ada.id]

    expected = {each.facts.invitee_uri: each for each in (named, before, after)}
    assert found == expected
    assert list(found) == sorted(found)


async def test_related_by_event(storage: Storage, world: World, ada: Integration) -> None:
    """A canceled event relates its active bookings; another event one that shows it as canceled."""
    event = {"event_uri": "https://api.calendly.com/scheduled_events/GROUP"}
    canceled = {**event, "status": BookingStatus.CANCELED, "event_canceled_at": NOON}
    first, second, third, _, _ = await world.book(
        ada,
        samples.facts("A", **event),
        samples.facts("B", **event),
        samples.facts("C", **canceled),
        samples.facts("D", **event, status=BookingStatus.CANCELED),
        samples.facts("OTHER"),
    )

    async with storage() as uow:
        active = await uow.bookings.related({ada.id: []}, {ada.id: {event["event_uri"]: True}})
        known = await uow.bookings.related({ada.id: []}, {ada.id: {event["event_uri"]: False}})

    assert list(active[ada.id].values()) == [first, second]
    assert list(known[ada.id].values()) == [third]


@pytest.mark.parametrize("limit", [1, 2, 3, 9])
async def test_pages(storage: Storage, world: World, ada: Integration, limit: int) -> None:
    """Walking through the pages shows every booking once, by start and id, equal starts too."""
    starts = [3, 1, 2, 2, 2, 1]
    made = await world.book(
        ada,
        *(
            samples.facts(str(number), details=samples.details(NOON + hours * HOUR))
            for number, hours in enumerate(starts)
        ),
    )

    seen: list[Booking] = []
    query = BookingQuery(limit=limit)
    async with storage() as uow:
        while page := await uow.bookings.page(ada.user_id, query):
            assert len(page) <= limit
            seen += page
            query = replace(query, after=(page[-1].facts.details.start, page[-1].id))

    assert seen == sorted(made, key=lambda each: (each.facts.details.start, each.id))


async def test_page_filters(storage: Storage, world: World, ada: Integration) -> None:
    """A page can be narrowed to statuses and to a half-open range of starts."""
    made = await world.book(
        ada,
        *(
            samples.facts(
                status + str(hours),
                status=BookingStatus(status),
                details=samples.details(NOON + hours * HOUR),
            )
            for hours, status in enumerate(["booked", "canceled", "rescheduled", "booked"])
        ),
    )

    async def names(**narrowed: object) -> list[int]:
        query = replace(BookingQuery(limit=9), **narrowed)
        async with storage() as uow:
            return [made.index(each) for each in await uow.bookings.page(ada.user_id, query)]

    assert await names() == [0, 1, 2, 3]
    assert await names(statuses=(BookingStatus.BOOKED,)) == [0, 3]
    assert await names(statuses=(BookingStatus.CANCELED, BookingStatus.RESCHEDULED)) == [1, 2]
    assert await names(starts_from=NOON + HOUR) == [1, 2, 3]
    assert await names(starts_from=NOON + HOUR, starts_before=NOON + 3 * HOUR) == [1, 2]
    assert await names(starts_before=NOON + HOUR, statuses=(BookingStatus.CANCELED,)) == []


async def test_a_replaced_accounts_bookings(
    storage: Storage, world: World, ada: Integration
) -> None:
    """Bookings of a replaced account are neither listed nor found."""
    (mine, shared) = await world.book(ada, samples.facts("A"), samples.facts("S"))
    async with storage() as uow:
        await uow.integrations.mark_disconnecting(ada.id)
        await uow.commit()
    before = await _seen(storage, ada)
    new = await world.connect("ada")
    later = samples.details(NOON + timedelta(days=2))
    (own,) = await world.book(new, samples.facts("S", details=later))

    after = await _seen(storage, ada)

    assert before == {mine.id, shared.id}
    assert after == {own.id}
    async with storage() as uow:
        assert await uow.bookings.find(ada.user_id, mine.id) is None
        assert await uow.bookings.find(ada.user_id, own.id) == own
        assert await uow.bookings.by_invitee(ada.user_id, own.facts.invitee_uri) == own
        assert await uow.bookings.by_invitee(ada.user_id, mine.facts.invitee_uri) == mine
        uris = [mine.facts.invitee_uri, own.facts.invitee_uri]
        assert await uow.bookings.by_invitees(ada.user_id, uris) == {
            uris[0]: mine.id,
            uris[1]: own.id,
        }


async def _seen(storage: Storage, owner: Integration) -> set[BookingId]:
    async with storage() as uow:
        found = await uow.bookings.page(owner.user_id, BookingQuery(limit=9))
    return {each.id for each in found}
