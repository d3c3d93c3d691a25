"""What a day showed, as a table and as a row."""

from bench.availability.town.day import Seen, Size
from bench.availability.town.listed import listed
from bench.row import Row
from domain.cache_policy import Freshness

SERVED = 0.99
CALLS = 0.10


def row(size: Size, seen: Seen) -> Row:
    """Return the judgement."""
    reads, calls = sum(seen.answers.values()), sum(seen.calls.values())
    waited, wrong = sum(seen.waits.values()), seen.wrong.get(Freshness.FRESH, 0)
    served = sum(seen.answers.get(each, 0) for each in Freshness) - waited
    return Row(
        what=_what(size, seen),
        must=f"at least {SERVED:.0%} of reads served without waiting; no fresh answer offers what"
        f" a delivered webhook had taken; at most {CALLS:.0%} of the calls of one a read",
        seen=f"{served / reads:.2%} of {reads:,} served at once ({waited:,} waited; answers"
        f" {listed(seen.answers)}); {wrong} wrong and fresh,"
        f" {sum(seen.wrong.values()) - wrong} wrong otherwise; {calls:,} calls,"
        f" {calls / reads:.1%} of one a read ({listed(seen.calls)}; {seen.unchanged:,} of them"
        f" unchanged), after {seen.filling:,} to fill the cache before; {listed(seen.done)}; sync"
        f" {listed(seen.synced)}",
        holds=served >= SERVED * reads
        and wrong == 0
        and calls <= CALLS * reads
        and not seen.done.get("not applied"),
    )


def _what(size: Size, seen: Seen) -> str:
    booked = seen.done.get("booked", 0)
    played = f", 1 of {size.every} played" if size.every > 1 else ""
    return (
        f"{size.users:,} users, {size.hours} moved hours, {size.reads:,} reads by a Zipf law"
        f"{played}: {len(size.ranks):,} users,"
        f" {sum(seen.answers.values()):,} reads, {booked:,} bookings"
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
