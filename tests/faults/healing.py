"""Subscriptions that Calendly disables, and an hour of bookings without a single webhook.

The verdict is Calendly's: each booking is compared with Calendly's own record. The changes of the
hour are counted there too, not by the rule that counts repairs here.
"""

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import ClassVar

import msgspec

from application.jobs.job_result import JobResult, Progress
from application.ports.storage.bookings import BookingQuery
from application.resilience.priority import in_background
from domain.booking import Booking
from domain.integration import Integration
from domain.secret import Secret
from tests.faults.lost_hour import LostHour, Seat
from tests.faults.moved.accounts import Accounts
from tests.faults.moved.stage import Stage, staged
from tests.faults.row import Row
from tests.faults.scenarios import Size as AnySize

HOUR, STEPS = timedelta(hours=1), 12
PERIOD = timedelta(minutes=30)  # of the schedule that heals
BARELY = timedelta(seconds=1)
ACTS_EACH = 2
AT_MOST = 1_000  # bookings of one integration

Page = Callable[[str | None, int, Progress], Awaitable[JobResult]]


class Size(AnySize, frozen=True):
    """How many integrations lose their subscription, and whether the schedules run."""

    SCALES: ClassVar[tuple[str, ...]] = ("integrations",)
    integrations: int
    heals: bool = True


FULL = Size(integrations=1_000)
SMALL = Size(integrations=20)


class Verdict(msgspec.Struct, frozen=True):
    """The result of healing.

    Args:
        healed: integrations whose one subscription at Calendly is active and the known one.
        right: bookings that are as Calendly has them.
        wrong: bookings that are not, or that are missing, or that Calendly does not know.
        lost: bookings that the hour changed or made, counted at Calendly.
        counted: repairs on the integrations.
        metric: repairs by the metric.

    """

    healed: int
    right: int
    wrong: int
    lost: int
    counted: int
    metric: int


async def run(size: Size, database: Secret | None = None) -> list[Row]:
    """Disable, lose an hour, heal and compare once."""
    # A usual sweep would find none of it: what recovers it is that the gap was remembered.
    async with staged(size.integrations, database, reconcile_ahead=BARELY) as stage:
        accounts = Accounts(stage)
        await accounts.connect(size.integrations)
        await stage.calendly.control("POST", "/deliveries/pause")
        random = Random("an hour")  # noqa: S311 - the same hour in every run
        hosts = [each.account.user_uri for each in await accounts.all()]
        hour = LostHour(stage.calendly, hosts, random, stage.clock.now)
        await hour.begin()
        await _set_up(stage)
        before = await hour.seats()
        await _lose(stage, hour, random, size.integrations)
        await stage.move_to(stage.clock.now() + PERIOD)
        healed = await _heal(stage) if size.heals else JobResult()
        verdict = await _verdict(stage, accounts, before, await hour.seats())
    return [_row(size, hour, healed, verdict)]


async def _set_up(stage: Stage) -> None:
    """Do the work of onboarding: subscribe, and back-fill."""
    with in_background():
        await _through(stage.worker.heal_subscriptions)
        await _through(stage.worker.reconcile_all)


async def _lose(stage: Stage, hour: LostHour, random: Random, count: int) -> None:
    listed = (await stage.calendly.control("GET", "/subscriptions"))["subscriptions"]
    doomed = [each["uuid"] for each in listed]
    random.shuffle(doomed)
    acts = count * ACTS_EACH // STEPS + 1
    for step in range(STEPS):
        for uuid in doomed[step::STEPS]:
            await stage.calendly.control("POST", f"/subscriptions/{uuid}/disable")
        await hour.pass_on(acts)
        await stage.move_to(stage.clock.now() + HOUR / STEPS)


async def _heal(stage: Stage) -> JobResult:
    """One run of the schedule that heals, one of each that compares."""
    with in_background():
        healed = await _through(stage.worker.heal_subscriptions)
        await _through(stage.worker.fill_gaps)
        await _through(stage.worker.reconcile_all)
    return healed


async def _through(work: Page) -> JobResult:
    total = await work(None, 100, lambda _: None)
    while total.more:
        total = total.plus(await work(total.cursor, 100, lambda _: None))
    return total


async def _verdict(
    stage: Stage, accounts: Accounts, before: Mapping[str, Seat], after: Mapping[str, Seat]
) -> Verdict:
    integrations = await accounts.all()
    stored = await _stored(stage, integrations)
    right = sum(stored.get(uri) == seat for uri, seat in after.items())
    return Verdict(
        healed=await _healed(stage, integrations),
        right=right,
        wrong=len(stored.keys() | after.keys()) - right,
        lost=sum(_visible(before.get(uri)) != _visible(seat) for uri, seat in after.items()),
        counted=sum(each.repaired_count for each in integrations),
        metric=_metric(stage),
    )


def _visible(seat: Seat | None) -> tuple[str, bool] | None:
    """Return the fields of a booking that readers would see wrong if the change were missed."""
    return None if seat is None else seat[:2]


async def _healed(stage: Stage, integrations: Sequence[Integration]) -> int:
    listed = (await stage.calendly.control("GET", "/subscriptions"))["subscriptions"]
    whose = Counter(each["user"] for each in listed)
    active = {each["uri"]: each["state"] == "active" for each in listed}
    return sum(
        whose[each.account.user_uri] == 1
        and each.subscription is not None
        and active.get(each.subscription.uri or "", False)
        and each.gap is None
        for each in integrations
    )


async def _stored(stage: Stage, integrations: Sequence[Integration]) -> dict[str, Seat]:
    found: dict[str, Seat] = {}
    for each in integrations:
        query = BookingQuery(limit=AT_MOST)
        page = await stage.worker.list_bookings(each.user_id, query)
        assert page.next is None, "more bookings than the verdict looks at"
        found |= {one.booking.facts.invitee_uri: _as_seat(one.booking) for one in page.items}
    return found


def _as_seat(booking: Booking) -> Seat:
    facts = booking.facts
    marked = facts.no_show is not None and facts.no_show.uri is not None
    return str(facts.status), marked, facts.predecessor, facts.successor


def _metric(stage: Stage) -> int:
    metrics = stage.made.telemetry.render().decode()
    found = re.search(r"^slotkeeper_bookings_repaired_total (\S+)$", metrics, re.MULTILINE)
    return int(float(found.group(1))) if found else 0


def _row(size: Size, hour: LostHour, healed: JobResult, seen: Verdict) -> Row:
    count = size.integrations
    exact = seen.lost == seen.counted == seen.metric
    return Row(
        what=f"{count:,} subscriptions disabled at random in an hour; of {hour.acts:,} bookings,"
        " moves, cancellations and marks in it nothing is delivered",
        must="healed by one run of the schedule, 100 % of bookings recovered, the count exact",
        seen=f"{healed.done.get('replaced', 0):,} replaced, {seen.healed:,} healthy;"
        f" {seen.right:,} bookings right, {seen.wrong:,} wrong; {seen.lost:,} were lost,"
        f" {seen.counted:,} counted on the integrations, {seen.metric:,} by the metric",
        holds=seen.healed == count and seen.wrong == 0 and exact and seen.lost > 0,
    )
