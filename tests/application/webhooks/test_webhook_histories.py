"""From the raw body to the store of bookings: reading, deduplication and settling together."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.booking import BookingStatus, Facts
from domain.ids import IntegrationId
from domain.integration import Integration
from tests.application.support.building import Product
from tests.application.support.delivering import deliver
from tests.application.support.process import Process
from tests.application.support.webhook_histories import (
    ACTS,
    HALVES,
    HOSTS,
    Act,
    Delivery,
    Guest,
    Teller,
    acts,
    toggles,
)
from tests.fakes.calendly import bodies

USERS = {host: f"{bodies.API}/users/HOST{host}" for host in "ABC"}
Store = Mapping[tuple[str, str], Facts]
"""The facts of an invitee, by the connected host and the invitee's URI."""


async def stored(deliveries: Iterable[Delivery]) -> Store:
    """Return the bookings of two connected hosts after these deliveries."""
    product = Product()
    hosts = {name: await connect(product, name) for name in "AB"}
    process = Process(product, "web")
    for body, host in deliveries:
        await deliver(process, body, hosts[host] if host else None)
    names: dict[IntegrationId, str] = {each.id: name for name, each in hosts.items()}
    return {
        (names[owner], uri): booking.facts
        for (owner, uri), booking in product.storage.state.bookings.items()
    }


async def connect(product: Product, host: str) -> Integration:
    """Connect the account of one of the hosts."""
    made = await product.connect(host)
    integration = replace(made, account=replace(made.account, user_uri=USERS[host]))
    async with product.storage() as uow:
        await uow.integrations.put_connected(integration)
        await uow.commit()
    return integration


def truth(guests: Sequence[Guest]) -> dict[tuple[str, str], tuple[object, ...]]:
    """Return the expected bookings of each connected host."""
    return {
        (host, each.uri): (each.status, each.old, each.new, each.mark and each.mark["uri"])
        for each in guests
        for host in each.meeting.hosts
        if host != "C"
    }


def shown(store: Store) -> dict[tuple[str, str], tuple[object, ...]]:
    """Return the same of what is stored."""
    return {
        key: (
            facts.status,
            facts.predecessor,
            facts.successor,
            facts.no_show and facts.no_show.uri,
        )
        for key, facts in store.items()
    }


@given(st.data(), st.lists(acts, max_size=7))
@settings(max_examples=150, deadline=None)
async def test_any_order_and_duplication_over_any_subscriptions_tells_the_same(
    data: st.DataObject, lived: list[Act]
) -> None:
    """Shuffled, repeated and delivered twice over, the webhooks of a life give the same store."""
    teller = Teller(USERS).live([Act("book", hosts=data.draw(st.sampled_from("AB"))), *lived])
    repeated = data.draw(st.lists(st.sampled_from(teller.everything), max_size=6))
    shuffled = data.draw(st.permutations([*teller.everything, *repeated]))

    in_order, out_of_order = await stored(teller.once_in_order), await stored(shuffled)

    assert out_of_order == in_order
    assert shown(in_order) == truth(teller.guests)


@given(st.data(), st.lists(toggles, min_size=2, max_size=7))
@settings(max_examples=150, deadline=None)
async def test_marks_end_up_as_they_are_at_calendly(data: st.DataObject, lived: list[Act]) -> None:
    """Marks that are set and soon taken back end up the same after every order of deliveries."""
    teller = Teller(USERS).live([Act("book"), *lived])
    repeated = data.draw(st.lists(st.sampled_from(teller.everything), max_size=6))

    store = await stored(data.draw(st.permutations([*teller.everything, *repeated])))

    assert shown(store) == truth(teller.guests)


@given(st.data(), st.lists(acts, max_size=7))
@settings(max_examples=100, deadline=None)
async def test_an_organization_s_subscription_alone_tells_everything(
    data: st.DataObject, lived: list[Act]
) -> None:
    """By the event's memberships each booking reaches its hosts, and no other user."""
    teller = Teller(USERS).live([Act("book", hosts="AB"), *lived])
    app_wide = [each for each in teller.everything if each.host is None]

    store = await stored(data.draw(st.permutations(app_wide)))

    assert shown(store) == truth(teller.guests)


@pytest.mark.parametrize("seed", range(3))
async def test_a_long_life_in_any_order(seed: int) -> None:
    """Scores of acts, all webhooks of them delivered twice and shuffled, give the same store."""
    random = Random(seed)  # noqa: S311 - a life, not a secret
    teller = Teller(USERS).live(
        [
            Act(
                random.choice(ACTS),
                random.randrange(50),
                random.uniform(1, 3),
                random.choice(HOSTS),
                random.choice(HALVES),
            )
            for _ in range(80)
        ]
    )
    shuffled = teller.everything * 2
    random.shuffle(shuffled)

    in_order = await stored(teller.once_in_order)

    assert await stored(shuffled) == in_order
    assert shown(in_order) == truth(teller.guests)


LIVES = {
    "a chain of reschedules": [Act("book"), Act("move"), Act("move")],
    "a reschedule that is canceled": [Act("book"), Act("move"), Act("invitee")],
    "a group that its host cancels": [Act("book"), Act("join"), Act("host")],
    "one of a group moves": [Act("book"), Act("join"), Act("move")],
    "a mark set, taken back and set again": [Act("book"), *map(Act, ("mark", "clear", "mark"))],
    "a mark taken back at once": [Act("book"), Act("mark", after=0.2), Act("clear", after=0.5)],
    "a mark taken back twice": [Act("book"), *map(Act, ("mark", "clear", "mark", "clear"))],
    "a reschedule that the older half tells": [Act("book"), Act("move", told_by="older")],
    "a reschedule that the newer half tells": [Act("book"), Act("move", told_by="newer")],
}


@pytest.mark.parametrize("life", LIVES.values(), ids=LIVES.keys())
async def test_every_order_of_a_short_life(life: Sequence[Act]) -> None:
    """All orders of a few webhooks give the bookings that are the case at Calendly."""
    teller = Teller(USERS).live(life)
    expected = await stored(teller.once_in_order)

    assert shown(expected) == truth(teller.guests)
    for order in permutations(teller.once_in_order):
        assert await stored(order) == expected


@pytest.mark.parametrize("told_by", HALVES)
async def test_at_no_moment_is_a_reschedule_a_plain_cancellation(told_by: str) -> None:
    """In any order of deliveries no reader sees a rescheduled meeting as canceled, or twice.

    As soon as the newer half is known the older one is closed, and the two know each other.
    """
    move = Act("move", told_by=told_by)
    teller = Teller(USERS).live([Act("book"), move, move])

    for order in permutations(teller.once_in_order):
        for count in range(1, len(order) + 1):
            store = await stored(order[:count])
            assert BookingStatus.CANCELED not in {facts.status for facts in store.values()}
            for (host, uri), facts in store.items():
                older = store.get((host, facts.predecessor or ""))
                if older is not None:
                    assert (older.status, older.successor) == (BookingStatus.RESCHEDULED, uri)
