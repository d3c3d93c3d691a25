"""Calendly is down for hours: every user whose availability is cached is still answered."""

from datetime import timedelta

import msgspec

from bench.availability.activity import Activity
from bench.availability.simulated_calendly import Host
from bench.availability.simulation import open_simulation
from bench.report import Check, counts
from domain.cache_policy import Freshness

CALLS = 60  # an hour, at most
# Half of the users were fetched so long before that their entries expire during the outage.
_BATCHES = (timedelta(hours=20), timedelta(minutes=15))
_NOT_FRESH = (Freshness.STALE, Freshness.INVALIDATED, Freshness.EXPIRED)


class Size(msgspec.Struct, frozen=True):
    """Users, their reads during the outage, and its hours."""

    users: int = 1_000
    reads: int = 15_000
    hours: int = 6


async def measure(size: Size) -> Check:
    """Fill the cache, take Calendly down, and read every user at the end."""
    async with open_simulation() as simulation:
        await simulation.fill(size.users, _BATCHES)
        calendly = simulation.calendly
        ranks, before = range(1, size.users + 1), calendly.requests.total()
        activity = Activity(simulation, ranks, size.reads / (size.hours * 60))
        calendly.is_down = True
        await activity.pass_hours(size.hours)
        answers = activity.answers.copy()
        activity.answers.clear()
        activity.ages.clear()
        for number in range(size.users):
            await activity.read(Host(number))
    last, calls = activity.answers, calendly.requests.total() - before
    answered = sum(answers[each] for each in Freshness)
    ages = (f"{name} {age / 3600:.1f} h" for name, age in sorted(activity.ages.items()))
    return Check(
        subject=f"Calendly down for {size.hours} moved hours, {size.users:,} users,"
        f" {size.reads:,} reads",
        requirement="every known user is answered, at the end marked as not fresh, with its age;"
        f" calls at most {CALLS} an hour",
        measured=f"{answered:,} of {answers.total():,} reads answered ({counts(answers)}); at the"
        f" end every user once: {counts(last)}, the oldest {', '.join(ages)}; {calls:,} calls,"
        f" {calls / activity.reads_of.total():.2%} of one a read",
        passed=answered == answers.total()
        and sum(last[each] for each in _NOT_FRESH) == size.users == last.total()
        and calls <= CALLS * size.hours,
    )
