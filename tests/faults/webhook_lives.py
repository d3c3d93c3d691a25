"""Lives of bookings at Calendly for connected hosts: what is delivered of them, and the truth.

The truth is that of `Teller`; nothing of it passes through the service's code.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import NamedTuple

import msgspec

from domain.ids import IntegrationId
from domain.subscription import new_key
from tests.application.support.webhook_histories import ACTS, HALVES, Act, Guest, Teller
from tests.fakes.calendly import bodies
from tests.faults import accounts
from tests.faults.rig import Rig

WEBHOOKS = "/api/calendly/webhooks"
# Of a collective event one host is connected and the other is not.
HOSTS = ("A", "B", "AC")
# The last acts make one delivery each, so that the number is exactly the requested one.
MARGIN = 12


class Post(NamedTuple):
    """A body, the path that it goes to, and the one connected host that it concerns."""

    body: bytes
    path: str
    host: IntegrationId


class Seat(NamedTuple):
    """The data about one invitee that a host's team reads; the time is Calendly's own text."""

    status: str
    no_show: bool
    predecessor: str | None
    successor: str | None
    canceled_at: str | None


Seats = Mapping[tuple[IntegrationId, str], Seat]


class Lives(msgspec.Struct, frozen=True):
    """Every delivery once, in the order of events, and the truth after all of them."""

    posts: Sequence[Post]
    seats: Seats


async def live(rig: Rig, *, hosts: int, deliveries: int, random: Random) -> Lives:
    """Connect so many hosts, at least two, and make so many deliveries of their bookings."""
    connected = await accounts.connect(rig, hosts, expires_in=timedelta(days=1))
    ids = [each.id for each in connected]
    uris = await _account_uris(rig, ids)
    posts: list[Post] = []
    seats: dict[tuple[IntegrationId, str], Seat] = {}
    pairs = list(zip(ids[::2], ids[1::2], strict=False))
    for number, pair in enumerate(pairs):
        named = dict(zip("AB", pair, strict=True))
        teller = Teller({name: uris[each] for name, each in named.items()} | {"C": bodies.USER})
        _live(teller, (deliveries - len(posts)) // (len(pairs) - number), random)
        posts += _posts(teller, named)
        seats |= _seats(teller, named)
    return Lives(posts, seats)


def by_organization(post: Post) -> Post:
    """Return the same fact as an organization's subscription delivers it."""
    return post._replace(path=WEBHOOKS)


async def _account_uris(rig: Rig, ids: Sequence[IntegrationId]) -> dict[IntegrationId, str]:
    found = {}
    async with rig.storage() as uow:
        for each in ids:
            integration = await uow.integrations.get(each)
            if integration is None:
                raise LookupError(f"integration {each} is gone")
            found[each] = integration.account.user_uri
    return found


def _live(teller: Teller, deliveries: int, random: Random) -> None:
    while len(teller.told) < deliveries:
        free = deliveries - len(teller.told) > MARGIN
        act = Act(
            random.choice(ACTS) if free else "book",
            which=random.randrange(1_000_000),
            # Calendly's envelope carries whole seconds.
            after=random.uniform(1.0, 2.5),
            hosts=random.choice(HOSTS),
            told_by=random.choice(HALVES),
        )
        teller.live([act])


def _posts(teller: Teller, ids: Mapping[str, IntegrationId]) -> Iterator[Post]:
    paths = {name: f"{WEBHOOKS}/{new_key(each, 'faults')}" for name, each in ids.items()}
    for body, host in teller.once_in_order:
        if host is not None:
            yield Post(body, paths[host], ids[host])


def _seats(
    teller: Teller, ids: Mapping[str, IntegrationId]
) -> dict[tuple[IntegrationId, str], Seat]:
    return {
        (ids[host], guest.uri): _seat(guest)
        for guest in teller.guests
        for host in guest.meeting.hosts
        if host in ids
    }


def _seat(guest: Guest) -> Seat:
    canceled_at = guest.cancellation["created_at"] if guest.cancellation else None
    return Seat(str(guest.status), guest.mark is not None, guest.old, guest.new, canceled_at)
