"""What the turns of the sync showed."""

from bench.availability.sync.bare import CALLS
from bench.availability.sync.turns import BARE, WORKER, Seen, Size
from bench.row import Row

FASTER = 1.2
# What an allocator keeps of the largest page differs a little from run to run.
FLAT = 1.15
_MEGABYTE = 1_000_000


def figures(seen: Seen) -> str:
    """Return both sides' figures."""
    return "\n".join(side.described("a call") for side in (seen.bare, seen.best, seen.worker))


def row(size: Size, seen: Seen, *, faster: float = FASTER, flat: float = FLAT) -> Row:
    """Return the judgement; the floors are other ones on machines that are not quiet."""
    bare, worker, (few, many) = seen.bare, seen.worker, seen.peaks
    times, growth = worker.rate / bare.rate, many / few
    whole = size.users - size.users % size.rounds
    stored = size.few + whole
    return Row(
        what=f"sync of {whole:,} due users, {CALLS} calls each, by one worker in {size.rounds}"
        " turns",
        must=f"at least {FASTER} times the calls a second of a bare loop over httpx's default"
        f" transport, as many users at once; memory flat: at most {FLAT} times; 0 answers of 429",
        seen=f"{worker.rate:.0f} calls/s against {bare.rate:.0f}/s: {times:.2f} times"
        f" ({worker.rate / seen.best.rate:.2f} times {seen.best.name}); CPU"
        f" {worker.cost(WORKER):.2f} ms a call against {bare.cost(BARE):.2f} ms; at most"
        f" {few / _MEGABYTE:.0f} MB with {size.few:,} users, {many / _MEGABYTE:.0f} MB with"
        f" {whole:,}: {growth:.2f} times; Calendly answered {seen.statuses};"
        f" {seen.states['synced']:,} synced, {seen.states['parts']:,} parts stored,"
        f" {seen.states['leased']} left leased",
        holds=times >= faster
        and growth <= flat
        and set(seen.statuses) == {200}
        and bare.done == worker.done == CALLS * whole
        and seen.states == {"synced": stored, "parts": CALLS * stored, "leased": 0},
    )
