"""Temporal is down while deliveries come, and some of them cannot be applied on arrival.

Taking in and applying need no Temporal; what was left over is applied once it is there.
"""

from random import Random
from typing import Any, ClassVar

import asyncpg
import msgspec

from adapters.local_stack.temporal_server import NAMESPACE
from adapters.temporal.connect import connect
from adapters.temporal.jobs import TemporalJobs
from domain.ids import IntegrationId
from tests.faults.rig import Rig, eventually, open_rig
from tests.faults.row import Row
from tests.faults.scenarios import Size
from tests.faults.temporal import open_jobs
from tests.faults.web_servers import open_servers
from tests.faults.webhook_lives import Lives, live
from tests.faults.webhook_sender import Sender, open_sender
from tests.faults.webhook_store import Stored, stored, summary_of

AT_ONCE = 32
# The schedule sweeps each minute.
DRAINS_WITHIN = 180.0
# As a bug would that concerns one host: nothing of it can be applied.
_REFUSE = "ALTER TABLE calendly_booking ADD CONSTRAINT faults CHECK (integration_id <> {})"
_ALLOW = "ALTER TABLE calendly_booking DROP CONSTRAINT faults"
_ID = "SELECT id FROM calendly_integration WHERE public_id = $1"
_PENDING = "SELECT count(*) FROM calendly_webhook_event WHERE status = 'pending'"


class WithoutSize(Size, frozen=True):
    """The number of deliveries, of hosts, and of processes.

    Args:
        scheduled: whether leftovers wait for the schedule; else the job is started by hand.

    """

    SCALES: ClassVar[tuple[str, ...]] = ("deliveries",)
    deliveries: int
    hosts: int = 40
    processes: int = 2
    scheduled: bool = True


FULL = WithoutSize(deliveries=10_000)
# A schedule may take a minute to come round: too long for a test.
SMALL = WithoutSize(deliveries=150, hosts=6, processes=1, scheduled=False)


class Seen(msgspec.Struct, frozen=True):
    """The stored rows while Temporal was down, and after it was back."""

    without: Stored
    after: Stored


async def run(size: WithoutSize) -> list[Row]:
    """Take in everything without Temporal, remove the refusal, and start Temporal."""
    random = Random("without Temporal")  # noqa: S311 - the same lives in every run
    # No server listens at the address that the rig gives for Temporal.
    async with open_rig(users=size.hosts) as rig:
        lives = await live(rig, hosts=size.hosts, deliveries=size.deliveries, random=random)
        refused = lives.posts[0].host
        await _run(rig, _REFUSE.format(await _run(rig, _ID, refused)))
        async with (
            open_servers(rig, size.processes) as servers,
            open_sender(servers.urls) as sender,
        ):
            posts = random.sample(lives.posts, len(lives.posts))
            await sender.send_all(posts, at_once=AT_ONCE)
            without = await stored(rig)
            await _run(rig, _ALLOW)
            await _drain(rig, scheduled=size.scheduled)
        seen = Seen(without, after=await stored(rig))
    return [_row(lives, refused, sender, seen)]


async def _drain(rig: Rig, *, scheduled: bool) -> None:
    """Bring Temporal and a worker, and wait until nothing is left over, or not for ever."""

    async def drained() -> bool:
        return bool(await _run(rig, _PENDING) == 0)

    async with open_jobs(rig) as jobs:
        worker = await jobs.worker()
        if scheduled:
            await rig.run("adapters.cli", "schedules", "apply").done(within=60)
        else:
            client = await connect(rig.environ["TEMPORAL_ADDRESS"], NAMESPACE)
            await TemporalJobs(client).apply_webhooks()
        await eventually(drained, within=DRAINS_WITHIN, every=0.1)
        await worker.stop()


async def _run(rig: Rig, statement: str, *arguments: object) -> Any:
    connection = await asyncpg.connect(rig.postgres.dsn)
    try:
        return await connection.fetchval(statement, *arguments)
    finally:
        await connection.close()


def _row(lives: Lives, refused: IntegrationId, sender: Sender, seen: Seen) -> Row:
    count, before, after = len(lives.posts), seen.without, seen.after
    waited, wrong = before.statuses["pending"], before.wrong(lives.seats, but=refused)
    return Row(
        what=f"Temporal down for {count:,} deliveries, of which the database refuses to apply "
        "those of one host for as long",
        must="every one answered 204 at the first attempt and stored, all other bookings right "
        "meanwhile; leftovers applied after",
        seen=f"{len(sender.took):,} answered 204 (p99 {sender.slow:.0f} ms), {sender.failed} "
        f"otherwise; {before.lost(lives.posts)} lost, {wrong} bookings wrong, {waited} left "
        f"over; {summary_of(after, lives)} after, {after.statuses['pending']} left over",
        # Without leftovers nothing is shown to drain.
        holds=sender.failed == before.lost(lives.posts) == wrong == 0
        and waited == sum(each.host == refused for each in lives.posts) > 0
        and after.statuses["applied"] == after.events.total() == count
        and after.wrong(lives.seats) == 0,
    )
