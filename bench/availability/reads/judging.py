"""What the turns showed, as a table and as rows."""

from bench.availability.reads.turns import ANEW, BARE, CACHED, UNCHANGED, Load, Measured, Trips
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
    lines = [_line(side, side.cpu / bare, seen.trips) for side in seen.sides.values()]
    head = (
        "| what | CPU µs a request | of it the server's | requests a second | p50 ms | p99 ms"
        " | of the bare | round trips |"
    )
    return "\n".join([head, "|---|" + "---:|" * 7, *lines])


def rows(seen: Measured, load: Load) -> list[Row]:
    """Return what must hold and whether it did."""
    return [
        _row(seen, CACHED, 200, CACHED_SHARE, f"cached read of {SLOTS} slots ({seen.body:,} bytes)"
             f", {load.connections} connections"),
        _row(seen, UNCHANGED, 304, UNCHANGED_SHARE, "304 on an unchanged `ETag`"),
    ]  # fmt: skip


def _row(seen: Measured, name: str, status: int, most: float, what: str) -> Row:
    side, bare, trips = seen.sides[name], seen.sides[BARE], seen.trips[name]
    share, anew = side.cpu / bare.cpu, seen.sides[ANEW].cpu / bare.cpu
    first = seen.trips[ANEW]
    return Row(
        what=what,
        must=f"CPU at most {most} times that of a bare Litestar GET of the same bytes; at most one database"
        " round trip",
        seen=f"{side.cpu:.0f} µs ({side.server_cpu:.0f} of it the server's, the rest"
        f" PostgreSQL's) against {bare.cpu:.0f} µs: {share:.2f} times; {trips.trips:,} round trips of"
        f" {trips.requests:,} requests, counted on the wire"
        + (
            f"; asked to the letter for the first time {anew:.1f} times, {first.each:.0f} round trips"
            if name == CACHED
            else ""
        ),
        holds=share <= most
        and trips.each <= 1 + MARKS
        and side.statuses == {status}
        and bare.statuses == {200},
    )


def _line(side: Side, share: float, trips: dict[str, Trips]) -> str:
    shown = (
        f"{side.cpu:.0f}",
        f"{side.server_cpu:.0f}",
        f"{side.rate:.0f}",
        f"{side.percentile(50):.1f}",
        f"{side.percentile(99):.1f}",
        f"{share:.2f}",
        f"{trips[side.name].each:.2f}" if side.name in trips else "",
    )
    return f"| {side.name} | {' | '.join(shown)} |"
