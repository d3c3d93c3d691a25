"""Calendly is down for hours: everybody whose availability is known is still answered."""

from collections import Counter
from datetime import timedelta
from typing import NamedTuple

import msgspec

from bench.availability.calendly.hosts import Host
from bench.availability.town.hours import Hours
from bench.availability.town.listed import listed
from bench.availability.town.town import Town, open_town, settle
from bench.row import Row
from domain.cache_policy import Freshness

# Half of the users were last fetched so long before that theirs expires meanwhile.
_BEFORE = timedelta(hours=20)
MOST_CALLS = 60  # an hour
_MARKED = (Freshness.STALE, Freshness.INVALIDATED, Freshness.EXPIRED)


class Size(msgspec.Struct, frozen=True):
    """How many users, how many reads meanwhile, and for how long (hours)."""

    users: int = 1_000
    reads: int = 15_000
    hours: int = 6


class Seen(NamedTuple):
    """What an outage came to.

    Args:
        meanwhile: answers by freshness, or the error's code.
        last: the same of reading every user once, at the end of it.
        ages: the oldest of those (seconds), by freshness.
        calls: requests that reached Calendly.
        reads: all of them.

    """

    meanwhile: Counter[str]
    last: Counter[str]
    ages: dict[str, float]
    calls: int
    reads: int


async def play(size: Size) -> Seen:
    """Fill the cache, let Calendly go down, and read everybody at the end."""
    async with open_town() as town:
        await settle(town, size.users, [_BEFORE, timedelta(minutes=15)])
        return await _outage(town, size)


async def _outage(town: Town, size: Size) -> Seen:
    ranks = range(1, size.users + 1)
    calendly, hours = town.calendly, Hours(town, ranks, size.reads / (size.hours * 60))
    calls, readers = calendly.calls.total(), hours.readers
    calendly.is_down = True
    await hours.pass_(size.hours)
    meanwhile = readers.answers.copy()
    readers.answers.clear()
    readers.ages.clear()
    for number in range(size.users):
        await readers.read_of(Host(number))
    return Seen(
        meanwhile=meanwhile,
        last=readers.answers,
        ages=readers.ages,
        calls=calendly.calls.total() - calls,
        reads=readers.by_host.total(),
    )


def row(size: Size, seen: Seen) -> Row:
    """Return the judgement."""
    answered = sum(seen.meanwhile[each] for each in Freshness)
    marked = sum(seen.last[each] for each in _MARKED)
    ages = ", ".join(f"{name} {age / 3600:.1f} h" for name, age in sorted(seen.ages.items()))
    return Row(
        what=f"Calendly down for {size.hours} moved hours, {size.users:,} users,"
        f" {size.reads:,} reads",
        must="every known user is answered, at the end marked as not fresh, with its age; calls at"
        f" most {MOST_CALLS} an hour",
        seen=f"{answered:,} of {seen.meanwhile.total():,} reads answered"
        f" ({listed(seen.meanwhile)}); at the end every user once: {listed(seen.last)}, the oldest"
        f" {ages}; {seen.calls:,} calls, {seen.calls / seen.reads:.2%} of one a read",
        holds=answered == seen.meanwhile.total()
        and marked == size.users == seen.last.total()
        and seen.calls <= MOST_CALLS * size.hours,
    )
