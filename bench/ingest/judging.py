"""What the turns showed, as tables."""

from collections.abc import Mapping, Sequence

from bench.ingest.ceilings import Inserted
from bench.ingest.server import Mode
from bench.row import Row
from bench.turns import Side

CPU_SHARE = 0.45
SLOWEST_MS = 1_000


def figures(sides: Mapping[Mode, Side], inserted: Inserted | None) -> str:
    """Return each side's figures as a table in Markdown, the ceilings last."""
    single = sides[Mode.SINGLE].cpu
    lines = [_line(side, side.cpu / single) for side in sides.values()]
    if inserted is not None:
        lines.append(
            f"| pgbench, the same insert alone | {inserted.cpu:.0f} | 0 | {inserted.rate:.0f}"
            f" | | | | | {inserted.cpu / single:.2f} |"
        )
    head = (
        "| mode | CPU µs a request | of it the server's | requests a second"
        " | p50 ms | p99 ms | slowest ms | RSS MB | of one a request |"
    )
    return "\n".join([head, "|---|" + "---:|" * 8, *lines])


def judged(sides: Mapping[Mode, Side], stored: tuple[int, int], sent: int) -> Sequence[Row]:
    """Return what must hold and whether it did.

    Args:
        sides: the turns.
        stored: events applied, and bookings, at the end.
        sent: requests that were sent to the application in all, warming up included.

    """
    return (*_speed(sides[Mode.GROUPED], sides[Mode.SINGLE]), _kept(sides, stored, sent))


def _speed(grouped: Side, single: Side) -> tuple[Row, Row]:
    share = grouped.cpu / single.cpu
    fast, slow = grouped.percentile(99), single.percentile(99)
    return (
        Row(
            what="CPU a request of server and PostgreSQL with group commit",
            must=f"at most {CPU_SHARE:.0%} of one transaction a request",
            seen=f"{grouped.cpu:.0f} µs against {single.cpu:.0f} µs: {share:.0%}",
            holds=share <= CPU_SHARE,
        ),
        Row(
            what="answers with group commit",
            must="p99 below that of one transaction a request, none over 1 s",
            seen=f"p99 {fast:.0f} ms against {slow:.0f} ms, slowest {grouped.slowest:.0f} ms",
            holds=fast < slow and grouped.slowest <= SLOWEST_MS,
        ),
    )


def _kept(sides: Mapping[Mode, Side], stored: tuple[int, int], sent: int) -> Row:
    applied, bookings = stored
    statuses = set[int]().union(*(side.statuses for side in sides.values()))
    return Row(
        what=f"{sent:,} unique deliveries",
        must="each answered 204, stored once and applied to a booking of its own",
        seen=f"answers {sorted(statuses)}, {applied:,} applied, {bookings:,} bookings",
        holds=statuses == {204} and applied == bookings == sent,
    )


def _line(side: Side, share: float) -> str:
    shown = (
        f"{side.cpu:.0f}",
        f"{side.server_cpu:.0f}",
        f"{side.rate:.0f}",
        f"{side.percentile(50):.1f}",
        f"{side.percentile(99):.1f}",
        f"{side.slowest:.0f}",
        f"{side.memory / 1e6:.0f}",
        f"{share:.2f}",
    )
    return f"| {side.name} | {' | '.join(shown)} |"
