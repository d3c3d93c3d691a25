"""What the turns showed, as a table and as rows."""

from bench.availability.reads.turns import (
    AGAIN,
    BARE,
    CACHED,
    ROUTE,
    UNCHANGED,
    Load,
    Measured,
    Trips,
)
from bench.availability.reads.warmth import SLOTS
from bench.row import Row
from bench.turns import Side

CACHED_SHARE = 1.6
UNCHANGED_SHARE = 1.2
# Reads are marked now and then, behind the answers: a trip in a hundred requests at most.
MARKS = 0.01


def figures(seen: Measured) -> str:
    """Return each side's figures as a table in Markdown."""
    bare = seen.sides[BARE].cpu
    lines = [
        _line(side, side.cpu / bare, seen.trips.get(name)) for name, side in seen.sides.items()
    ]
    head = (
        "| what | CPU µs a request | of it the server's | requests a second | p50 ms | p99 ms"
        " | of the bare | round trips |"
    )
    return "\n".join([head, "|---|" + "---:|" * 7, *lines])


def rows(seen: Measured, load: Load) -> list[Row]:
    """Return what must hold and whether it did."""
    read = (
        f"cached read of about {SLOTS} slots ({seen.body:,} bytes), {load.connections} connections"
    )
    return [
        _row(seen, CACHED, 200, CACHED_SHARE, f"{read}, each of another range"),
        _row(seen, UNCHANGED, 304, UNCHANGED_SHARE, "304 on an unchanged `ETag`, repeated ranges"),
    ]


def _row(seen: Measured, name: str, status: int, most: float, what: str) -> Row:
    side, bare, trips = seen.sides[name], seen.sides[BARE], seen.trips[name]
    share = side.cpu / bare.cpu
    return Row(
        what=what,
        must=f"CPU at most {most} times that of a bare Litestar GET of as many bytes; at most one"
        " database round trip",
        seen=f"{side.cpu:.0f} µs ({side.server_cpu:.0f} of it the server's, the rest"
        f" PostgreSQL's) against {bare.cpu:.0f} µs: {share:.2f} times; {trips.trips:,} round trips"
        f" of {trips.requests:,} requests, counted on the wire"
        + (_beside(seen) if name == CACHED else ""),
        holds=share <= most
        and trips.each <= 1 + MARKS
        and side.statuses == {status}
        and bare.statuses == {200},
    )


def _beside(seen: Measured) -> str:
    bare = seen.sides[BARE].cpu
    again, route = seen.sides[AGAIN].cpu / bare, seen.sides[ROUTE].cpu / bare
    return (
        f"; ranges asked for again {again:.2f} times; by the route {route:.1f} times,"
        f" {seen.trips[ROUTE].each:.1f} round trips"
    )


def _line(side: Side, share: float, trips: Trips | None) -> str:
    shown = (
        f"{side.cpu:.0f}",
        f"{side.server_cpu:.0f}",
        f"{side.rate:.0f}",
        f"{side.percentile(50):.1f}",
        f"{side.percentile(99):.1f}",
        f"{share:.2f}",
        f"{trips.each:.2f}" if trips else "",
    )
    return f"| {side.name} | {' | '.join(shown)} |"
