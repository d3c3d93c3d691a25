"""What a day showed, as a table and as a row."""

from bench.availability.town.day import Seen, Size
from bench.availability.town.listed import listed
from bench.row import Row
from domain.cache_policy import Freshness

SERVED = 0.99
CALLS = 0.10


def share_of_calls(size: Size, seen: Seen) -> float:
    """Return the calls of all users as a share of all reads.

    Whoever is played stands for as many users as are not: what a user costs hardly depends on
    whether it is the first or the second of them, and how often they are read is known.
    """
    calls = sum(seen.calls.values()) * size.users / len(size.ranks)
    return calls / size.reads


def row(size: Size, seen: Seen) -> Row:
    """Return the judgement."""
    reads, calls = sum(seen.answers.values()), sum(seen.calls.values())
    share = share_of_calls(size, seen)
    waited, wrong = sum(seen.waits.values()), seen.wrong.get(Freshness.FRESH, 0)
    served = sum(seen.answers.get(each, 0) for each in Freshness) - waited
    return Row(
        what=_what(size, seen),
        must=f"at least {SERVED:.0%} of reads served without waiting; no fresh answer offers what"
        f" a delivered webhook had taken; at most {CALLS:.0%} of the calls of one a read",
        seen=f"{served / reads:.2%} of {reads:,} served at once ({waited:,} waited; answers"
        f" {listed(seen.answers)}); {wrong} wrong and fresh,"
        f" {sum(seen.wrong.values()) - wrong} wrong otherwise; {calls:,} calls,"
        f" {calls / len(size.ranks):.1f} a user: {share:.1%} of one a read of all users, and"
        f" {calls / reads:.1%} of one a read of those played ({listed(seen.calls)}; {seen.by_readers:,} for readers"
        f" and {seen.by_sync:,} by the sync; {seen.unchanged:,} unchanged), after {seen.filling:,} to fill the cache before; {listed(seen.done)}; sync"
        f" {listed(seen.synced)}",
        holds=served >= SERVED * reads
        and wrong == 0
        and share <= CALLS
        and not seen.done.get("not applied"),
    )


def _what(size: Size, seen: Seen) -> str:
    booked = seen.done.get("booked", 0)
    whole = f"{size.users:,} users, {size.hours} moved hours, {size.reads:,} reads by a Zipf law"
    reads = f"{sum(seen.answers.values()):,} reads, {booked:,} bookings"
    if size.every == 1:
        return f"{whole}: {reads}"
    return (
        f"{whole}, represented by every {size.every}th user by rank, the most read left out, each"
        f" with the reads of its rank: {len(size.ranks):,} users, {reads}"
    )


def figures(seen: Seen) -> str:
    """Return how the calls depend on how often a host is read, as a table in Markdown."""
    lines = [
        f"| {each.least:,} or more | {each.hosts:,} | {each.reads:,} | {each.calls:,}"
        f" | {each.calls / max(each.reads, 1):.1%} | {each.calls / each.hosts:.0f} |"
        for each in seen.groups
    ]
    head = "| reads of a host | hosts | reads | calls | calls a read | calls a host |"
    median, slow = seen.milliseconds
    below = f"\nA read took {median:.1f} ms of real time, {slow:.1f} ms at the 99th percentile."
    return "\n".join([head, "|---|" + "---:|" * 5, *lines, below])
