"""The same deliveries several times, in any order, by several subscriptions, to several processes.

Calendly promises neither order nor that a fact is delivered once. An organization's subscription
delivers the same facts as a user's own.
"""

from random import Random
from typing import ClassVar

from tests.faults.rig import open_rig
from tests.faults.row import Row
from tests.faults.scenarios import Size
from tests.faults.web_servers import open_servers
from tests.faults.webhook_lives import Lives, by_organization, live
from tests.faults.webhook_sender import Sender, open_sender
from tests.faults.webhook_store import Stored, stored, summary_of

AT_ONCE = 32


class DuplicatesSize(Size, frozen=True):
    """The number of deliveries, of hosts, and of processes that take them in."""

    SCALES: ClassVar[tuple[str, ...]] = ("deliveries",)
    deliveries: int
    hosts: int = 40
    processes: int = 4


FULL = DuplicatesSize(deliveries=10_000)
SMALL = DuplicatesSize(deliveries=200, hosts=6, processes=2)


async def run(size: DuplicatesSize) -> list[Row]:
    """Send everything three times, once of them to the organization's address, shuffled."""
    random = Random("duplicates")  # noqa: S311 - the same lives in every run
    async with open_rig(users=size.hosts) as rig:
        lives = await live(rig, hosts=size.hosts, deliveries=size.deliveries, random=random)
        posts = [*lives.posts, *lives.posts, *map(by_organization, lives.posts)]
        random.shuffle(posts)
        async with (
            open_servers(rig, size.processes) as servers,
            open_sender(servers.urls) as sender,
        ):
            await sender.send_all(posts, at_once=AT_ONCE)
        found = await stored(rig)
    return [_row(size, lives, sender, found)]


def _row(size: DuplicatesSize, lives: Lives, sender: Sender, found: Stored) -> Row:
    count = len(lives.posts)
    applied = found.statuses["applied"]
    return Row(
        what=f"the same {count:,} bodies three times, shuffled, once of them by an "
        f"organization's subscription, to {size.processes} processes",
        must=f"{count:,} events, bookings as once",
        seen=f"{len(sender.took):,} answered 204, {sender.failed} otherwise; "
        f"{summary_of(found, lives)}, {applied:,} events applied",
        holds=sender.failed == 0
        and found.lost(lives.posts) == 0
        and found.events.total() == applied == count
        and found.wrong(lives.seats) == 0,
    )
